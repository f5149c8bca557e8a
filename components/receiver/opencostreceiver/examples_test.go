// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/metadata"
	"github.com/k0rdent/kof/internal/cost"
)

var update = flag.Bool("update", false, "write examples/instance-types.yaml anew")

// sampleTable computes a table of made-up instance types from the default unit prices.
func sampleTable(p cost.Prices) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# A form to fill in with a provider's prices: the numbers are computed from the default unit prices
# (go test ./components/receiver/opencostreceiver -run SampleTable -update), no provider asks them.
as_of: %s
instances:
`, defaultsAt.Format("2006-01-02"))
	for _, t := range []struct {
		name             string
		cores, gib, gpus float64
	}{{"general.small", 2, 8, 0}, {"general.large", 8, 32, 0}, {"memory.large", 8, 64, 0}, {"gpu.large", 16, 128, 1}} {
		fmt.Fprintf(&b, "  %s:\n    \"*\": {on_demand: %.4f, spot: %.4f}\n", t.name,
			t.cores*p.CPU+t.gib*p.RAM+t.gpus*p.GPU, t.cores*p.SpotCPU+t.gib*p.SpotRAM+t.gpus*p.SpotGPU)
	}
	return b.String()
}

func TestSampleTable(t *testing.T) {
	path := filepath.Join("examples", "instance-types.yaml")
	p, err := cost.DefaultPrices(cost.SetOpenCostJSON)
	require.NoError(t, err)
	want := sampleTable(p)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
	_, problems, err := cost.ParseInstanceTable(path, strings.NewReader(string(got)))
	require.NoError(t, err)
	require.Empty(t, problems)
}

// TestConfigurationOfTheReadme checks the two configurations that the README shows.
func TestConfigurationOfTheReadme(t *testing.T) {
	raw, err := os.ReadFile("README.md")
	require.NoError(t, err)
	found := 0
	for _, block := range strings.Split(string(raw), "```yaml\n")[1:] {
		text, _, _ := strings.Cut(block, "```")
		if !strings.HasPrefix(text, "receivers:") {
			continue
		}
		found++
		text = strings.NewReplacer("${env:KOF_NODE_NAME}", "n1", "${env:KOF_HOST_IP}", "10.0.0.1", "${env:KOF_CLUSTER_NAME}", "c1").Replace(text)
		var doc map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(text), &doc))
		sub, err := confmap.NewFromStringMap(doc).Sub("receivers::opencost")
		require.NoError(t, err)
		c := createDefaultConfig().(*Config)
		require.NoError(t, sub.Unmarshal(c))
		require.NoError(t, c.Validate())
	}
	require.Equal(t, 2, found)
}

// TestMetadata checks that metadata.yaml declares what the code has.
func TestMetadata(t *testing.T) {
	raw, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	var doc struct {
		Type      string
		Telemetry struct {
			Metrics map[string]struct{ Description, Unit string }
		}
	}
	require.NoError(t, yaml.Unmarshal(raw, &doc))
	require.Equal(t, metadata.Type.String(), doc.Type)
	code, err := os.ReadFile(filepath.Join("internal", "metadata", "generated_telemetry.go"))
	require.NoError(t, err)
	require.Equal(t, strings.Count(string(code), `"otelcol_`), len(doc.Telemetry.Metrics))
	for name, m := range doc.Telemetry.Metrics {
		require.Contains(t, string(code), fmt.Sprintf(`"otelcol_%s"`, name))
		require.Contains(t, string(code), fmt.Sprintf("WithDescription(%q)", m.Description))
		require.Contains(t, string(code), fmt.Sprintf("WithUnit(%q)", m.Unit))
	}
}
