// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/kube"
)

// testClusterState requires what the cluster's collectors bring: the state of objects under kube-state-metrics' names, with the labels that
// dashboards and rules join on, and events; each in the region of the namespace that it is about.
func testClusterState(t *testing.T, w *world) {
	home, other := w.regions[homeRegion], w.regions[tenantRegion]
	a := map[string]*app{homeNamespace: w.start(t, homeNamespace, "state"), tenantNamespace: w.start(t, tenantNamespace, "state")}
	base := map[string]string{"cluster": clusterName, "job": "kube-state-metrics"}
	with := func(more map[string]string) map[string]string {
		out := maps.Clone(base)
		maps.Copy(out, more)
		return out
	}
	requireSeries(t, home, `kube_node_info`, with(map[string]string{"node": kube.NodeName, "namespace": "", "pod": "", "container": ""}))
	requireSeries(t, home, `kube_node_status_condition{condition="Ready",status="true"}`, with(map[string]string{"node": kube.NodeName}))
	requireSeries(t, home, `kube_namespace_status_phase{namespace="shop",phase="Active"}`, with(nil))
	for ns, r := range map[string]*region{homeNamespace: home, tenantNamespace: other} {
		pod, ok := a[ns].pod(t)
		require.True(t, ok)
		own := map[string]string{"namespace": ns, "tenant": labels(pod)["tenant"]}
		ofPod := with(own)
		ofPod["pod"] = pod.Name
		requireSeries(t, r, fmt.Sprintf(`kube_pod_info{pod=%q}`, pod.Name), ofPod)
		requireSeries(t, r, fmt.Sprintf(`kube_pod_status_phase{pod=%q,phase="Running"}`, pod.Name), ofPod)
		ofPod["container"] = container
		requireSeries(t, r, fmt.Sprintf(`kube_pod_container_info{pod=%q}`, pod.Name), ofPod)
		requireSeries(t, r, `kube_deployment_spec_replicas{deployment="state"}`, with(own))

		query := fmt.Sprintf(`"Started" "k8s.pod.name":=%s "k8s.event.reason":=Started "k8s.namespace.name":=%s "k8s.cluster.name":=%s "kof.tenant":=%q`,
			pod.Name, ns, clusterName, own["tenant"])
		require.True(t, eventually(t, arriveTimeout/4, func() bool {
			n, err := r.Logs.LogsCount(t.Context(), query)
			require.NoError(t, err)
			return n > 0
		}), "%s in %s", query, r.Name)
		a[ns].delete(t)
	}
}

// requireSeries waits for a series, and requires its labels, and that it is there once: each object is that of one shard.
func requireSeries(t *testing.T, r *region, selector string, want map[string]string) {
	t.Helper()
	var got []backends.Sample
	require.True(t, eventually(t, arriveTimeout/4, func() bool {
		var err error
		got, err = r.Metrics.Query(t.Context(), selector)
		require.NoError(t, err)
		return len(got) == 1
	}), "%s in %s: %v", selector, r.Name, got)
	requireLabels(t, want, got[0].Labels, selector)
	require.Regexp(t, "^"+release+"-kube-state-metrics-[01]$", got[0].Labels["instance"])
}

// tellEvents has the API server tell numbered events of a run, about the namespace's Deployment "updated".
func (w *world) tellEvents(t *testing.T, run string, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		now := metav1.Now()
		_, err := w.cluster.Client.CoreV1().Events(homeNamespace).Create(t.Context(), &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{GenerateName: "numbered-"},
			InvolvedObject: corev1.ObjectReference{Kind: "Deployment", APIVersion: "apps/v1", Namespace: homeNamespace, Name: "updated"},
			Reason:         "Numbered", Message: fmt.Sprintf("events=%s n=%d", run, n), Type: "Normal", FirstTimestamp: now, LastTimestamp: now, Count: 1,
		}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
}

// events reads a run's events.
func (r *region) events(t *testing.T, run string) stored {
	t.Helper()
	require.NoError(t, r.Logs.Flush(t.Context()))
	rows, err := r.Logs.LogsQuery(t.Context(), fmt.Sprintf(`"events=%s" | fields _msg`, run), 0)
	require.NoError(t, err)
	out := stored{}
	for _, row := range rows {
		var n int64
		_, err := fmt.Sscanf(row["_msg"], "Deployment "+homeNamespace+"/updated: Numbered: events="+run+" n=%d", &n)
		require.NoError(t, err, row["_msg"])
		out[n]++
	}
	return out
}

// requireEvents waits until all numbered events are there.
func (w *world) requireEvents(t *testing.T, r *region, run string, n int64) {
	t.Helper()
	var got stored
	if !eventually(t, arriveTimeout, func() bool {
		got = r.events(t, run)
		return len(got.missing(n)) == 0
	}) {
		t.Log(w.state())
		require.Empty(t, got.missing(n), "events that never came to %s", r.Name)
	}
	t.Logf("run %s: all %d events in %s, %d more than once", run, n, r.Name, got.duplicates())
}

// requireState requires samples of kube_* from all of a time: at least one in each of its three scrape intervals.
func requireState(t *testing.T, r *region, from, to time.Time) {
	t.Helper()
	const selector = `kube_deployment_spec_replicas{namespace="shop",deployment="updated"}`
	step := 3 * scrapeInterval
	missing := func() (out []time.Time) {
		times := map[int64]bool{}
		for _, s := range r.series(t, selector) {
			for _, at := range s.Timestamps {
				times[int64(time.UnixMilli(at).Sub(from)/step)] = true
			}
		}
		for at := from; at.Add(step).Before(to); at = at.Add(step) {
			if !times[int64(at.Sub(from)/step)] {
				out = append(out, at)
			}
		}
		return out
	}
	require.True(t, eventually(t, arriveTimeout, func() bool { return len(missing()) == 0 }), "%s: no samples from %v", selector, missing())
	t.Logf("%s: samples from all of the %s of the outage before the update", selector, to.Sub(from).Round(time.Second))
}
