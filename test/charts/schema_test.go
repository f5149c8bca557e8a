// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// freeMaps are the objects of the schema whose keys it doesn't know: what Kubernetes or the collector checks.
var freeMaps = []string{"#/$defs/config", "#/$defs/free", "#/properties/global"}

func TestSchemasAreClosed(t *testing.T) {
	for _, chart := range charts(t) {
		t.Run(chart, func(t *testing.T) { requireClosed(t, loadOf(t, chart, "values.schema.json")) })
	}
}

func requireClosed(t *testing.T, schema map[string]any) {
	t.Helper()
	var open []string
	var walk func(at string, node any)
	walk = func(at string, node any) {
		switch n := node.(type) {
		case map[string]any:
			if n["type"] == "object" && n["additionalProperties"] == nil {
				open = append(open, at)
			}
			for k, v := range n {
				walk(at+"/"+k, v)
			}
		case []any:
			for _, v := range n {
				walk(at+"/[]", v)
			}
		}
	}
	walk("#", schema)
	require.Subset(t, freeMaps, open)
}

// Every value is in the schema, and every key of the schema has a default that says what it is.
func TestSchemasKnowEveryValue(t *testing.T) {
	for _, chart := range charts(t) {
		t.Run(chart, func(t *testing.T) {
			requireKnown(t, loadOf(t, chart, "values.schema.json"), loadOf(t, chart, "values.yaml"))
		})
	}
}

func requireKnown(t *testing.T, schema, values map[string]any) {
	t.Helper()
	defs := schema["$defs"].(map[string]any)
	resolve := func(node map[string]any) map[string]any {
		if ref, ok := node["$ref"].(string); ok {
			return defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		}
		return node
	}
	var compare func(at string, node, value map[string]any)
	compare = func(at string, node, value map[string]any) {
		properties, _ := resolve(node)["properties"].(map[string]any)
		if properties == nil || len(value) == 0 {
			return
		}
		known := slices.DeleteFunc(slices.Sorted(maps.Keys(properties)), func(k string) bool { return at == "" && k == "global" })
		switch {
		case strings.HasSuffix(strings.ToLower(at), "resources"), strings.HasSuffix(at, "updateStrategy/rollingUpdate"):
		case properties["storageClassName"] != nil, resolve(node)["additionalProperties"] != false:
			// One kind of value in several places, or a map with some keys of note: what is there is known.
			for k := range value {
				require.True(t, properties[k] != nil || resolve(node)["additionalProperties"] != false, "%s/%s", at, k)
			}
		default:
			require.Equal(t, known, slices.Sorted(maps.Keys(value)), at)
		}
		for k, v := range value {
			inner, isMap := v.(map[string]any)
			property, ok := properties[k].(map[string]any)
			if isMap && ok {
				compare(at+"/"+k, property, inner)
			}
		}
	}
	compare("", schema, values)
}

func load(t *testing.T, file string) map[string]any {
	t.Helper()
	return loadOf(t, filepath.Base(collectors), file)
}

func loadOf(t *testing.T, chart, file string) map[string]any {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(chartsDir, chart, file))
	require.NoError(t, err)
	return parse(t, content)
}
