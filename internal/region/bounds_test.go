// SPDX-License-Identifier: Apache-2.0

package region

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// directoryOf returns a directory of so many regions, each with three endpoints, and tenants.
func directoryOf(regions, tenants int) []byte {
	var b strings.Builder
	b.WriteString("regions:\n")
	for i := range regions {
		fmt.Fprintf(&b, "  region-%d:\n    zone: zone-%d\n", i, i%10)
		for _, signal := range []string{"metrics", "logs", "traces"} {
			fmt.Fprintf(&b, "    %s: {endpoint: \"https://region-%d.example/%s\"}\n", signal, i, signal)
		}
		fmt.Fprintf(&b, "    auth: {bearer: {token_file: /etc/kof/region-%d/token}}\n", i)
	}
	b.WriteString("tenants:\n")
	for i := range tenants {
		fmt.Fprintf(&b, "  tenant-%d: {region: region-%d}\n", i, i%regions)
	}
	return []byte(b.String())
}

func TestBounds(t *testing.T) {
	_, err := Parse(directoryOf(MaxRegions+1, 1))
	require.EqualError(t, err, "regions: found 1001; allowed: 1 to 1000 regions (line 2)")

	_, err = Parse(directoryOf(1, MaxTenants+1))
	require.EqualError(t, err, "tenants: found 100001; allowed: at most 100000 tenants (line 9)")

	_, err = Parse(make([]byte, MaxBytes+1))
	require.EqualError(t, err, "document: larger than 16777216 bytes; allowed: at most that")
}

func TestNodesAreBounded(t *testing.T) {
	for _, unit := range []string{"a: b\n", "[],", "- \n", "? a\n", "{a},"} {
		_, err := Parse([]byte("regions: [" + strings.Repeat(unit, maxIndicators)))
		require.ErrorContains(t, err, "document: found ", unit)
		require.ErrorContains(t, err, "allowed: at most 1000000", unit)
	}
}

// The largest directory fits in its longest form: JSON with every key on a line of its own.
func TestLargestFits(t *testing.T) {
	endpoint := func(path string, i int) map[string]any {
		return map[string]any{
			"endpoint": fmt.Sprintf("https://region-%d.example%s", i, path), "protocol": "otlp_http", "compression": "zstd",
			"headers": map[string]string{"X-A": "a", "X-B": "b", "X-C": "c", "X-D": "d"},
		}
	}
	regions := make(map[string]any)
	for i := range MaxRegions {
		regions[fmt.Sprint("region-", i)] = map[string]any{
			"zone": "z", "metrics": endpoint("/m", i), "logs": endpoint("/l", i), "traces": endpoint("/t", i),
			"auth": map[string]any{"basic": map[string]string{"username_file": "/u", "password_file": "/p"}},
			"tls": map[string]any{
				"ca_file": "/ca", "cert_file": "/c", "key_file": "/k", "server_name": "s", "insecure_skip_verify": false, "min_version": "1.3",
			},
			"failover": []string{"region-0", "region-1", "region-2", "region-3", "region-4"},
		}
	}
	for i := range 5 {
		delete(regions[fmt.Sprint("region-", i)].(map[string]any), "failover")
	}
	tenants := make(map[string]any)
	for i := range MaxTenants {
		tenants[fmt.Sprint("tenant-", i)] = map[string]string{"region": fmt.Sprint("region-", i%MaxRegions)}
	}
	data, err := json.MarshalIndent(map[string]any{"regions": regions, "tenants": tenants}, "", "  ")
	require.NoError(t, err)
	d, err := Parse(data)
	require.NoError(t, err)
	require.Len(t, d.Regions, MaxRegions)
	require.Len(t, d.Tenants, MaxTenants)
	t.Log(indicators(data))
}

// indicators is an upper bound: no document has more nodes.
func TestIndicators(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.*"))
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var doc yaml.Node
		if decode(yaml.NewDecoder(bytes.NewReader(data)), &doc) == nil {
			require.LessOrEqual(t, countNodes(doc.Content[0]), indicators(data), file)
		}
	}
}

func countNodes(n *yaml.Node) int {
	count := 1
	for _, c := range n.Content {
		count += countNodes(c)
	}
	return count
}

func TestProblemsAreBounded(t *testing.T) {
	long := strings.Repeat("ü", 1<<20)
	_, err := Parse([]byte("regions: {" + long + ": {zone: \"" + long + "\"}}\n" + long + ": 1\n"))
	require.Error(t, err)
	require.Less(t, len(err.Error()), 5_000)

	data := directoryOf(1, 1)
	data = append(data, strings.Repeat("  bad tenant: {}\n", 2*maxProblems)...)
	_, err = Parse(data)
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, maxProblems+1)
	// Each has a bad name, is there for the second time but for the first, and has no region.
	require.Equal(t, fmt.Sprintf("and %d more problems", 3*2*maxProblems-1-maxProblems), lines[maxProblems])
}

// Nesting beyond the format is not walked, whatever its depth.
func TestDeepNesting(t *testing.T) {
	for _, data := range []string{
		strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000),
		"regions: " + strings.Repeat("{a: ", 9_000) + strings.Repeat("}", 9_000),
		strings.Repeat("- ", 20_000) + "a",
	} {
		_, err := Parse([]byte(data))
		require.Error(t, err)
	}
}

type panickingReader struct{}

func (panickingReader) Read([]byte) (int, error) { panic("internal error: s3cret") }

func TestParserPanicIsAnError(t *testing.T) {
	err := decode(yaml.NewDecoder(panickingReader{}), &yaml.Node{})
	require.EqualError(t, err, "the YAML parser can't read it")
}

func BenchmarkParseLargest(b *testing.B) {
	data := directoryOf(MaxRegions, MaxTenants)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := Parse(data)
		require.NoError(b, err)
	}
}
