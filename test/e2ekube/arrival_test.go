// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/k0rdent/kof/test/kube"
)

// testArrival has one workload in a namespace of no tenant and one in a tenant's: each has all signals in its region, with
// what Kubernetes knows of the pod.
func testArrival(t *testing.T, w *world) {
	const lines, spans, points = 500, 100, 50
	for ns, name := range map[string]string{homeNamespace: homeRegion, tenantNamespace: tenantRegion} {
		t.Run(ns, func(t *testing.T) {
			t.Parallel()
			a := w.startPod(t, ns, "arrival", withProxy, "-lines=500", "-rate=100", "-spans=100", "-points=50")
			s := a.done(t, lines, spans, points)
			pod, ok := a.pod(t)
			require.True(t, ok)
			w.requireArrived(t, name, s)
			requireEnriched(t, w.regions[name], s, pod)
			requireAnnotated(t, w.regions[name], s, pod)
		})
	}
}

// attributes are those of a pod's records: the design's section on names that are contracts.
func attributes(pod *corev1.Pod) map[string]string {
	out := map[string]string{
		"k8s.cluster.name": clusterName, "k8s.namespace.name": pod.Namespace, "k8s.pod.name": pod.Name, "k8s.pod.uid": string(pod.UID),
		"k8s.deployment.name": pod.Labels["app"], "k8s.node.name": kube.NodeName, "cloud.region": homeRegion,
	}
	if pod.Namespace == tenantNamespace {
		out["kof.tenant"] = tenant
	}
	return out
}

// labels are the same on metrics.
func labels(pod *corev1.Pod) map[string]string {
	out := map[string]string{"cluster": clusterName, "namespace": pod.Namespace, "pod": pod.Name, "node": kube.NodeName}
	if pod.Namespace == tenantNamespace {
		out["tenant"] = tenant
	}
	return out
}

func requireEnriched(t *testing.T, r *region, s state, pod *corev1.Pod) {
	t.Helper()
	want := attributes(pod)
	for _, span := range r.allSpans(t, s.Run) {
		requireLabels(t, want, span.ProcessTags, "span "+span.Name)
	}
	want["k8s.container.name"] = container
	var fields []string
	for name := range maps.Keys(want) {
		fields = append(fields, fmt.Sprintf("%q", name))
	}
	rows, err := r.Logs.LogsQuery(t.Context(), fmt.Sprintf(`"run=%s" | stats by (%s) count() as n`, s.Run, strings.Join(fields, ", ")), 0)
	require.NoError(t, err)
	require.Len(t, rows, 1, "all lines have the same")
	requireLabels(t, want, rows[0], "lines")
	for _, series := range r.series(t, fmt.Sprintf(`{__name__=~"workload_otlp_number.*",run=%q}`, s.Run)) {
		requireLabels(t, labels(pod), series.Labels, "points by OTLP")
	}
}

// requireAnnotated waits for the counter of the annotated pod to be there with the number of lines.
func requireAnnotated(t *testing.T, r *region, s state, pod *corev1.Pod) {
	t.Helper()
	selector := fmt.Sprintf(`workload_lines_total{run=%q}`, s.Run)
	require.True(t, eventually(t, arriveTimeout, func() bool {
		for _, series := range r.series(t, selector) {
			if series.Values[len(series.Values)-1] == float64(s.Lines) {
				return true
			}
		}
		return false
	}), selector)
	want := labels(pod)
	want["container"], want["job"], want["instance"] = container, pod.Labels["app"], pod.Status.PodIP+":8080"
	series := r.series(t, selector)
	require.Len(t, series, 1, "%v", series)
	requireLabels(t, want, series[0].Labels, selector)
}

// testNodeMetrics requires the names that dashboards and rules ask for.
func testNodeMetrics(t *testing.T, w *world) {
	home, other := w.regions[homeRegion], w.regions[tenantRegion]
	base := map[string]string{"cluster": clusterName, "node": kube.NodeName}
	with := func(more map[string]string) map[string]string {
		out := maps.Clone(base)
		maps.Copy(out, more)
		return out
	}
	node := with(map[string]string{"job": "node-exporter", "instance": kube.NodeName})
	kubelet := func(path string) map[string]string {
		return with(map[string]string{"job": "kubelet", "metrics_path": path})
	}
	for _, c := range []struct {
		region   *region
		selector string
		want     map[string]string
	}{
		{home, `node_cpu_seconds_total{mode="idle",cpu="0"}`, node},
		{home, `node_memory_MemAvailable_bytes`, node},
		{home, `node_filesystem_avail_bytes{mountpoint="/"}`, node},
		{home, `node_network_receive_bytes_total`, node},
		{home, `node_load1`, node},
		{home, `node_uname_info`, node},
		{home, `kubelet_running_pods`, kubelet("/metrics")},
		{home, `kubelet_node_name`, kubelet("/metrics")},
		{home, `machine_memory_bytes`, kubelet("/metrics/cadvisor")},
		{home, `node_memory_working_set_bytes`, kubelet("/metrics/resource")},
		{home, `container_cpu_usage_seconds_total{namespace="agents",container="kof-otelcol"}`, kubelet("/metrics/cadvisor")},
		{home, `container_memory_working_set_bytes{namespace="shop",container="app"}`, kubelet("/metrics/cadvisor")},
		{home, `container_network_receive_bytes_total{namespace="shop"}`, kubelet("/metrics/cadvisor")},
		{home, `prober_probe_total{namespace="agents"}`, kubelet("/metrics/probes")},
		// A tenant's pods are the tenant's, also in what the kubelet says of them.
		{other, `container_cpu_usage_seconds_total{namespace="acme-apps",container="app",tenant="acme"}`, kubelet("/metrics/cadvisor")},
		{other, `container_memory_working_set_bytes{namespace="acme-apps",container="app",tenant="acme"}`, kubelet("/metrics/cadvisor")},
	} {
		var labels map[string]string
		if !eventually(t, arriveTimeout/4, func() bool {
			series := c.region.series(t, c.selector)
			if len(series) > 0 {
				labels = series[0].Labels
			}
			return len(series) > 0
		}) {
			t.Errorf("%s isn't in %s", c.selector, c.region.Name)
			continue
		}
		t.Run(c.selector, func(t *testing.T) { requireLabels(t, c.want, labels, c.selector) })
	}
	// But for what the collectors, which are the platform's, count of themselves.
	require.Empty(t, home.series(t, `{namespace="acme-apps",job!~"kof-otelcol.*"}`), "of the tenant in another region than the tenant's")
	require.Empty(t, other.series(t, `{namespace!="acme-apps",__name__!="target_info"}`), "of others in the tenant's region")
}
