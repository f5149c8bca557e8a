// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/k8sleaderelector"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/metadata"
	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/kubeapi"
)

// The permissions that the README names. A user gets these and no more.
var (
	nodeRules = []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{""}, Resources: []string{"persistentvolumeclaims"}, Verbs: []string{"get"}},
	}
	clusterRules = []rbacv1.PolicyRule{
		{
			APIGroups: []string{""}, Verbs: []string{"get", "list", "watch"},
			Resources: []string{"nodes", "namespaces", "pods", "services", "persistentvolumes", "persistentvolumeclaims"},
		},
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"create", "get", "update"}},
	}
)

// realCluster is a control plane with the objects of a small cluster.
type realCluster struct {
	*kubeapi.ControlPlane
	client kubernetes.Interface
	pods   []corev1.Pod
}

func startRealCluster(t *testing.T) *realCluster {
	t.Helper()
	c := &realCluster{ControlPlane: kubeapi.StartT(t)}
	hc, err := rest.HTTPClientFor(c.Config)
	require.NoError(t, err)
	t.Cleanup(hc.CloseIdleConnections)
	c.client, err = kubernetes.NewForConfigAndClient(c.Config, hc)
	require.NoError(t, err)
	ctx, opt := t.Context(), metav1.CreateOptions{}
	core := c.client.CoreV1()

	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1", Labels: map[string]string{
		"node.kubernetes.io/instance-type": "m5.xlarge", "topology.kubernetes.io/region": "eu-1", "eks.amazonaws.com/nodegroup": "g",
	}}, Spec: corev1.NodeSpec{ProviderID: "aws:///eu-1a/i-1"}}
	n, err = core.Nodes().Create(ctx, n, opt)
	require.NoError(t, err)
	n.Status.Capacity = quantityList("cpu", "4", "memory", "16Gi", "pods", "110")
	_, err = core.Nodes().UpdateStatus(ctx, n, metav1.UpdateOptions{})
	require.NoError(t, err)
	for _, ns := range []string{"shop", "data"} {
		_, err = core.Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns, Labels: map[string]string{"team": "team-" + ns}}}, opt)
		require.NoError(t, err)
	}
	for _, v := range []*corev1.PersistentVolume{volume("pv-db", "10Gi", "std", ref("data", "db")), volume("pv-old", "5Gi", "std", ref("data", "old"))} {
		v.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
		v.Spec.CSI.Driver = "csi.example.com"
		_, err = core.PersistentVolumes().Create(ctx, v, opt)
		require.NoError(t, err)
	}
	for _, p := range []*corev1.PersistentVolumeClaim{
		pvc("data", "db", "10Gi", "pv-db", corev1.ReadWriteOnce), pvc("data", "old", "5Gi", "pv-old", corev1.ReadWriteOnce),
	} {
		_, err = core.PersistentVolumeClaims(p.Namespace).Create(ctx, p, opt)
		require.NoError(t, err)
	}
	s, err := core.Services("shop").Create(ctx, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: corev1.ServiceSpec{
		Type: corev1.ServiceTypeLoadBalancer, Ports: []corev1.ServicePort{{Port: 80}},
	}}, opt)
	require.NoError(t, err)
	s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: "192.0.2.1"}}
	_, err = core.Services("shop").UpdateStatus(ctx, s, metav1.UpdateOptions{})
	require.NoError(t, err)
	start := time.Now().Add(-time.Hour).Truncate(time.Second)
	for _, p := range []corev1.Pod{
		pod("shop", "web-abc-1", start, "500m", "1Gi", ownedBy("ReplicaSet", "web-abc", "abc")),
		pod("data", "db-0", start, "1", "4Gi", ownedBy("StatefulSet", "db", ""), claiming("db")),
	} {
		p.UID = ""
		p.Spec.Containers[0].Image = "example.com/image"
		for i := range p.OwnerReferences {
			p.OwnerReferences[i].APIVersion, p.OwnerReferences[i].UID = "apps/v1", "0"
		}
		status := p.Status
		made, err := core.Pods(p.Namespace).Create(ctx, &p, opt)
		require.NoError(t, err)
		made.Status = status
		made, err = core.Pods(p.Namespace).UpdateStatus(ctx, made, metav1.UpdateOptions{})
		require.NoError(t, err)
		c.pods = append(c.pods, *made)
	}
	return c
}

// user returns the kubeconfig of a user with the rules.
func (c *realCluster) user(t *testing.T, name string, rules []rbacv1.PolicyRule) string {
	t.Helper()
	_, kubeconfig, err := c.User(name)
	require.NoError(t, err)
	_, err = c.client.RbacV1().ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: rules}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = c.client.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: name, APIGroup: rbacv1.GroupName}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	return kubeconfig
}

func startReceiver(t *testing.T, c *Config, host component.Host) *consumertest.MetricsSink {
	t.Helper()
	require.NoError(t, c.Validate())
	sink := new(consumertest.MetricsSink)
	f := NewFactory()
	r, err := f.CreateMetrics(context.Background(), receivertest.NewNopSettings(metadata.Type), c, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(context.Background(), host))
	t.Cleanup(func() { require.NoError(t, r.Shutdown(context.Background())) })
	return sink
}

// newest is what was sent last.
func newest(sink *consumertest.MetricsSink) series {
	all := sink.AllMetrics()
	if len(all) == 0 {
		return series{}
	}
	return seriesOf(all[len(all)-1])
}

const patience = 30 * time.Second

// TestRealAPIServer runs both modes against a real kube-apiserver with no more rights than the README names, stores what
// they send in a real VictoriaMetrics and compares its sums with an independent computation.
func TestRealAPIServer(t *testing.T) {
	cluster := startRealCluster(t)
	kubelet := startKubelet(t)
	begin := time.Now().Add(-time.Hour)
	show := func() {
		at := time.Now().Truncate(time.Millisecond)
		kubelet.show(t, cluster.pods,
			use{"shop", "web-abc-1", "main", 0.25 * at.Sub(begin).Seconds(), 2 << 30, at},
			use{"data", "db-0", "main", 1.5 * at.Sub(begin).Seconds(), 3 << 30, at})
	}
	show()
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Millisecond):
				show()
			}
		}
	}()
	defer func() { close(stop); <-done }()

	nodeConfig := kubelet.config(t)
	nodeConfig.CollectionInterval, nodeConfig.Kubernetes.Kubeconfig = time.Second, cluster.user(t, "agent", nodeRules)
	nodes := startReceiver(t, nodeConfig, componenttest.NewNopHost())
	require.Eventually(t, func() bool { return len(newest(nodes)["pod_pvc_allocation"]) == 1 }, patience, 50*time.Millisecond)
	s := newest(nodes)
	require.Equal(t, float64(10<<30), s.get(t, "pod_pvc_allocation", "pod", "db-0", "persistentvolumeclaim", "db", "persistentvolume", "pv-db"))
	require.InDelta(t, 4*cpuPrice+16*ramPrice, s.get(t, "node_total_hourly_cost", "instance_type", "m5.xlarge", "provider_id", "aws:///eu-1a/i-1"), 1e-12)

	id := component.MustNewID("k8s_leader_elector")
	clusterConfig := createDefaultConfig().(*Config)
	clusterConfig.Mode, clusterConfig.Cluster, clusterConfig.LeaderElector = modeCluster, "c1", &id
	clusterConfig.CollectionInterval, clusterConfig.Kubernetes.Kubeconfig = time.Second, cluster.user(t, "cluster", clusterRules)
	clusterConfig.Labels.Namespaces = []string{"team"}
	once := startReceiver(t, clusterConfig, hostWith{id: startElection(t, clusterConfig.Kubernetes.Kubeconfig)})
	require.Eventually(t, func() bool { return len(newest(once)["kof_volume_cost_total"]) == 2 }, patience, 50*time.Millisecond)
	s = newest(once)
	require.Equal(t, 0.10, s.get(t, "kubecost_cluster_management_cost", "provisioner_name", "EKS"))
	require.Equal(t, 0.025, s.get(t, "kubecost_load_balancer_cost", "ingress_ip", "192.0.2.1", "namespace", "shop", "service_name", "web"))
	require.Equal(t, float64(5<<30), s.get(t, "pod_pvc_allocation", "pod", unmounted, "persistentvolumeclaim", "old"))
	require.Len(t, s.find("kube_namespace_labels", "namespace", "shop", "label_team", "team-shop"), 1)
	require.Equal(t, "vol-pv-db", s.find("pv_hourly_cost", "persistentvolume", "pv-db")[0].labels["provider_id"])

	sent := len(nodes.AllMetrics())
	require.Eventually(t, func() bool { return len(nodes.AllMetrics()) >= sent+4 }, patience, 50*time.Millisecond)
	hourly := storeAndAsk(t, nodes, once)
	// Allocation is the larger of request and usage; the price is the default's.
	for key, want := range map[string]float64{
		"container/shop": 0.5*cpuPrice + 2*ramPrice, "container/data": 1.5*cpuPrice + 4*ramPrice, "node/": 4*cpuPrice + 16*ramPrice,
		"idle/": 2*cpuPrice + 10*ramPrice, "volume/data": 15 * storagePrice, "balancer/shop": 0.025,
	} {
		require.InEpsilon(t, want, hourly[key], 2e-3, key)
	}
	require.InEpsilon(t, hourly["node/"], hourly["container/shop"]+hourly["container/data"]+hourly["idle/"], 1e-3)

	// An annotation on the node is the first source of prices, and is seen at once.
	patch := fmt.Sprintf(`{"metadata":{"annotations":{"k0rdent.mirantis.com/kof-node-hourly-cost":"%v"}}}`, 1.5)
	_, err := cluster.client.CoreV1().Nodes().Patch(t.Context(), "node-1", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		s := newest(nodes)
		p := s["node_total_hourly_cost"]
		return len(p) == 1 && p[0].value > 1.499 && p[0].value < 1.501 && s["kof_node_price_info"][0].labels["source"] == "override"
	}, patience, 50*time.Millisecond)
}

// startElection is the stock extension, against the real API server.
func startElection(t *testing.T, kubeconfig string) component.Component {
	t.Helper()
	t.Setenv("KUBECONFIG", kubeconfig)
	f := k8sleaderelector.NewFactory()
	c := f.CreateDefaultConfig().(*k8sleaderelector.Config)
	c.AuthType, c.LeaseName, c.LeaseNamespace = "kubeConfig", "opencost", "default"
	ext, err := f.Create(context.Background(), extensiontest.NewNopSettings(f.Type()), c)
	require.NoError(t, err)
	require.NoError(t, ext.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })
	return ext
}

// storeAndAsk sends everything to VictoriaMetrics and returns what the counters grew by, as dollars an hour.
func storeAndAsk(t *testing.T, sinks ...*consumertest.MetricsSink) map[string]float64 {
	t.Helper()
	vm := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{})
	var text strings.Builder
	for _, sink := range sinks {
		for _, md := range sink.AllMetrics() {
			exposition(&text, md)
		}
	}
	store(t, vm, &text)
	require.NoError(t, vm.Flush(context.Background()))
	out := map[string]float64{}
	for name, metric := range map[string]string{
		"container": "kof_container_cost_total", "node": "kof_node_cost_total", "idle": "kof_node_idle_cost_total",
		"volume": "kof_volume_cost_total", "balancer": "kof_load_balancer_cost_total",
	} {
		q := strings.ReplaceAll(`sum by (namespace) ((last_over_time(M[10m]) - first_over_time(M[10m])) / (tlast_over_time(M[10m]) - tfirst_over_time(M[10m]))) * 3600`, "M", metric)
		for ns, v := range ask(t, vm, q, time.Now(), "namespace") {
			out[name+"/"+ns] = v
		}
	}
	return out
}
