// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/k0rdent/kof/internal/cost"
)

const storagePrice = 0.00005479452

// clusterBench computes a cluster of given objects, cycle by cycle.
type clusterBench struct {
	*collection
	*clock
}

func startCluster(t testing.TB, change func(*Config), objs ...metav1.Object) *clusterBench {
	t.Helper()
	c := createDefaultConfig().(*Config)
	c.Mode, c.Cluster = modeCluster, "c1"
	if change != nil {
		change(c)
	}
	require.NoError(t, c.Validate())
	p, err := newPricer(c, zap.NewNop())
	require.NoError(t, err)
	store := func() cache.Store { return cache.NewStore(cache.MetaNamespaceKeyFunc) }
	o := &objects{nodes: store(), pods: store(), volumes: store(), claims: store(), services: store(), namespaces: store()}
	b := &clusterBench{newCollection(c, p, o), &clock{at: dayStart}}
	for _, obj := range objs {
		b.put(t, obj)
	}
	return b
}

func (b *clusterBench) put(t testing.TB, obj metav1.Object) {
	t.Helper()
	strip := cache.TransformFunc(nil)
	var store cache.Store
	switch obj.(type) {
	case *corev1.Node:
		store, strip = b.objects.nodes, stripClusterNode(b.config.Labels.Nodes)
	case *corev1.Pod:
		store, strip = b.objects.pods, stripPod(b.config.Labels.Pods)
	case *corev1.PersistentVolume:
		store, strip = b.objects.volumes, stripVolume
	case *corev1.PersistentVolumeClaim:
		store, strip = b.objects.claims, stripClaim
	case *corev1.Service:
		store, strip = b.objects.services, stripService
	case *corev1.Namespace:
		store, strip = b.objects.namespaces, stripNamespace(b.config.Labels.Namespaces)
	}
	out, err := strip(obj)
	require.NoError(t, err)
	require.NoError(t, store.Add(out))
}

func (b *clusterBench) cycle() series {
	out := series{}
	b.emit(b.now(), func(md pmetric.Metrics) {
		for name, p := range seriesOf(md) {
			out[name] = append(out[name], p...)
		}
	})
	return out
}

func volume(name, size, class string, claim *corev1.ObjectReference) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeSpec{
			Capacity: quantityList("storage", size), StorageClassName: class, ClaimRef: claim,
			PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{VolumeHandle: "vol-" + name}},
		},
		Status: corev1.PersistentVolumeStatus{Phase: corev1.VolumeBound},
	}
}

func pvc(namespace, name, size, volume string, mode corev1.PersistentVolumeAccessMode) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			VolumeName: volume, AccessModes: []corev1.PersistentVolumeAccessMode{mode},
			Resources: corev1.VolumeResourceRequirements{Requests: quantityList("storage", size)},
		},
	}
}

func ref(namespace, name string) *corev1.ObjectReference {
	return &corev1.ObjectReference{Namespace: namespace, Name: name}
}

func podPtr(p corev1.Pod) *corev1.Pod { return &p }

func TestClusterVolumes(t *testing.T) {
	failed := volume("pv-failed", "10Gi", "std", nil)
	failed.Status.Phase = corev1.VolumeFailed
	b := startCluster(t, nil,
		volume("pv-one", "10Gi", "std", ref("a", "data")), pvc("a", "data", "8Gi", "pv-one", corev1.ReadWriteOnce),
		podPtr(pod("a", "db", dayStart, "1", "1Gi", claiming("data"))),
		volume("pv-shared", "20Gi", "nfs", ref("a", "files")), pvc("a", "files", "20Gi", "pv-shared", corev1.ReadWriteMany),
		podPtr(pod("a", "w1", dayStart, "1", "1Gi", claiming("files"))), podPtr(pod("a", "w2", dayStart, "1", "1Gi", claiming("files"))),
		podPtr(pod("a", "done", dayStart, "1", "1Gi", claiming("files"), phase("Succeeded"))),
		volume("pv-idle", "5Gi", "std", ref("b", "old")), pvc("b", "old", "5Gi", "pv-idle", corev1.ReadWriteOnce),
		volume("pv-free", "1Gi", "", nil), volume("pv-huge", "11Pi", "", nil), failed,
		pvc("b", "pending", "5Gi", "", corev1.ReadWriteOnce),
	)
	b.cycle()
	b.step(time.Hour)
	s := b.cycle()
	require.InDelta(t, storagePrice, s.get(t, "pv_hourly_cost", "persistentvolume", "pv-one", "volumename", "pv-one", "provider_id", "vol-pv-one"), 1e-12)
	require.Empty(t, s.find("pv_hourly_cost", "persistentvolume", "pv-failed"))
	require.Len(t, s["pv_hourly_cost"], 5)
	for _, c := range []struct {
		volume, namespace, pod string
		gib                    float64
	}{
		{"pv-one", "a", "db", 10}, {"pv-shared", "a", "w1", 10}, {"pv-shared", "a", "w2", 10},
		{"pv-idle", "b", unmounted, 5}, {"pv-free", "", unmounted, 1}, {"pv-huge", "", unmounted, 0},
	} {
		got := s.get(t, "kof_volume_cost_total", "persistentvolume", c.volume, "namespace", c.namespace, "pod", c.pod)
		require.InDelta(t, c.gib*storagePrice, got, 1e-12, c.volume)
	}
	require.Len(t, s["kof_volume_cost_total"], 6)
	// What nodes report isn't reported here again.
	require.Empty(t, s.find("pod_pvc_allocation", "pod", "db"))
	require.Equal(t, float64(10<<30), s.get(t, "pod_pvc_allocation", "pod", "w1", "persistentvolume", "pv-shared"))
	require.Equal(t, float64(5<<30), s.get(t, "pod_pvc_allocation", "namespace", "b", "pod", unmounted))
	require.Len(t, s["pod_pvc_allocation"], 3)

	// One of two pods goes: the interval is charged by what was there at its beginning, and nothing is lost.
	require.NoError(t, b.objects.pods.Delete(podPtr(pod("a", "w2", dayStart, "1", "1Gi"))))
	b.step(time.Hour)
	s = b.cycle()
	require.InDelta(t, 20*2*storagePrice, s.sum("kof_volume_cost_total", "persistentvolume", "pv-shared"), 1e-12)
	b.step(time.Hour)
	s = b.cycle()
	require.Empty(t, s.find("kof_volume_cost_total", "pod", "w2"))
	require.InDelta(t, (10*2+20)*storagePrice, s.get(t, "kof_volume_cost_total", "pod", "w1"), 1e-12)
}

func TestQuirkVolumesWithoutClass(t *testing.T) {
	for compat, want := range map[string]int{compatCorrected: 2, compatOpenCost: 1} {
		b := startCluster(t, func(c *Config) { c.Compat = compat }, volume("pv-a", "1Gi", "std", nil), volume("pv-b", "1Gi", "", nil))
		s := b.cycle()
		require.Len(t, s["kof_volume_cost_total"], want, compat)
		require.Len(t, s["pv_hourly_cost"], 2, "the price is there all the same")
	}
}

func TestClusterBalancers(t *testing.T) {
	service := func(name string, kind corev1.ServiceType, in ...corev1.LoadBalancerIngress) *corev1.Service {
		return &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: name}, Spec: corev1.ServiceSpec{Type: kind},
			Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: in}},
		}
	}
	objs := func() []metav1.Object {
		return []metav1.Object{
			service("ip", corev1.ServiceTypeLoadBalancer, corev1.LoadBalancerIngress{IP: "1.2.3.4"}),
			service("name", corev1.ServiceTypeLoadBalancer, corev1.LoadBalancerIngress{Hostname: "lb.example"}),
			service("pending", corev1.ServiceTypeLoadBalancer), service("internal", corev1.ServiceTypeClusterIP),
		}
	}
	b := startCluster(t, nil, objs()...)
	b.cycle()
	b.step(2 * time.Hour / 4)
	s := b.cycle()
	require.Len(t, s["kubecost_load_balancer_cost"], 2)
	require.Equal(t, 0.025, s.get(t, "kubecost_load_balancer_cost", "ingress_ip", "1.2.3.4", "namespace", "a", "service_name", "ip"))
	require.InDelta(t, 0.0125, s.get(t, "kof_load_balancer_cost_total", "ingress_ip", "lb.example"), 1e-12)

	b = startCluster(t, func(c *Config) { c.Compat = compatOpenCost }, objs()...)
	require.Empty(t, b.cycle()["kubecost_load_balancer_cost"], "OpenCost fails on a price that its default configuration lacks")
	b = startCluster(t, func(c *Config) {
		c.Compat, c.Prices.Unit = compatOpenCost, map[string]float64{"load_balancer": 0.03}
	}, objs()...)
	require.Len(t, b.cycle()["kubecost_load_balancer_cost"], 1, "and takes a name for nothing to charge")
}

func TestClusterFeeNetworkAndInfo(t *testing.T) {
	eks := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", Labels: map[string]string{
		"eks.amazonaws.com/nodegroup": "g", "topology.kubernetes.io/region": "eu-1", "kubernetes.io/os": "linux",
	}}}
	b := startCluster(t, nil, eks.DeepCopy())
	b.cycle()
	b.step(30 * time.Minute)
	s := b.cycle()
	require.Equal(t, 0.10, s.get(t, "kubecost_cluster_management_cost", "provisioner_name", "EKS"))
	require.InDelta(t, 0.05, s.get(t, "kof_cluster_management_cost_total", "provisioner_name", "EKS"), 1e-12)
	for name, want := range map[string]float64{
		"kubecost_network_zone_egress_cost": 0.01, "kubecost_network_region_egress_cost": 0.01,
		"kubecost_network_internet_egress_cost": 0.12, "kubecost_network_nat_gateway_egress_cost": 0.045,
		"kubecost_network_nat_gateway_ingress_cost": 0.045,
	} {
		require.Equal(t, want, s.get(t, name))
		require.Empty(t, s[name][0].labels)
	}
	info := s["kubecost_cluster_info"][0]
	require.Equal(t, map[string]any{"id": "c1", "name": "c1", "provisioner": "EKS", "region": "eu-1", "currency": "USD"}, info.labels)
	require.Equal(t, map[string]any{"k8s.cluster.name": "c1"}, info.resource)
	require.Empty(t, s["kube_node_labels"], "no label is named by the configuration")

	fee := 0.5
	b = startCluster(t, func(c *Config) { c.Prices.ManagementFee = &fee })
	require.Equal(t, 0.5, b.cycle().get(t, "kubecost_cluster_management_cost", "provisioner_name", ""))
	b = startCluster(t, func(c *Config) { c.Compat = compatOpenCost }, eks.DeepCopy())
	require.Equal(t, 0.0, b.cycle().get(t, "kubecost_cluster_management_cost", "provisioner_name", ""))
}

func TestClusterLabelsAreAllowListed(t *testing.T) {
	labels := func() map[string]string {
		return map[string]string{"team": "red", "app.kubernetes.io/name": "shop", "secret": "x"}
	}
	p := pod("a", "p", dayStart, "1", "1Gi")
	p.Labels = labels()
	b := startCluster(t, func(c *Config) {
		names := []string{"team", "app.kubernetes.io/name"}
		c.Labels = LabelsConfig{Nodes: names, Namespaces: names, Pods: names}
	},
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", Labels: labels()}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: labels()}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "bare"}}, &p)
	s := b.cycle()
	for name, own := range map[string]map[string]any{
		"kube_node_labels": {"node": "n1"}, "kube_namespace_labels": {"namespace": "a"}, "kube_pod_labels": {"namespace": "a", "pod": "p"},
	} {
		want := maps.Clone(own)
		want["label_team"], want["label_app_kubernetes_io_name"] = "red", "shop"
		found := s.find(name, "label_team", "red")
		require.Len(t, found, 1)
		require.Equal(t, want, found[0].labels)
	}
	require.Len(t, s["kube_namespace_labels"], 2)
}

func TestClusterBatchesAreBounded(t *testing.T) {
	b := startCluster(t, func(c *Config) { c.Labels.Pods = []string{"team"} })
	for i := range 2*batchPoints + 5 {
		p := pod("a", string(rune('a'+i%26))+"-"+time.Duration(i).String(), dayStart, "", "")
		b.put(t, &p)
	}
	var sizes []int
	b.emit(b.now(), func(md pmetric.Metrics) { sizes = append(sizes, md.DataPointCount()) })
	require.Len(t, sizes, 3)
	for _, n := range sizes {
		require.LessOrEqual(t, n, batchPoints)
	}
}

func TestClusterCurrencyAndPriceList(t *testing.T) {
	b := startCluster(t, func(c *Config) {
		c.Prices.Currency = CurrencyConfig{"EUR", 2}
		c.Prices.Unit = map[string]float64{"storage": 1}
	}, volume("pv", "1Gi", "", nil))
	b.cycle()
	b.step(time.Hour)
	s := b.cycle()
	require.Equal(t, 2.0, s.get(t, "pv_hourly_cost"))
	require.Equal(t, 2.0, s.get(t, "kof_volume_cost_total", "currency", "EUR"))
}

func TestVolumeIDs(t *testing.T) {
	for want, s := range map[string]corev1.PersistentVolumeSource{
		"h":   {CSI: &corev1.CSIPersistentVolumeSource{VolumeHandle: "h"}},
		"ebs": {AWSElasticBlockStore: &corev1.AWSElasticBlockStoreVolumeSource{VolumeID: "ebs"}},
		"pd":  {GCEPersistentDisk: &corev1.GCEPersistentDiskVolumeSource{PDName: "pd"}},
		"az":  {AzureDisk: &corev1.AzureDiskVolumeSource{DiskName: "az"}},
		"pv":  {},
	} {
		require.Equal(t, want, volumeID(&corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv"}, Spec: corev1.PersistentVolumeSpec{PersistentVolumeSource: s}}))
	}
	require.Equal(t, "x", (&cost.Node{Labels: map[string]string{"topology.kubernetes.io/region": volumeRegion(&corev1.PersistentVolume{}, "x")}}).Region())
}
