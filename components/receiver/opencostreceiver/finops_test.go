// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/k0rdent/kof/internal/finops"
	"github.com/k0rdent/kof/internal/kofctl/promql"
	"github.com/k0rdent/kof/test/backends"
)

// counted adds up what counters grow by, as they are emitted: a value below the one before is a counter that began anew.
type counted struct {
	last  map[string]float64
	total map[string]float64 // by metric
}

func (c *counted) add(md pmetric.Metrics) {
	for name, points := range seriesOf(md) {
		if !strings.HasPrefix(name, "kof_") || !strings.HasSuffix(name, "_cost_total") {
			continue
		}
		for _, p := range points {
			var text strings.Builder
			for _, all := range []map[string]any{p.resource, p.labels} {
				for _, key := range slices.Sorted(maps.Keys(all)) {
					text.WriteString(key + "=" + all[key].(string) + ";")
				}
			}
			key := name + text.String()
			if p.value >= c.last[key] {
				c.total[name] += p.value - c.last[key]
			} else {
				c.total[name] += p.value
			}
			c.last[key] = p.value
		}
	}
}

// What kofctl says of the simulated day, with its lost node, restarts, changed price and short Jobs, is what the receiver's counters counted.
func TestReportsEqualTheCounters(t *testing.T) {
	vm := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{})
	end := time.Now().Truncate(time.Minute)
	d := newDay(end.Add(-day))
	var text strings.Builder
	truth := &counted{last: map[string]float64{}, total: map[string]float64{}}
	keep := func(md pmetric.Metrics) {
		exposition(&text, md)
		truth.add(md)
	}
	d.run(t, func(sink *consumertest.MetricsSink) {
		for _, md := range sink.AllMetrics() {
			keep(md)
		}
		store(t, vm, &text)
	})
	c := startCluster(t, nil, dayVolumes()...)
	c.at = d.start
	for ; !c.at.After(end); c.step(time.Minute) {
		c.emit(c.now(), keep)
	}
	store(t, vm, &text)
	require.NoError(t, vm.Flush(context.Background()))

	containers, volumes, balancers := truth.total["kof_container_cost_total"], truth.total["kof_volume_cost_total"], truth.total["kof_load_balancer_cost_total"]
	idle, nodes := truth.total["kof_node_idle_cost_total"], truth.total["kof_node_cost_total"]
	require.InEpsilon(t, nodes, containers+idle, 1e-6)
	// A minute more, so that the zeros at the day's start are in.
	window, err := finops.ParseWindow("1441m", end)
	require.NoError(t, err)
	for _, by := range []string{"cluster", "namespace", "workload", "pod"} {
		for _, share := range []bool{false, true} {
			view, err := finops.ParseView(by)
			require.NoError(t, err)
			r, err := finops.Costs(t.Context(), finops.Store{Querier: querier{promql.Config{URLs: []string{vm.URL}}}},
				finops.Options{View: view, Window: window, ShareIdle: share, Efficiency: true})
			require.NoError(t, err)
			var all finops.Row
			for _, row := range r.Rows {
				all.Add(&row)
			}
			require.InEpsilon(t, containers, all.Containers(), 1e-3, by)
			require.InEpsilon(t, idle, all.Idle, 1e-3, by)
			require.InEpsilon(t, volumes, all.Volume, 1e-3, by)
			require.InEpsilon(t, balancers, all.LoadBalancer, 1e-3, by)
			require.InEpsilon(t, nodes+volumes+balancers, all.Total(), 1e-3, by)
			t.Logf("%s, idle shared %v: %.6f, the counters %.6f", by, share, all.Total(), nodes+volumes+balancers)
		}
	}
}

type querier struct{ promql.Config }

func (q querier) Query(ctx context.Context, expression string, at time.Time) ([]finops.Sample, error) {
	found, err := q.Config.Query(ctx, expression, at)
	out := make([]finops.Sample, len(found))
	for i, f := range found {
		out[i] = finops.Sample{Labels: f.Labels, Value: f.Value}
	}
	return out, err
}
