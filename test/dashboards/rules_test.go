// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/k0rdent/kof/test/toolcache"
)

type rule struct{ Alert, Record, Expr string }

// ofRules returns a question for each query of recording rules, and for each selector of alerts, which return nothing as long as all is well.
func ofRules(t *testing.T) []*question {
	var out []*question
	seen := map[string]bool{}
	ask := func(name, expr string) {
		if !seen[expr] {
			seen[expr] = true
			out = append(out, &question{name: "rules/" + name, source: metricsType, expr: expr})
		}
	}
	for chart, set := range map[string]string{"kof-storage": "form=standalone", "kof-mothership": "alerting.runbooks="} {
		for _, r := range parseRules(t, rulesOf(t, chart, set)) {
			expr, err := parser.ParseExpr(r.Expr)
			require.NoError(t, err, r.Expr)
			if r.Record != "" {
				ask(r.Record, strings.NewReplacer("[5m]", "[20s]").Replace(r.Expr))
			}
			parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
				if s, ok := node.(*parser.VectorSelector); ok && r.Alert != "" {
					plain := &parser.VectorSelector{Name: s.Name, LabelMatchers: s.LabelMatchers}
					ask(r.Alert+"/"+s.Name, plain.String())
				}
				return nil
			})
		}
	}
	return out
}

func parseRules(t *testing.T, files []string) []rule {
	t.Helper()
	var out []rule
	for _, text := range files {
		var file struct{ Groups []struct{ Rules []rule } }
		require.NoError(t, yaml.Unmarshal([]byte(text), &file))
		for _, g := range file.Groups {
			out = append(out, g.Rules...)
		}
	}
	require.NotEmpty(t, out)
	return out
}

// rulesOf are the files that a chart gives to vmalert, some of them by way of kof-operator.
func rulesOf(t *testing.T, chart, set string) []string {
	t.Helper()
	helm, err := toolcache.Binary(t.Context(), "helm", os.Stderr)
	require.NoError(t, err)
	text, err := exec.CommandContext(t.Context(), helm, "template", chart, root+"/deploy/charts/"+chart, "--set", set).Output()
	require.NoError(t, err)
	var out []string
	for _, document := range strings.Split("\n"+string(text), "\n---\n") {
		var object struct {
			Kind string
			Data map[string]string
		}
		require.NoError(t, yaml.Unmarshal([]byte(document), &object))
		for _, text := range object.Data {
			if object.Kind == "ConfigMap" && strings.HasPrefix(text, "groups:") {
				out = append(out, text)
			}
		}
	}
	require.NotEmpty(t, out, chart)
	return out
}
