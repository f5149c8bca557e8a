// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/test/backends"
)

// storedLabels are the labels that the region exporter makes of attributes of the resource.
var storedLabels = map[string]string{
	"k8s.cluster.name": "cluster", "k8s.node.name": "node", "k8s.namespace.name": "namespace", "k8s.pod.name": "pod",
}

// exposition writes metrics as lines that VictoriaMetrics imports.
func exposition(b *strings.Builder, md pmetric.Metrics) {
	for name, points := range seriesOf(md) {
		for _, p := range points {
			labels := map[string]string{}
			for k, v := range p.resource {
				if l, ok := storedLabels[k]; ok {
					labels[l] = fmt.Sprint(v)
				}
			}
			for k, v := range p.labels {
				labels[k] = fmt.Sprint(v)
			}
			b.WriteString(name + "{")
			for _, k := range slices.Sorted(maps.Keys(labels)) {
				fmt.Fprintf(b, "%s=%q,", k, labels[k])
			}
			fmt.Fprintf(b, "} %v %d\n", p.value, p.at.UnixMilli())
		}
	}
}

// store sends what the builder holds to VictoriaMetrics and empties it.
func store(t testing.TB, vm *backends.Server, b *strings.Builder) {
	t.Helper()
	if b.Len() == 0 {
		return
	}
	resp, err := plainClient.Post(vm.URL+"/api/v1/import/prometheus", "text/plain", strings.NewReader(b.String()))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
	b.Reset()
}

var plainClient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}

// ask evaluates a query at a time and returns the values by the labels of by, joined.
func ask(t testing.TB, vm *backends.Server, query string, at time.Time, by ...string) map[string]float64 {
	t.Helper()
	resp, err := plainClient.PostForm(vm.URL+"/api/v1/query", url.Values{
		"query": {query}, "time": {strconv.FormatInt(at.Unix(), 10)}, "nocache": {"1"},
	})
	require.NoError(t, err)
	defer resp.Body.Close()
	var answer struct {
		Error string
		Data  struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	require.Empty(t, answer.Error, query)
	out := map[string]float64{}
	for _, r := range answer.Data.Result {
		var key []string
		for _, l := range by {
			key = append(key, r.Metric[l])
		}
		require.NotContains(t, out, strings.Join(key, "/"), "the query has more series than labels tell apart: %s", query)
		v, err := strconv.ParseFloat(r.Value[1].(string), 64)
		require.NoError(t, err)
		out[strings.Join(key, "/")] = v
	}
	return out
}

var promqlBlock = regexp.MustCompile("(?s)```promql\n(.*?)\n```")

// readmeQueries are the queries of the README in their order.
func readmeQueries(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var out []string
	for _, m := range promqlBlock.FindAllStringSubmatch(string(raw), -1) {
		out = append(out, m[1])
	}
	return out
}

// dayVolumes is what cluster mode sees on the simulated day: a volume of db-0, one that no pod mounts, a load balancer.
func dayVolumes() []metav1.Object {
	return []metav1.Object{
		volume("pv-db", "100Gi", "std", ref("data", "db")), pvc("data", "db", "100Gi", "pv-db", corev1.ReadWriteOnce),
		podPtr(pod("data", "db-0", dayStart, "1", "4Gi", claiming("db"))),
		volume("pv-old", "50Gi", "std", ref("shop", "old")), pvc("shop", "old", "50Gi", "pv-old", corev1.ReadWriteOnce),
		&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeLoadBalancer},
			Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: "1.2.3.4"}}}},
		},
	}
}

// TestQueriesOfTheReadme runs every query of the README over a simulated day in a real VictoriaMetrics and compares the
// answers with the day's truth, which is integrated second by second from the prices.
func TestQueriesOfTheReadme(t *testing.T) {
	vm := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{})
	end := time.Now().Truncate(time.Minute)
	d := newDay(end.Add(-day))
	var text strings.Builder
	d.run(t, func(sink *consumertest.MetricsSink) {
		for _, md := range sink.AllMetrics() {
			exposition(&text, md)
		}
		store(t, vm, &text)
	})
	c := startCluster(t, nil, dayVolumes()...)
	c.at = d.start
	for ; !c.at.After(end); c.step(time.Minute) {
		c.emit(c.now(), func(md pmetric.Metrics) { exposition(&text, md) })
	}
	store(t, vm, &text)
	require.NoError(t, vm.Flush(context.Background()))

	pods, nodes := d.truth()
	namespaces, workloads, byPod, shared := map[string]float64{}, map[string]float64{}, map[string]float64{}, map[string]float64{}
	allocated, offered := byResource{}, byResource{}
	for _, n := range nodes {
		offered["cpu"], offered["ram"] = offered["cpu"]+n["cpu"], offered["ram"]+n["ram"]
	}
	d.pods = slices.DeleteFunc(d.pods, d.unseen)
	for _, p := range d.pods {
		v := pods[p.name]
		namespaces[p.namespace] += v.total()
		kind, name := strings.ToLower(p.kind), p.owner
		switch p.kind {
		case "ReplicaSet":
			kind, name = "deployment", strings.TrimSuffix(p.owner, "-"+p.hash)
		case "Job":
			kind, name = "cronjob", "report"
		}
		workloads[p.namespace+"/"+kind+"/"+name] += v.total()
		byPod[p.namespace+"/"+p.name] = v.total()
		allocated["cpu"], allocated["ram"] = allocated["cpu"]+v["cpu"], allocated["ram"]+v["ram"]
	}
	for _, p := range d.pods {
		v := pods[p.name]
		shared[p.namespace] += v["cpu"]*offered["cpu"]/allocated["cpu"] + v["ram"]*offered["ram"]/allocated["ram"]
	}
	withVolumes := maps.Clone(namespaces)
	withVolumes["data"] += 100 * storagePrice * 24
	withVolumes["shop"] += 50*storagePrice*24 + 0.025*24
	total, idle := offered.total(), offered.total()-allocated.total()
	cluster := func(v float64) map[string]float64 { return map[string]float64{"c1": v} }

	queries := readmeQueries(t)
	wants := []struct {
		by        []string
		want      map[string]float64
		tolerance float64
	}{
		{[]string{"cluster"}, cluster(total), 1e-3},
		{[]string{"namespace"}, withVolumes, 2e-3},
		{[]string{"namespace", "workload_kind", "workload"}, workloads, 2e-3},
		{[]string{"namespace", "pod"}, byPod, 2e-3},
		{[]string{"cluster"}, cluster(idle), 1e-3},
		{[]string{"cluster"}, cluster(idle / total), 1e-3},
		{[]string{"namespace"}, shared, 2e-3},
		{[]string{"namespace"}, d.cpuEfficiency(), 1e-2},
		{[]string{"namespace", "persistentvolumeclaim"}, map[string]float64{"shop/old": 50 * storagePrice * 24}, 1e-3},
		{[]string{"cluster"}, cluster(total / 24 * 730), 2e-3},
	}
	require.Len(t, queries, len(wants), "every query has its answer here")
	for i, w := range wants {
		got := ask(t, vm, queries[i], end, w.by...)
		delete(got, "") // containers of no namespace: there are none, but an empty group would hide below
		for key, want := range w.want {
			// A Job of 20 seconds costs a hundred-thousandth of a cent and is measured in whole seconds.
			require.InDelta(t, want, got[key], max(want*w.tolerance, 2e-5), "%s of\n%s", key, queries[i])
		}
		require.Len(t, got, len(w.want), "%v\n%s", got, queries[i])
	}
	require.Empty(t, ask(t, vm, `{__name__=~".+",uid!=""}`, end), "no pod uid in any label")
}

// cpuEfficiency is used over requested of the minutes in which the agents ran.
func (d *simulatedDay) cpuEfficiency() map[string]float64 {
	used, requested := map[string]float64{}, map[string]float64{}
	for at := time.Minute; at <= day; at += time.Minute {
		for _, p := range d.pods {
			if at < p.from || at >= p.to || p.node == "node-1" && d.down(at) || at >= d.loss && p.node == "node-2" {
				continue
			}
			used[p.namespace] += p.used(at - time.Second)
			requested[p.namespace] += p.cores
		}
	}
	out := map[string]float64{}
	for ns := range used {
		out[ns] = used[ns] / requested[ns]
	}
	return out
}
