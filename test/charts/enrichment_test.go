// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/kubeapi"
)

// kubeletPages is what the kubelet of the test serves: a tenant's pod, another pod, and what is to be dropped.
var kubeletPages = map[string]string{
	"/metrics": `kubelet_running_pods 2
kubelet_volume_stats_used_bytes{namespace="shop",persistentvolumeclaim="data"} 7
`,
	"/metrics/cadvisor": `container_cpu_usage_seconds_total{container="app",cpu="total",id="/kubepods/a",image="i",name="n",namespace="shop",pod="web-0"} 1
container_cpu_usage_seconds_total{container="app",cpu="total",id="/kubepods/b",image="i",name="n",namespace="plain",pod="db-0"} 2
container_cpu_usage_seconds_total{container="",cpu="total",id="/kubepods/sum",image="",name="",namespace="shop",pod="web-0"} 3
container_cpu_usage_seconds_total{container="",cpu="total",id="/system.slice",image="",name="",namespace="",pod=""} 4
container_cpu_usage_seconds_total{container="",cpu="total",id="/",image="",name="",namespace="",pod=""} 5
container_cpu_user_seconds_total{container="app",id="/kubepods/a",namespace="shop",pod="web-0"} 6
container_network_receive_bytes_total{container="",id="/kubepods/sum",interface="eth0",namespace="shop",pod="web-0"} 7
`,
	"/metrics/resource": `container_memory_working_set_bytes{container="app",namespace="shop",pod="web-0"} 8
container_swap_usage_bytes{container="app",namespace="shop",pod="web-0"} 8
`,
	"/metrics/probes": `prober_probe_total{container="app",namespace="shop",pod="web-0",probe_type="Liveness",result="successful"} 9
`,
}

// podPages is what the pods of the test serve that are annotated, by name. The second one would be the victim's, if dots in the names of
// labels were taken.
var podPages = map[string]string{
	"web-0": "app_requests_total 5\n",
	"sly-0": "sly_total{tenant=\"victim\"} 7\n",
	"lie-0": "{\"target_info\",\"kof.tenant\"=\"victim\",\"k8s.namespace.name\"=\"plain\"} 1\nforged_total 6\n",
}

// TestTenantAndRegionOnEverySignal runs the agent with its real configuration on a real control plane and real backends of two
// regions: what is a tenant's by the label of its namespace goes to that tenant's region, whatever a pod says of itself.
func TestTenantAndRegionOnEverySignal(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane and backends")
	}
	home, acme := backends.StartRegionT(t, "home"), backends.StartRegionT(t, "acme")
	plane := kubeapi.StartT(t)
	otlp := startAgent(t, plane, makeCluster(t, plane), home, acme)

	// A pod that says that it is another one, of another tenant, elsewhere.
	forged := resourceJSON(map[string]string{
		"service.name": "liar", "kof.tenant": "victim", "kof.region": "home", "cloud.region": "home", "k8s.cluster.name": "other",
		"k8s.namespace.name": "plain", "k8s.pod.name": "db-0", "k8s.pod.uid": "forged", "k8s.pod.ip": "10.9.9.9", "k8s.node.name": "other",
	})
	sendAll(t, otlp, "127.0.0.1", http.StatusOK, forged, "lie")
	// And one of no tenant.
	sendAll(t, otlp, "127.0.0.4", http.StatusOK, resourceJSON(map[string]string{"service.name": "sly"}), "sly")
	// One who isn't any pod as far as the agent sees, whatever it says.
	sendAll(t, otlp, "127.0.0.9", http.StatusServiceUnavailable, forged, "unknown")

	const own = `cluster="cluster-1",node="node-1"`
	requireMetrics(t, map[*backends.Region]map[string]int{
		acme: {
			`lie{` + own + `,tenant="acme",namespace="shop",pod="web-0"}`: 1,
			`unknown`: 0,
			`container_cpu_usage_seconds_total{` + own + `,tenant="acme",namespace="shop",pod="web-0",container="app",image="i",job="kubelet",metrics_path="/metrics/cadvisor"}`: 1,
			`container_cpu_usage_seconds_total`: 1,
			`container_cpu_user_seconds_total`:  0,
			`container_network_receive_bytes_total{` + own + `,tenant="acme",pod="web-0",interface="eth0",container=""}`: 1,
			// What cadvisor's page has too is dropped of this one.
			`container_memory_working_set_bytes{metrics_path="/metrics/resource"}`:                                 0,
			`container_swap_usage_bytes{tenant="acme",container="app",metrics_path="/metrics/resource"}`:           1,
			`prober_probe_total{tenant="acme",container="app",metrics_path="/metrics/probes"}`:                     1,
			`kubelet_volume_stats_used_bytes{` + own + `,tenant="acme",namespace="shop"}`:                          1,
			`app_requests_total{` + own + `,tenant="acme",namespace="shop",pod="web-0",container="app",job="web"}`: 1,
			`app_requests_total`:   1,
			`kubelet_running_pods`: 0,
			// The agent's own metrics of what the namespace sends.
			`otelcol_kof_region_namespace_items_total{` + own + `,tenant="acme",namespace="shop",region="acme",signal="logs",job="kof-otelcol"}`: 1,
			`otelcol_kof_region_accepted_items_total`: 0,
			`{namespace="plain"}`:                     0,
			`{tenant="victim"}`:                       0,
		},
		home: {
			`lie`:     0,
			`unknown`: 0,
			`sly{namespace="plain",pod="sly-0",exported_tenant="victim"}`:                                           1,
			`sly_total{namespace="plain",pod="sly-0",exported_tenant="victim"}`:                                     1,
			`otelcol_kof_identity_refused_items_total{` + own + `}`:                                                 3,
			`container_cpu_usage_seconds_total{` + own + `,tenant="",namespace="plain",pod="db-0",container="app"}`: 1,
			`container_cpu_usage_seconds_total{id="/",namespace="",pod=""}`:                                         1,
			`container_cpu_usage_seconds_total`:                                                                     2,
			`node_uname_info{` + own + `,job="node-exporter",instance="node-1"}`:                                    1,
			`kubelet_running_pods{` + own + `,namespace="",pod=""}`:                                                 1,
			`otelcol_kof_region_namespace_items_total{` + own + `,tenant="",namespace="plain",signal="logs"}`:       1,
			`otelcol_kof_region_accepted_items_total{` + own + `,region="acme",signal="logs",job="kof-otelcol"}`:    1,
			`{namespace="shop"}`: 0,
			`{tenant!=""}`:       0,
		},
	})
	requireLogs(t, map[*backends.Region]map[string]int{
		acme: {
			`"line of shop" "kof.tenant":=acme "k8s.namespace.name":=shop "k8s.pod.name":=web-0 "k8s.container.name":=app "k8s.statefulset.name":=web`: 1,
			`"a lie" "kof.tenant":=acme "k8s.namespace.name":=shop "k8s.pod.name":=web-0 "k8s.cluster.name":=cluster-1 "k8s.node.name":=node-1`:        1,
			`said:="a lie" "kof.tenant":=acme`: 1,
			`"kof.tenant":=victim`:             0,
			`*`:                                3,
		},
		home: {
			`"line of plain" "k8s.namespace.name":=plain "kof.tenant":=""`: 1,
			`"a sly" "k8s.pod.name":=sly-0`:                                1,
			`said:="a sly" "k8s.pod.name":=sly-0`:                          1,
			`"kof.tenant":*`:                                               0,
			`*`:                                                            3,
		},
	})
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		trace, err := acme.Traces.Trace(t.Context(), "5b8efff798038103d269b633813fc60c")
		require.NoError(c, err)
		require.Len(c, trace.Spans, 1)
		tags := trace.Spans[0].ProcessTags
		for key, want := range map[string]string{
			"kof.tenant": "acme", "k8s.namespace.name": "shop", "k8s.pod.name": "web-0", "k8s.statefulset.name": "web", "k8s.node.name": "node-1",
			"k8s.cluster.name": "cluster-1",
		} {
			require.Equal(c, want, tags[key], key)
		}
		require.NotContains(c, tags, "kof.region")
		require.NotContains(c, trace.Spans[0].Tags, "kof.tenant")
	}, time.Minute, 200*time.Millisecond)

	// With the namespace go its labels. What still comes is the tenant's all the same.
	deleteNamespace(t, plane, "shop")
	sendAll(t, otlp, "127.0.0.1", http.StatusOK, resourceJSON(map[string]string{"service.name": "late"}), "late")
	requireMetrics(t, map[*backends.Region]map[string]int{
		acme: {`late{` + own + `,tenant="acme",namespace="shop",pod="web-0"}`: 1},
		home: {`{namespace="shop"}`: 0},
	})
	requireLogs(t, map[*backends.Region]map[string]int{
		acme: {`"a late" "kof.tenant":=acme "k8s.namespace.name":=shop`: 1},
		home: {`"k8s.namespace.name":=shop`: 0},
	})
	services, err := home.Traces.Services(t.Context())
	require.NoError(t, err)
	require.NotContains(t, services, "liar")
}

// deleteNamespace deletes a namespace and waits until the watches of the agent have surely seen it. No controller empties it here.
func deleteNamespace(t *testing.T, plane *kubeapi.ControlPlane, name string) {
	t.Helper()
	namespaces := clientOf(t, plane).CoreV1().Namespaces()
	require.NoError(t, namespaces.Delete(t.Context(), name, metav1.DeleteOptions{}))
	ns, err := namespaces.Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	ns.Spec.Finalizers = nil
	_, err = namespaces.Finalize(t.Context(), ns, metav1.UpdateOptions{})
	require.NoError(t, err)
	_, err = namespaces.Get(t.Context(), name, metav1.GetOptions{})
	require.True(t, apierrors.IsNotFound(err), "%v", err)
	time.Sleep(2 * time.Second)
}

// TestTenantOfClusterState does the same with the cluster's collectors: what is about objects of a tenant's namespace goes to the
// tenant's region.
func TestTenantOfClusterState(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane and backends")
	}
	home, acme := backends.StartRegionT(t, "home"), backends.StartRegionT(t, "acme")
	plane := kubeapi.StartT(t)
	makeCluster(t, plane)
	serveState(t, plane)
	client := clientOf(t, plane)
	for _, namespace := range []string{"shop", "plain"} {
		_, err := client.CoreV1().Events(namespace).Create(t.Context(), &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{GenerateName: "e"},
			InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: namespace, Name: "pod-of-" + namespace, APIVersion: "v1"},
			Reason:         "Tested", Message: "event of " + namespace, Type: "Normal", LastTimestamp: metav1.Now(), FirstTimestamp: metav1.Now(), Count: 1,
		}, metav1.CreateOptions{})
		require.NoError(t, err)
	}

	config := load(t, "files/cluster.yaml")
	// The receiver's own tests look at costs; the API server's metrics need a Service of the cluster.
	for _, id := range []string{"opencost", "prometheus/apiserver"} {
		delete(mapAt(t, config, "receivers"), id)
	}
	set(t, config, []any{"prometheus/kube-state-metrics", "prometheus/self"}, "service", "pipelines", "metrics/objects", "receivers")
	delete(mapAt(t, config, "service", "pipelines"), "metrics")
	delete(mapAt(t, config, "extensions"), "k8s_leader_elector/opencost")
	set(t, config, []any{"health_check", "kof_status", "k8s_leader_elector/events", "queue_storage"}, "service", "extensions")
	set(t, config, "kubeConfig", "extensions", "k8s_leader_elector/events", "auth_type")
	set(t, config, "kubeConfig", "receivers", "k8s_events", "auth_type")
	scrapeOf(t, config, "prometheus/kube-state-metrics")["kubernetes_sd_configs"].([]any)[0].(map[string]any)["kubeconfig_file"] = plane.Kubeconfig
	runCollector(t, t.TempDir(), plane, config, home, acme)

	const own = `cluster="cluster-1",job="kube-state-metrics",instance="kube-state-metrics-0"`
	requireMetrics(t, map[*backends.Region]map[string]int{
		acme: {
			`kube_pod_info{` + own + `,tenant="acme",namespace="shop",pod="web-0",node="node-1",container=""}`: 1,
			`kube_pod_info`:  1,
			`kube_node_info`: 0,
			`otelcol_kof_region_namespace_items_total{tenant="acme",namespace="shop",signal="metrics",job="kof-otelcol-cluster"}`: 1,
		},
		home: {
			`kube_pod_info{` + own + `,tenant="",namespace="plain",pod="db-0"}`:          1,
			`kube_node_info{` + own + `,node="node-1",namespace="",pod="",container=""}`: 1,
			`kube_pod_info`: 1,
			`otelcol_kof_region_accepted_items_total{region="acme",signal="metrics",job="kof-otelcol-cluster"}`: 1,
			`{namespace="shop"}`: 0,
		},
	})
	requireLogs(t, map[*backends.Region]map[string]int{
		acme: {`"event of shop" "kof.tenant":=acme "k8s.namespace.name":=shop "k8s.cluster.name":=cluster-1`: 1, `*`: 1},
		home: {`"event of plain" "kof.tenant":="" "k8s.namespace.name":=plain`: 1, `*`: 1},
	})
}

// serveState is kube-state-metrics of the cluster of the test, as far as Kubernetes and the collector see it.
func serveState(t *testing.T, plane *kubeapi.ControlPlane) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.3:0")
	require.NoError(t, err)
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "kube_pod_info{namespace=\"shop\",pod=\"web-0\",node=\"node-1\"} 1\n"+
			"kube_pod_info{namespace=\"plain\",pod=\"db-0\",node=\"node-1\"} 1\nkube_node_info{node=\"node-1\"} 1\n")
	})}}
	server.Start()
	t.Cleanup(server.Close)
	client := clientOf(t, plane)
	pod, err := client.CoreV1().Pods("kof").Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "kube-state-metrics-0", Labels: map[string]string{"app.kubernetes.io/name": "kube-state-metrics"}},
		Spec: corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{
			Name: "kube-state-metrics", Image: "i", Ports: []corev1.ContainerPort{
				{Name: "http", ContainerPort: int32(l.Addr().(*net.TCPAddr).Port)}, {Name: "telemetry", ContainerPort: 1},
			},
		}}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	pod.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: "127.0.0.3", PodIPs: []corev1.PodIP{{IP: "127.0.0.3"}}}
	_, err = client.CoreV1().Pods("kof").UpdateStatus(t.Context(), pod, metav1.UpdateOptions{})
	require.NoError(t, err)
}

// requireMetrics waits until each query gives that many series.
func requireMetrics(t *testing.T, want map[*backends.Region]map[string]int) {
	t.Helper()
	for region, queries := range want {
		for query, n := range queries {
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				got, err := region.Metrics.Query(t.Context(), query)
				require.NoError(c, err)
				require.Len(c, got, n, "%s in %s", query, region.Name)
			}, time.Minute, 200*time.Millisecond)
		}
	}
}

// requireLogs waits until each query finds that many records.
func requireLogs(t *testing.T, want map[*backends.Region]map[string]int) {
	t.Helper()
	for region, queries := range want {
		for query, n := range queries {
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				got, err := region.Logs.LogsCount(t.Context(), query)
				require.NoError(c, err)
				require.Equal(c, n, got, "%s in %s", query, region.Name)
			}, time.Minute, 200*time.Millisecond)
		}
	}
}
