// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestTenantsOwnStorage: a tenant's own release is all in the tenant's namespace, shares nothing with the platform's, and its stores
// take connections of that namespace alone.
func TestTenantsOwnStorage(t *testing.T) {
	of := func(namespace string, o options) []*unstructured.Unstructured {
		o.namespace = namespace
		return objects(t, render(t, o))
	}
	tenant := of("acme", exampleOf("kof-storage", "tenant"))
	platform := of("kof", exampleOf("kof-storage", "single"))
	names := func(all []*unstructured.Unstructured) []string {
		var out []string
		for _, o := range all {
			out = append(out, o.GetNamespace()+" "+o.GetKind()+" "+o.GetName())
		}
		return out
	}
	for _, o := range tenant {
		require.Equal(t, "acme", o.GetNamespace(), "%s/%s", o.GetKind(), o.GetName())
	}
	for _, n := range names(tenant) {
		require.NotContains(t, names(platform), n)
	}
	// In form single, the operator's stores get their policies from the operator; those of the chart's own pods are here.
	for form, stores := range map[string][]string{"single": {"jaeger"}, "standalone": {"jaeger", "victoria-metrics", "victoria-logs"}} {
		o := exampleOf("kof-storage", "tenant")
		o.values = "form: " + form
		all := of("acme", o)
		for _, s := range stores {
			spec := mapAt(t, find(t, all, "NetworkPolicy", "kof-storage-"+s).Object, "spec")
			for _, rule := range spec["ingress"].([]any) {
				// A selector of pods without one of namespaces means the policy's own.
				require.Equal(t, []any{map[string]any{"podSelector": map[string]any{}}}, rule.(map[string]any)["from"])
			}
		}
	}
}

// TestOperatorsAreThoseOfTheKinds: the charts' objects are checked against the kinds of the operators that kof-operators installs. Which
// operator a chart has is what its README says, as the archives can't be looked into.
func TestOperatorsAreThoseOfTheKinds(t *testing.T) {
	dir := filepath.Join(chartsDir, "kof-operators")
	text, err := os.ReadFile(filepath.Join(dir, "Chart.yaml"))
	require.NoError(t, err)
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	require.NoError(t, err)
	modules := map[string]string{
		"cert-manager": "github.com/cert-manager/cert-manager", "victoria-metrics-operator": "github.com/VictoriaMetrics/operator/api",
		"grafana-operator": "github.com/grafana/grafana-operator/v5", "opentelemetry-operator": "github.com/open-telemetry/opentelemetry-operator",
	}
	checked := map[string]bool{}
	for _, d := range parse(t, text)["dependencies"].([]any) {
		name, version := d.(map[string]any)["name"].(string), d.(map[string]any)["version"].(string)
		row := regexp.MustCompile(`(?m)^\| ` + name + ` (\S+) \| v?(\S+) \|`).FindStringSubmatch(string(readme))
		require.NotNil(t, row, name)
		require.Equal(t, version, row[1], name)
		for _, s := range crdSources {
			if module, kinds, _ := strings.Cut(s.module, "@v"); module == modules[name] {
				require.Equal(t, kinds, row[2], name)
				checked[name] = true
			}
		}
	}
	require.Equal(t, slices.Sorted(maps.Keys(modules)), slices.Sorted(maps.Keys(checked)))
}
