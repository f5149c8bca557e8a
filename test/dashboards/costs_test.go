// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/backends"
)

// past is what the agents of a world have counted, as if it had been two hours ago: dashboards show whole hours, which this cluster never gets to.
type past struct {
	store    *backends.Server
	counters []backends.Series
}

// toPast puts the counters of costs and telemetry as they are now into a store of their own, half of their time before the turn of an hour and
// half after it, has the rules record these hours, and puts what they record into the world's store.
func (w *world) toPast(t *testing.T) past {
	p := past{store: backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{})}
	var err error
	p.counters, err = w.stores.Metrics.Export(t.Context(), `{__name__=~"kof_.*_total|otelcol_kof_region_.*_total"}`)
	require.NoError(t, err)
	first, last := time.Now().UnixMilli(), int64(0)
	for _, s := range p.counters {
		first, last = min(first, slices.Min(s.Timestamps)), max(last, slices.Max(s.Timestamps))
	}
	end := lastHour(90 * time.Second)
	importSeries(t, p.store, p.counters, end.Add(-time.Hour).Sub(time.UnixMilli((first+last)/2)))
	replay(t, p.store, end.Add(-3*time.Hour), end)
	recorded, err := p.store.Export(t.Context(), `{__name__=~".+:.+"}`)
	require.NoError(t, err)
	require.NotEmpty(t, recorded)
	importSeries(t, w.stores.Metrics, recorded, 0)
	return p
}

// testCosts compares the totals that dashboards show of these hours with the counters of the receiver, which all began at zero in this cluster.
func testCosts(t *testing.T, p past) {
	total := []string{"node", "volume", "load_balancer", "cluster_management"}
	for name, of := range map[string][]string{
		"finops/clusters/Total":            total,
		"finops/clusters/Nodes":            {"node"},
		"finops/clusters/Volumes":          {"volume"},
		"finops/namespaces/Total charged":  {"container", "volume", "load_balancer"},
		"finops/idle/Idle nodes":           {"node_idle"},
		"finops/forecast/Spent this month": total,
	} {
		t.Run(name, func(t *testing.T) {
			counted := 0.0
			for _, s := range p.counters {
				for _, cost := range of {
					if s.Labels["__name__"] == "kof_"+cost+"_cost_total" {
						// Not the last of them: what came late is exported late.
						counted += slices.Max(slices.DeleteFunc(slices.Clone(s.Values), math.IsNaN))
					}
				}
			}
			shown, _ := numberOf(t, p.store, exprOf(t, name, 6*time.Hour))
			t.Logf("shown %.9f, counted %.9f", shown, counted)
			require.Positive(t, counted)
			require.InEpsilon(t, counted, shown, 1e-6)
		})
	}
}

// exprOf returns the query of a panel with one, of a time that ends now.
func exprOf(t *testing.T, name string, of time.Duration) string {
	t.Helper()
	for _, q := range ofDashboards(t, of) {
		if q.name == name+"/A" {
			return q.expr
		}
	}
	require.Fail(t, "no panel "+name)
	return ""
}

// ofHours tells whether a query is of hours that are over.
func ofHours(q *question) bool { return strings.Contains(q.expr, ":1h] offset 5m") }
