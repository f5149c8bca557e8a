// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
)

const (
	cpuPrice = 0.031611
	ramPrice = 0.004237
)

func TestNodeModeEmitsOpenCostsMetrics(t *testing.T) {
	b := startBench(t, nil)
	start := dayStart.Add(-time.Hour)
	b.kubelet.show(t, []corev1Pod{pod("shop", "web-abc-1", start, "500m", "1Gi", ownedBy("ReplicaSet", "web-abc", "abc"))},
		use{"shop", "web-abc-1", "main", 100, 2 << 30, dayStart})
	b.collect(t)
	at := b.step(time.Minute)
	b.kubelet.show(t, []corev1Pod{pod("shop", "web-abc-1", start, "500m", "1Gi", ownedBy("ReplicaSet", "web-abc", "abc"))},
		use{"shop", "web-abc-1", "main", 115, 2 << 30, at})
	s := b.collect(t)

	nodeLabels := map[string]any{
		"instance": "node-1", "node": "node-1", "instance_type": "m5.xlarge", "region": "eu-1", "provider_id": "aws:///eu-1a/i-1", "arch": "amd64",
	}
	for name, want := range map[string]float64{
		"node_cpu_hourly_cost": cpuPrice, "node_ram_hourly_cost": ramPrice, "node_gpu_hourly_cost": 0, "node_gpu_count": 0,
		"node_total_hourly_cost": 4*cpuPrice + 16*ramPrice, "kubecost_node_is_spot": 0,
	} {
		require.Len(t, s[name], 1, name)
		require.Equal(t, nodeLabels, s[name][0].labels, name)
		require.InDelta(t, want, s[name][0].value, 1e-12, name)
	}
	podLabels := map[string]any{"namespace": "shop", "pod": "web-abc-1", "container": "main", "instance": "node-1", "node": "node-1"}
	require.Equal(t, podLabels, s["container_cpu_allocation"][0].labels)
	require.Equal(t, podLabels, s["container_memory_allocation_bytes"][0].labels)
	require.InDelta(t, 0.5, s.get(t, "container_cpu_allocation"), 1e-9, "the request, since 0.25 cores were used")
	require.InDelta(t, 2<<30, s.get(t, "container_memory_allocation_bytes"), 1, "the working set")
	require.Empty(t, s["container_gpu_allocation"])
	require.InDelta(t, 0.25, s.get(t, "kof_container_used", "resource", "cpu"), 1e-9)
	require.InDelta(t, 0.5, s.get(t, "kof_container_requested", "resource", "cpu"), 1e-9)
	require.InDelta(t, 1<<30, s.get(t, "kof_container_requested", "resource", "ram"), 1)
	require.InDelta(t, 0.5*cpuPrice/60, s.get(t, "kof_container_cost_total", "resource", "cpu"), 1e-12)
	require.InDelta(t, 2*ramPrice/60, s.get(t, "kof_container_cost_total", "resource", "ram"), 1e-12)
	require.InDelta(t, 3.5*cpuPrice/60, s.get(t, "kof_node_idle_cost_total", "resource", "cpu"), 1e-12)
	require.InDelta(t, s.sum("kof_node_cost_total"), s.sum("kof_container_cost_total")+s.sum("kof_node_idle_cost_total"), 1e-12)
	require.Equal(t, 1.0, s.get(t, "kof_cost_collection_success"))
	require.Equal(t, "default", s["kof_node_price_info"][0].labels["source"])
	require.InDelta(t, at.Sub(defaultsAt).Seconds(), s.get(t, "kof_node_price_age_seconds"), 1)
	counter := s["kof_container_cost_total"][0]
	require.Equal(t, map[string]any{
		"k8s.node.name": "node-1", "k8s.cluster.name": "c1", "cloud.region": "eu-1", "k8s.namespace.name": "shop",
		"k8s.pod.name": "web-abc-1", "k8s.pod.uid": "uid-shop-web-abc-1", "k8s.deployment.name": "web",
	}, counter.resource)
	require.Equal(t, "web", counter.labels["workload"])
	require.Equal(t, "USD", counter.labels["currency"])
}

func TestNewCounterStartsWithZero(t *testing.T) {
	b := startBench(t, nil)
	b.kubelet.show(t, nil)
	b.collect(t)
	at := b.step(time.Minute)
	b.kubelet.show(t, []corev1Pod{pod("a", "p", at.Add(-20*time.Second), "1", "1Gi")})
	p := b.collect(t).find("kof_container_cost_total", "resource", "cpu")
	require.Len(t, p, 2)
	require.Zero(t, p[0].value)
	require.Equal(t, at.Add(-20*time.Second), p[0].at)
	require.InDelta(t, cpuPrice*20/3600, p[1].value, 1e-12)
	b.step(time.Minute)
	require.Len(t, b.collect(t).find("kof_container_cost_total", "resource", "cpu"), 1)
}

func TestKubeletThatFailsGivesAGapNotZeros(t *testing.T) {
	b := startBench(t, func(c *Config) { c.Kubelet.Timeout = 200 * time.Millisecond })
	pods := []corev1Pod{pod("a", "p", dayStart.Add(-time.Hour), "1", "1Gi")}
	b.kubelet.show(t, pods)
	b.collect(t)
	for name, fail := range map[string]func(){
		"error":          func() { b.kubelet.status = 500 },
		"unauthorized":   func() { b.kubelet.token = "another" },
		"not JSON":       func() { b.kubelet.pods = []byte(`{"items":[{]`) },
		"no usage":       func() { b.kubelet.noUsage = true },
		"usage cut off":  func() { b.kubelet.usage = []byte("container_cpu_usage_seconds_total{container=\"") },
		"does not reply": func() { b.kubelet.delay = time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			b.kubelet.set(fail)
			b.step(time.Minute)
			s := b.collect(t)
			require.Equal(t, 0.0, s.get(t, "kof_cost_collection_success"))
			for name := range s {
				require.NotContains(t, name, "container", "no series of containers")
				require.NotContains(t, name, "cost_total")
			}
			require.NotZero(t, s.get(t, "node_total_hourly_cost"), "prices don't depend on the kubelet")
			b.kubelet.set(func() { b.kubelet.status, b.kubelet.token, b.kubelet.noUsage, b.kubelet.delay = 0, "token-1", false, 0 })
			b.kubelet.show(t, pods)
		})
	}
	b.step(time.Minute)
	s := b.collect(t)
	require.InDelta(t, 7*cpuPrice/60, s.get(t, "kof_container_cost_total", "resource", "cpu"), 1e-12, "the gap is made up for")
}

func TestNoNodeYet(t *testing.T) {
	b := startBench(t, nil)
	b.node = nil
	s := b.collect(t)
	require.Equal(t, 0.0, s.get(t, "kof_cost_collection_success"))
	require.Len(t, s, 1)
}

func TestActivityOfContainers(t *testing.T) {
	b := startBench(t, nil)
	n := testNode()
	n.Cores = 8 // enough for all, so that nothing is scaled
	b.setNode(n)
	b.kubelet.show(t, nil)
	b.collect(t)
	at := b.step(time.Minute)
	ago := func(s int) time.Time { return at.Add(-time.Duration(s) * time.Second) }
	always := containerRestartAlways
	pods := []corev1Pod{
		pod("a", "job-done", ago(50), "1", "", phase("Succeeded"), statuses(ended("main", ago(50), ago(20)))),
		pod("a", "job-old", ago(500), "1", "", phase("Succeeded"), statuses(ended("main", ago(500), ago(200)))),
		pod("a", "init-runs", ago(0), "1", "", phase("Pending"), statuses(), initContainer("init", "2", nil, runs("init", ago(30)))),
		pod("a", "init-done", ago(10), "1", "", initContainer("init", "2", nil, ended("init", ago(40), ago(10)))),
		pod("a", "sidecar", ago(10), "1", "", initContainer("side", "3", &always, runs("side", ago(15)))),
		pod("a", "crashing", ago(45), "1", "", statuses(waits("main", ago(45), ago(40)))),
		pod("a", "pulling", ago(0), "1", "", phase("Pending"), statuses()),
	}
	b.kubelet.show(t, pods)
	s := b.collect(t)
	for _, c := range []struct {
		pod, container string
		coreSeconds    float64
	}{
		{"job-done", "main", 30},
		{"init-runs", "init", 2 * 30},
		{"init-done", "init", 2 * 30},
		{"init-done", "main", 10},
		{"sidecar", "side", 3 * 15},
		{"sidecar", "main", 10},
		{"crashing", "main", 45},
	} {
		require.InDelta(t, c.coreSeconds*cpuPrice/3600, s.get(t, "kof_container_cost_total", "pod", c.pod, "container", c.container, "resource", "cpu"), 1e-9, "%s/%s", c.pod, c.container)
	}
	for _, p := range []string{"job-old", "pulling"} {
		require.Empty(t, s.find("kof_container_cost_total", "pod", p), p)
	}
	require.Empty(t, s.find("container_cpu_allocation", "pod", "job-done"), "what has ended allocates nothing")
	b.step(time.Minute)
	s = b.collect(t)
	require.Empty(t, s.find("kof_container_cost_total", "pod", "job-done"), "its last value was sent")
}

func TestGPUAndExtendedResources(t *testing.T) {
	for _, compat := range []string{compatCorrected, compatOpenCost} {
		t.Run(compat, func(t *testing.T) {
			b := startBench(t, func(c *Config) { c.Compat = compat })
			n := testNode()
			n.Labels["nvidia.com/gpu.replicas"], n.Labels["nvidia.com/gpu.count"] = "4", "2"
			n.Extended = map[string]float64{"nvidia.com/gpu": 8, "nvidia.com/mig-1g.5gb": 7}
			b.setNode(n)
			p := pod("ml", "train", dayStart, "1", "1Gi")
			p.Spec.Containers[0].Resources.Limits = quantityList("nvidia.com/gpu", "2", "nvidia.com/mig-1g.5gb", "1")
			p.Spec.Containers[0].Resources.Requests["nvidia.com/mig-1g.5gb"] = *quantity("1")
			b.kubelet.show(t, []corev1Pod{p})
			b.collect(t)
			b.step(time.Hour)
			s := b.collect(t)
			require.Equal(t, 2.0, s.get(t, "node_gpu_count"))
			if compat == compatOpenCost {
				require.Equal(t, 2.0, s.get(t, "container_gpu_allocation"), "the scaling of time slices is dead code in OpenCost")
				require.Empty(t, s.find("kof_container_cost_total", "resource", "nvidia.com/mig-1g.5gb"))
				return
			}
			require.Equal(t, 0.5, s.get(t, "container_gpu_allocation"))
			require.InDelta(t, 0.5*0.95, s.get(t, "kof_container_cost_total", "resource", "gpu"), 1e-9)
			require.InDelta(t, 0.95/7, s.get(t, "kof_container_cost_total", "resource", "nvidia.com/mig-1g.5gb"), 1e-9)
			require.InDelta(t, 1.5*0.95, s.get(t, "kof_node_idle_cost_total", "resource", "gpu"), 1e-9)
		})
	}
}

func TestQuirkFreeNodeIsNeverEmitted(t *testing.T) {
	free := func(c *Config) {
		c.Prices.Unit = map[string]float64{"cpu": 0, "ram": 0}
	}
	s := collectOnce(t, free)
	require.Equal(t, 0.0, s.get(t, "node_total_hourly_cost"))
	s = collectOnce(t, func(c *Config) { free(c); c.Compat = compatOpenCost })
	require.Empty(t, s["node_total_hourly_cost"])
	require.Empty(t, s["node_cpu_hourly_cost"])
}

func collectOnce(t *testing.T, change func(*Config)) series {
	t.Helper()
	b := startBench(t, change)
	b.kubelet.show(t, nil)
	return b.collect(t)
}

func TestQuirkSameNamedPods(t *testing.T) {
	for compat, want := range map[string]string{compatCorrected: "uid-a-same", compatOpenCost: "uid-b-same"} {
		b := startBench(t, func(c *Config) { c.PodUIDLabel, c.Compat = true, compat })
		b.kubelet.show(t, []corev1Pod{pod("a", "same", dayStart, "1", ""), pod("b", "same", dayStart, "1", "")})
		s := b.collect(t)
		require.Equal(t, want, s.find("container_cpu_allocation", "namespace", "a")[0].labels["uid"], compat)
		require.Equal(t, "uid-b-same", s.find("container_cpu_allocation", "namespace", "b")[0].labels["uid"])
		require.Equal(t, "node-uid", s["node_cpu_hourly_cost"][0].labels["uid"])
	}
}

func TestCurrency(t *testing.T) {
	b := startBench(t, func(c *Config) { c.Prices.Currency = CurrencyConfig{"EUR", 0.5} })
	b.kubelet.show(t, []corev1Pod{pod("a", "p", dayStart, "1", "")})
	b.collect(t)
	b.step(time.Hour)
	s := b.collect(t)
	require.InDelta(t, cpuPrice/2, s.get(t, "kof_container_cost_total", "resource", "cpu", "currency", "EUR"), 1e-9)
	require.InDelta(t, cpuPrice/2, s.get(t, "node_cpu_hourly_cost"), 1e-9)
}

func TestUnknownStorageIsRefused(t *testing.T) {
	id := component.MustNewID("file_storage")
	_, err := storageClient(context.Background(), noHost{}, &id, metadataID)
	require.ErrorContains(t, err, `"file_storage"`)
}
