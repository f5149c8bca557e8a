// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// testCosts compares the totals that dashboards show with the counters of the receiver, which all began at zero in this cluster.
func testCosts(t *testing.T, w *world) {
	for name, counters := range map[string]string{
		"finops/clusters/Total":            `{__name__=~"kof_(node|volume|load_balancer|cluster_management)_cost_total"}`,
		"finops/clusters/Nodes":            `kof_node_cost_total`,
		"finops/clusters/Volumes":          `kof_volume_cost_total`,
		"finops/namespaces/Total charged":  `{__name__=~"kof_(container|volume|load_balancer)_cost_total"}`,
		"finops/idle/Idle nodes":           `kof_node_idle_cost_total`,
		"finops/forecast/Spent this month": `{__name__=~"kof_(node|volume|load_balancer|cluster_management)_cost_total"}`,
	} {
		t.Run(name, func(t *testing.T) {
			var shown, counted float64
			// Both are asked of the same moment, so that nothing is charged in between: the counters as they were is what rates end with.
			require.Eventually(t, func() bool {
				shown, counted = w.sum(t, exprOf(t, name)), w.sum(t, "sum("+counters+")")
				return shown > 0 && shown == w.sum(t, exprOf(t, name))
			}, dataTimeout, scrapeInterval/10)
			t.Logf("shown %.9f, counted %.9f", shown, counted)
			require.InEpsilon(t, counted, shown, 0.001)
		})
	}
}

// exprOf returns the query of a panel with one.
func exprOf(t *testing.T, name string) string {
	t.Helper()
	for _, q := range ofDashboards(t) {
		if q.name == name+"/A" {
			return q.expr
		}
	}
	require.Fail(t, "no panel "+name)
	return ""
}

func (w *world) sum(t *testing.T, expr string) float64 {
	t.Helper()
	got, err := askMetrics(t.Context(), w.stores.Metrics.URL, expr)
	require.NoError(t, err)
	require.Len(t, got, 1, expr)
	v, err := strconv.ParseFloat(got[0].number(), 64)
	require.NoError(t, err)
	return v
}
