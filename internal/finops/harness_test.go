// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/k0rdent/kof/internal/kofctl/promql"
	"github.com/k0rdent/kof/test/backends"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counting asks a store over HTTP as kofctl does, and keeps what was asked.
type counting struct {
	promql.Config
	asked []string
}

func (q *counting) Query(ctx context.Context, expression string, at time.Time) ([]Sample, error) {
	q.asked = append(q.asked, expression)
	found, err := q.Config.Query(ctx, expression, at)
	out := make([]Sample, len(found))
	for i, f := range found {
		out[i] = Sample{f.Labels, f.Value}
	}
	return out, err
}

// world is a store with three days of two clusters. All prices are such that an hour's cost is the number here.
type world struct {
	store Store
	asked *counting
	end   time.Time
}

// counters are what grows, by dollars an hour.
var counters = map[string]float64{
	// prod: node-1 in eu-west-1 costs 1.0 (cpu 0.6, ram 0.4); node-2 in eu-central-1 the same, and a GPU of 2.
	`kof_container_cost_total{cluster="prod",node="node-1",tenant="acme",namespace="shop",pod="web-1",container="app",workload_kind="deployment",workload="web",resource="cpu",currency="USD"}`:  0.20,
	`kof_container_cost_total{cluster="prod",node="node-1",tenant="acme",namespace="shop",pod="web-1",container="app",workload_kind="deployment",workload="web",resource="ram",currency="USD"}`:  0.10,
	`kof_container_cost_total{cluster="prod",node="node-2",tenant="acme",namespace="shop",pod="web-2",container="app",workload_kind="deployment",workload="web",resource="cpu",currency="USD"}`:  0.20,
	`kof_container_cost_total{cluster="prod",node="node-2",tenant="acme",namespace="shop",pod="db-0",container="db",workload_kind="statefulset",workload="db",resource="ram",currency="USD"}`:    0.20,
	`kof_container_cost_total{cluster="prod",node="node-2",namespace="ml",pod="train-1",container="gpu",workload_kind="job",workload="train",resource="gpu",currency="USD"}`:                     2.00,
	`kof_container_cost_total{cluster="prod",node="node-2",namespace="ml",pod="train-1",container="gpu",workload_kind="job",workload="train",resource="example.com/nic",currency="USD"}`:         0.05,
	`kof_container_cost_total{cluster="prod",node="node-1",namespace="kube-system",pod="dns-1",container="dns",workload_kind="deployment",workload="dns",resource="cpu",currency="USD"}`:         0.10,
	`kof_node_idle_cost_total{cluster="prod",node="node-1",resource="cpu",currency="USD"}`:                                                                                                       0.30,
	`kof_node_idle_cost_total{cluster="prod",node="node-1",resource="ram",currency="USD"}`:                                                                                                       0.30,
	`kof_node_idle_cost_total{cluster="prod",node="node-2",resource="cpu",currency="USD"}`:                                                                                                       0.40,
	`kof_node_idle_cost_total{cluster="prod",node="node-2",resource="ram",currency="USD"}`:                                                                                                       0.20,
	`kof_volume_cost_total{cluster="prod",tenant="acme",namespace="shop",pod="db-0",persistentvolume="pv-1",persistentvolumeclaim="data",storageclass="std",currency="USD"}`:                     0.04,
	`kof_volume_cost_total{cluster="prod",namespace="",pod="unmounted-pvs",persistentvolume="pv-2",storageclass="std",currency="USD"}`:                                                           0.01,
	`kof_load_balancer_cost_total{cluster="prod",tenant="acme",namespace="shop",service_name="web",ingress_ip="1.2.3.4",currency="USD"}`:                                                         0.025,
	`kof_cluster_management_cost_total{cluster="prod",provisioner_name="EKS",currency="USD"}`:                                                                                                    0.10,
	`kof_container_cost_total{cluster="edge",node="edge-1",tenant="edgeco",namespace="shop",pod="pos-1",container="app",workload_kind="daemonset",workload="pos",resource="cpu",currency="EUR"}`: 0.50,
	`kof_node_idle_cost_total{cluster="edge",node="edge-1",tenant="edgeco",resource="cpu",currency="EUR"}`:                                                                                       0.50,
}

// gauges stay as they are.
var gauges = map[string]float64{
	`kof_container_requested{cluster="prod",node="node-1",namespace="shop",pod="web-1",container="app",resource="cpu"}`: 2,
	`kof_container_requested{cluster="prod",node="node-2",namespace="shop",pod="web-2",container="app",resource="cpu"}`: 2,
	`kof_container_used{cluster="prod",node="node-1",namespace="shop",pod="web-1",container="app",resource="cpu"}`:      0.5,
	`kof_container_used{cluster="prod",node="node-2",namespace="shop",pod="web-2",container="app",resource="cpu"}`:      1,
	`kof_container_requested{cluster="prod",node="node-1",namespace="shop",pod="web-1",container="app",resource="ram"}`: 4 << 30,
	`kof_container_used{cluster="prod",node="node-1",namespace="shop",pod="web-1",container="app",resource="ram"}`:      1 << 30,
	`kof_container_used{cluster="prod",node="node-2",namespace="shop",pod="db-0",container="db",resource="ram"}`:        1 << 30,
	`node_total_hourly_cost{cluster="prod",node="node-1",region="eu-west-1"}`:                                           1,
	`node_total_hourly_cost{cluster="prod",node="node-2",region="eu-central-1"}`:                                        3,
	`kubecost_cluster_info{cluster="prod",id="prod",region="eu-west-1"}`:                                                1,
	`node_cpu_hourly_cost{cluster="prod",node="node-1"}`:                                                                0.10,
	`node_cpu_hourly_cost{cluster="prod",node="node-2"}`:                                                                0.20,
	`node_ram_hourly_cost{cluster="prod",node="node-1"}`:                                                                0.01,
	`node_ram_hourly_cost{cluster="prod",node="node-2"}`:                                                                0.01,
	`kof_node_price_info{cluster="prod",node="node-1",currency="USD",source="csv"}`:                                     1,
	`kof_node_price_info{cluster="prod",node="node-2",currency="USD",source="csv"}`:                                     1,
	`kube_namespace_labels{cluster="prod",namespace="shop",label_cost_center="retail"}`:                                 1,
	`kube_namespace_labels{cluster="edge",namespace="shop",label_cost_center="stores"}`:                                 1,
	`kube_pod_labels{cluster="prod",namespace="ml",pod="train-1",label_team="science"}`:                                 1,
	`kube_namespace_labels{cluster="prod",namespace="shop",label_team="retail"}`:                                        1,
}

func newWorld(t *testing.T, end time.Time, step time.Duration, vmArgs ...string) *world {
	t.Helper()
	return newWorldOf(t, end, step, counters, gauges, vmArgs...)
}

func newWorldOf(t *testing.T, end time.Time, step time.Duration, counters, gauges map[string]float64, vmArgs ...string) *world {
	t.Helper()
	vm := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{ExtraArgs: vmArgs})
	var text strings.Builder
	const length = 72 * time.Hour
	for at := end.Add(-length); !at.After(end); at = at.Add(step) {
		hours := length.Hours() - end.Sub(at).Hours()
		for series, rate := range counters {
			fmt.Fprintf(&text, "%s %v %d\n", series, rate*hours, at.UnixMilli())
		}
		for series, v := range gauges {
			fmt.Fprintf(&text, "%s %v %d\n", series, v, at.UnixMilli())
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Post(vm.URL+"/api/v1/import/prometheus", "text/plain", strings.NewReader(text.String()))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
	require.NoError(t, vm.Flush(t.Context()))
	asked := &counting{Config: promql.Config{URLs: []string{vm.URL}}}
	return &world{Store{Querier: asked}, asked, end}
}

// requireProm checks that what was asked is PromQL of Prometheus, which Promxy's engine is, and not VictoriaMetrics' own.
func (w *world) requireProm(t *testing.T) {
	t.Helper()
	require.NotEmpty(t, w.asked.asked)
	for _, q := range w.asked.asked {
		_, err := parser.ParseExpr(q)
		require.NoError(t, err, q)
	}
}

func (w *world) options(t *testing.T, by, length string) Options {
	t.Helper()
	v, err := ParseView(by)
	require.NoError(t, err)
	window, err := ParseWindow(length, w.end)
	require.NoError(t, err)
	return Options{View: v, Window: window}
}

// totals are the rows' totals an hour, by keys and currency.
func totals(t *testing.T, r *Report) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for _, row := range r.Rows {
		key := strings.Join(row.Keys, "/") + " " + row.Currency
		require.NotContains(t, all, key)
		all[key] = row.Total() / r.Window.Length().Hours()
	}
	return all
}

func requireTotals(t *testing.T, want map[string]float64, r *Report, err error) {
	t.Helper()
	require.NoError(t, err)
	got := totals(t, r)
	require.InDeltaMapValues(t, want, got, 1e-6, "%v", got)
}

// whole is the cost of an hour of everything, by currency.
func whole() map[string]float64 {
	all := map[string]float64{}
	for series, v := range counters {
		all[series[strings.Index(series, `currency="`)+10:][:3]] += v
	}
	return all
}
