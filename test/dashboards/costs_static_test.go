// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestCostsAreBounded: over a time, the dashboards of costs read recorded series, which don't grow with nodes and pods. Where they read counters of
// nodes and pods, it is of a cluster that has to be chosen, and a namespace, if these counters are of containers.
func TestCostsAreBounded(t *testing.T) {
	const chosen = "chosen"
	recorded, detailed := 0, 0
	for _, d := range load(t) {
		if !strings.HasPrefix(d.Path, "finops/") {
			continue
		}
		for _, p := range d.Panels {
			hours := false
			for _, q := range p.Targets {
				name := d.Path + "/" + p.Title + "/" + q.RefID
				expr, err := parser.ParseExpr(filled(d, q.Expr, time.Hour, func(v variable) string { return cmp.Or(v.AllValue, chosen) }))
				require.NoError(t, err, name)
				parser.Inspect(expr, func(node parser.Node, above []parser.Node) error {
					s, ok := node.(*parser.VectorSelector)
					if !ok || !slices.ContainsFunc(above, overTime) {
						return nil
					}
					of := map[string]string{}
					for _, m := range s.LabelMatchers {
						of[m.Name] = m.Value
					}
					if strings.Contains(of["__name__"], ":") {
						recorded++
						return nil
					}
					detailed++
					assert.Equal(t, chosen, of["cluster"], "%s reads %s of all clusters", name, s)
					if !strings.HasPrefix(of["__name__"], "kof_node_") && of["pod"] != "unmounted-pvs" {
						assert.Equal(t, chosen, of["namespace"], "%s reads %s of all namespaces", name, s)
					}
					return nil
				})
				hours = hours || strings.Contains(q.Expr, ":1h]")
				assert.Equal(t, strings.Contains(q.Expr, ":1h]"), strings.Contains(q.Expr, ":1h] offset 5m"), "%s: regions need time to record the last hour", name)
			}
			assert.Equal(t, hours, strings.Contains(p.Description, "Whole hours"), "%s/%s says what hours are in its numbers", d.Path, p.Title)
		}
	}
	require.Greater(t, recorded, 60)
	require.Greater(t, detailed, 10)
}

func overTime(node parser.Node) bool {
	switch node.(type) {
	case *parser.MatrixSelector, *parser.SubqueryExpr:
		return true
	}
	return false
}
