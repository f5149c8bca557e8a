// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/backends"
)

// fleet is what two days of some clusters' counters look like.
const (
	fleetClusters, fleetNodes, fleetNamespaces, fleetPods = 2, 10, 4, 2 // pods: of each namespace on each node
	fleetHours                                            = 26
	perMinute                                             = 0.001 // of each counter
)

// counted is how much each counter has grown in the last 24 hours.
type counted map[string]float64

// fleet writes the counters of clusters into a store, minute by minute, until the end. Pods come and go, and agents start anew.
func fleet(t *testing.T, store *backends.Server, end time.Time) counted {
	grown := counted{}
	var all []backends.Series
	add := func(name string, labels map[string]string, from, to int, anew int) {
		s := backends.Series{Labels: map[string]string{"__name__": name, "currency": "USD", regionLabel: region}}
		for k, v := range labels {
			s.Labels[k] = v
		}
		value := 0.0
		for m := from; m <= to; m++ {
			if m > from {
				value += perMinute
				if m > (fleetHours-24)*60 {
					grown[name] += perMinute
				}
			}
			if m == anew {
				value = perMinute
			}
			s.Timestamps = append(s.Timestamps, end.Add(time.Duration(m-fleetHours*60)*time.Minute).UnixMilli())
			s.Values = append(s.Values, value)
		}
		all = append(all, s)
	}
	const whole = fleetHours * 60
	for c := range fleetClusters {
		cluster := fmt.Sprintf("c%d", c)
		for n := range fleetNodes {
			node, anew := fmt.Sprintf("n%d", n), 0
			if n == 3 {
				anew = 700
			}
			for _, resource := range []string{"cpu", "ram"} {
				for _, name := range []string{"kof_node_cost_total", "kof_node_idle_cost_total"} {
					add(name, map[string]string{"cluster": cluster, "node": node, "resource": resource}, 0, whole, anew)
				}
				for i := range fleetNamespaces * fleetPods {
					from, to := 0, whole
					if n == 4 {
						from, to = 333+i*100, 777+i*80
					}
					add("kof_container_cost_total", map[string]string{"cluster": cluster, "node": node, "resource": resource, "container": "x",
						"namespace": fmt.Sprintf("ns%d", i/fleetPods), "pod": fmt.Sprintf("p%d-%d", n, i), "tenant": "acme"}, from, to, anew)
				}
			}
		}
		for i := range 30 {
			pod := fmt.Sprintf("p0-%d", i)
			if i%3 == 0 {
				pod = "unmounted-pvs"
			}
			add("kof_volume_cost_total", map[string]string{"cluster": cluster, "namespace": "ns0", "persistentvolume": fmt.Sprintf("v%d", i), "pod": pod}, 0, whole, 0)
		}
		add("kof_load_balancer_cost_total", map[string]string{"cluster": cluster, "namespace": "ns1", "service_name": "s"}, 0, whole, 0)
		add("kof_cluster_management_cost_total", map[string]string{"cluster": cluster, "provisioner_name": "EKS"}, 0, whole, 0)
	}
	importSeries(t, store, all, 0)
	return grown
}

func (c counted) of(names ...string) float64 {
	sum := 0.0
	for _, n := range names {
		sum += c["kof_"+n+"_cost_total"]
	}
	return sum
}

// TestHoursAreTheCosts: what dashboards show of a day, of hours that the real rules have recorded, is what the counters have grown by, and each
// number reads a few series of each cluster, where the counters would be those of each node, container and volume.
func TestHoursAreTheCosts(t *testing.T) {
	store := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{})
	end := lastHour(20 * time.Second)
	grown := fleet(t, store, end)
	replay(t, store, end.Add(-fleetHours*time.Hour), end)
	const (
		all        = `{__name__=~"kof_(node|volume|load_balancer|cluster_management)_cost_total"}`
		namespaces = `{__name__=~"kof_(container|volume|load_balancer)_cost_total"}`
	)
	for name, want := range map[string]struct {
		cost     float64
		counters string // that it would have to read
		series   int    // that it may read of each cluster
	}{
		"finops/clusters/Total":                         {grown.of("node", "volume", "load_balancer", "cluster_management"), all, 2 + 1 + 1 + 1},
		"finops/clusters/Nodes":                         {grown.of("node"), "kof_node_cost_total", 2},
		"finops/clusters/Volumes":                       {grown.of("volume"), "kof_volume_cost_total", 1},
		"finops/namespaces/Total charged":               {grown.of("container", "volume", "load_balancer"), namespaces, fleetNamespaces*2 + 1 + 1},
		"finops/namespaces/Containers":                  {grown.of("container"), "kof_container_cost_total", fleetNamespaces * 2},
		"finops/idle/Idle nodes":                        {grown.of("node_idle"), "kof_node_idle_cost_total", 2},
		"finops/idle/Volumes that no pod mounts":        {grown.of("volume") / 3, `kof_volume_cost_total{pod="unmounted-pvs"}`, 1},
		"finops/forecast/Spent this month":              {grown.of("node", "volume", "load_balancer", "cluster_management"), all, 2 + 1 + 1 + 1},
		"finops/forecast/Pace of the last day, a month": {grown.of("node", "volume", "load_balancer", "cluster_management") / 24 * 730, all, 2 + 1 + 1 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			of := 24 * time.Hour
			if strings.HasPrefix(name, "finops/forecast/") { // of a time that begins on the hour
				of = time.Since(end.Add(-of))
			}
			shown, read := numberOf(t, store, exprOf(t, name, of))
			_, before := numberOf(t, store, "sum(increase("+want.counters+"[1d]))")
			t.Logf("%.6f of %d series, instead of %d counters", shown, read, before)
			require.InEpsilon(t, want.cost, shown, 1e-6)
			require.Equal(t, fleetClusters*want.series, read)
			require.Greater(t, before, 2*read)
		})
	}
}

// numberOf asks a store for one number, and tells how many series it has read for that.
func numberOf(t *testing.T, store *backends.Server, expr string) (value float64, read int) {
	t.Helper()
	now := strconv.FormatFloat(float64(time.Now().UnixMilli())/1000, 'f', 3, 64)
	body, err := post(t.Context(), store.URL+"/api/v1/query", url.Values{"query": {expr}, "time": {now}, "nocache": {"1"}})
	require.NoError(t, err)
	var answer struct {
		Data  struct{ Result []series }
		Stats struct {
			SeriesFetched int `json:",string"`
		}
	}
	require.NoError(t, json.Unmarshal(body, &answer), "%s", body)
	require.Len(t, answer.Data.Result, 1, expr)
	value, err = strconv.ParseFloat(answer.Data.Result[0].number(), 64)
	require.NoError(t, err)
	return value, answer.Stats.SeriesFetched
}
