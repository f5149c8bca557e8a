// SPDX-License-Identifier: Apache-2.0

package kofctl

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/kofctl/clusters"
	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/kofctl/explain"
	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/controller"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/management"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	system = "kcm-system"
	wait   = 60 * time.Second
	tick   = 100 * time.Millisecond
)

// TestClusters asks a real API server, with the real operator beside it, and real stores of two regions.
func TestClusters(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	ctrl.SetLogger(logr.Discard())
	m := management.StartT(t)
	startOperator(t, m)
	t.Setenv("KUBECONFIG", m.Kubeconfig)
	stores := []string{
		backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{Name: "eu"}).URL,
		backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{Name: "us"}).URL,
	}

	code, out, _ := run(t, "clusters")
	require.Equal(t, command.OK, code)
	require.Contains(t, out, "No cluster sends telemetry")

	create(t, m, system, "eu1", kcm.RoleRegional, "eu-west-1", nil)
	create(t, m, system, "us1", kcm.RoleRegional, "us-east-1", nil)
	create(t, m, "team-a", "shop", kcm.RoleChild, "eu-west-1", map[string]string{kcm.LabelName: "shop-prod"})
	create(t, m, "team-a", "lost", kcm.RoleChild, "mars-1", nil)
	var report clusters.Report
	list := func(args ...string) map[string]clusters.Cluster {
		code, out, errs := run(t, append([]string{"clusters", "-o", "json"}, args...)...)
		require.Equal(t, command.OK, code, errs)
		report = clusters.Report{}
		require.NoError(t, json.Unmarshal([]byte(out), &report), out)
		by := map[string]clusters.Cluster{}
		for _, c := range report.Clusters {
			by[c.Namespace+"/"+c.ClusterDeployment] = c
		}
		return by
	}
	require.Eventually(t, func() bool {
		all := list()
		return len(all) == 4 && all["team-a/shop"].Settled && all["team-a/lost"].Message != "" && all["system"].Message == ""
	}, wait, tick)

	t.Run("clusters", func(t *testing.T) {
		now := time.Now()
		// As the agents' own metrics arrive. For the first minute after a re-homing both stores may have a series.
		held := func(cluster, namespace, instance string, items int, at time.Time) string {
			labels := fmt.Sprintf(`{cluster=%q,clusterNamespace=%q,instance=%q,job="kof-otelcol",region="eu1",signal="logs"}`, cluster, namespace, instance)
			return fmt.Sprintf("otelcol_kof_region_held_items%s %d %d\notelcol_kof_region_held_bytes%s %d %d\notelcol_kof_region_oldest_held_age%s %d %d\n",
				labels, items, at.UnixMilli(), labels, 100*items, at.UnixMilli(), labels, items, at.UnixMilli())
		}
		insert(t, stores[0], held("shop-prod", "team-a", "n1", 30, now.Add(-20*time.Second))+held("shop-prod", "team-a", "n2", 40, now.Add(-10*time.Second)))
		insert(t, stores[1], held("shop-prod", "team-a", "n1", 10, now.Add(-90*time.Second))+held("us1", "", "n1", 0, now.Add(-2*time.Hour)))
		var all map[string]clusters.Cluster
		require.Eventually(t, func() bool {
			all = list("--metrics-url", stores[0]+"/", "--metrics-url", stores[1])
			shop := all["team-a/shop"]
			return shop.Held != nil && shop.Held.Items == 70 && all[system+"/us1"].LastSeen != nil
		}, wait, tick)
		shop := all["team-a/shop"]
		require.True(t, report.Metrics)
		require.Equal(t, &clusters.Held{Items: 70, Bytes: 7000, OldestSeconds: 40}, shop.Held)
		require.WithinDuration(t, now.Add(-10*time.Second), *shop.LastSeen, time.Second)
		require.Equal(t, []string{"shop-prod", "child", "eu1", "zone-eu-west-1", "Location"}, []string{shop.Name, shop.Role, shop.Region, shop.Zone, shop.Rule})
		require.WithinDuration(t, time.Now(), shop.Since, 2*wait)
		require.Nil(t, all[system+"/us1"].Held, "what it held two hours ago says nothing of now")
		require.WithinDuration(t, now.Add(-2*time.Hour), *all[system+"/us1"].LastSeen, 6*time.Minute)
		require.Nil(t, all[system+"/eu1"].LastSeen)
		require.Contains(t, all["team-a/lost"].Message, "there is no region in aws mars-1")

		_, out, _ := run(t, "clusters", "--metrics-url", stores[0], "-n", "team-a")
		require.Regexp(t, `team-a +shop-prod +eu1 +Location +\S+ +- +70 items, 6\.8 KiB, 40s +\S+ ago`, out)
		require.NotContains(t, out, system)
		_, out, _ = run(t, "clusters")
		require.Regexp(t, `team-a +shop-prod +eu1 +Location +\S+ +- +unknown +unknown`, out)
		require.Contains(t, out, "not known without --metrics-url")

		code, _, errs := run(t, "clusters", "--metrics-url", "http://127.0.0.1:1")
		require.Equal(t, command.Failed, code)
		require.Contains(t, errs, "--metrics-url http://127.0.0.1:1")
	})

	t.Run("explain", func(t *testing.T) { testExplain(t, m) })
	t.Run("explain with", func(t *testing.T) { testWith(t) })
	t.Run("explain pod", func(t *testing.T) { testPod(t, m) })
}

func testExplain(t *testing.T, m *management.Cluster) {
	code, out, errs := run(t, "explain", "shop-prod", "--system-namespace", system)
	require.Equal(t, command.OK, code, errs)
	require.Regexp(t, `(?s)Cluster shop-prod \(team-a/shop\).*Region: +eu1\nZone: +zone-eu-west-1\nChosen by: +Location.*`+
		`Label +no label +none\s+Location +aws eu-west-1 +kcm-system/eu1 +decides\nFallback +a Region with fallback: true +none.*`+
		`eu1 +home +zone-eu-west-1 +metrics +https://vmauth\.eu1\.example\.com/vm/insert`, out)
	code, out, _ = run(t, "explain", "team-a/lost", "--system-namespace", system)
	require.Equal(t, command.Found, code)
	require.Contains(t, out, "NoRegion: no label names a region, there is no region in aws mars-1")
	require.Contains(t, out, "none: agents hold what they collect")

	// A label that the operator has not acted on, as its preparation takes ten minutes.
	label(t, m, "team-a", "shop", kcm.LabelRegional, "us1")
	var r explain.Report
	require.Eventually(t, func() bool {
		r = explained(t, "team-a/shop")
		return len(r.Now.Endpoints) == 2
	}, wait, tick)
	require.Equal(t, []string{"eu1 home", "us1 moving"}, []string{r.Now.Endpoints[0].Region + " " + r.Now.Endpoints[0].Use, r.Now.Endpoints[1].Region + " " + r.Now.Endpoints[1].Use})
	require.True(t, r.Now.Rules[0].Decides)
	require.Equal(t, "us1", r.Now.Rules[0].Asks)
	require.Eventually(t, func() bool {
		_, out, _ := run(t, "clusters")
		return strings.Contains(out, "Preparing to us1")
	}, wait, tick)
	label(t, m, "team-a", "shop", kcm.LabelRegional, nil)
	require.Eventually(t, func() bool { return len(explained(t, "team-a/shop").Now.Endpoints) == 1 }, wait, tick)

	for want, args := range map[string][]string{
		`found no ClusterDeployment "nope"`:                     {"nope"},
		`found no ClusterDeployment "team-b/shop"`:              {"team-b/shop"},
		"allowed: [NAMESPACE/]CLUSTER, or pod NAMESPACE/NAME":   {"a", "b"},
		"a pod needs --cluster":                                 {"pod", "a/b"},
		`found the pod "b"; allowed: NAMESPACE/NAME`:            {"pod", "b"},
		"nowhere.yaml: no such file":                            {"shop-prod", "--with", "nowhere.yaml"},
		"found nothing; allowed: Region manifests, or a region": {"shop-prod", "--with", os.DevNull},
	} {
		code, out, errs := run(t, append([]string{"explain", "--system-namespace", system}, args...)...)
		require.Contains(t, errs, want)
		require.NotEqual(t, command.OK, code)
		require.Empty(t, out)
	}
}

func testWith(t *testing.T) {
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "f.yaml")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	// A region nearby doesn't move a cluster that has one, but gives one to a cluster that has none.
	near := write(`
apiVersion: kof.k0rdent.mirantis.com/v1beta1
kind: Region
metadata: {name: eu2, namespace: kcm-system}
spec: {name: eu2, zone: zone-eu-west-1, cloud: aws, location: mars-1, domain: eu2.example.com}
`)
	require.Empty(t, explained(t, "team-a/shop", "--with", near).Changes)
	r := explained(t, "team-a/lost", "--with", near)
	require.Contains(t, r.Changes, explain.Change{What: "region", With: "eu2"})
	require.Contains(t, r.Changes, explain.Change{What: "next step", With: "Assigned"})
	require.Contains(t, r.Changes, explain.Change{What: "metrics of eu2 (home)", With: "https://vmauth.eu2.example.com/vm/insert/0/prometheus/api/v1/write"})

	// Other endpoints and a stand-in of the region in force.
	r = explained(t, "team-a/shop", "--with", write(`
apiVersion: v1
kind: List
items:
  - apiVersion: kof.k0rdent.mirantis.com/v1beta1
    kind: Region
    metadata: {name: eu1, namespace: kcm-system}
    spec: {name: eu1, zone: zone-eu-west-1, domain: new.example.com, failover: [eu2]}
  - apiVersion: kof.k0rdent.mirantis.com/v1beta1
    kind: Region
    metadata: {name: eu2, namespace: kcm-system}
    spec: {name: eu2, zone: zone-eu-west-1, domain: eu2.example.com}
`))
	require.Contains(t, r.Changes, explain.Change{What: "logs of eu1 (home)", Now: "https://vmauth.eu1.example.com/vli/insert/opentelemetry/v1/logs",
		With: "https://vmauth.new.example.com/vli/insert/opentelemetry/v1/logs"})
	require.Contains(t, r.Changes, explain.Change{What: "zone of eu2 (failover)", With: "zone-eu-west-1"})

	// What would be refused is said, and exits so.
	code, out, _ := run(t, "explain", "team-a/shop", "--system-namespace", system, "--with", write(`
apiVersion: kof.k0rdent.mirantis.com/v1beta1
kind: Region
metadata: {name: eu1, namespace: kcm-system}
spec: {name: eu1, zone: other, domain: eu1.example.com}
---
apiVersion: kof.k0rdent.mirantis.com/v1beta1
kind: Region
metadata: {name: clash, namespace: kcm-system}
spec: {name: clash, zone: other, domain: us1.example.com}
`))
	require.Equal(t, command.Found, code)
	require.Contains(t, out, `Problem: Region kcm-system/eu1: spec.zone: found "other"; allowed: "zone-eu-west-1"`)
	require.Contains(t, out, "Problem: Region kcm-system/clash is refused (Refused): regions.us1.logs.endpoint: found the endpoint of regions.clash.logs.endpoint of zone")

	// A region directory in place of all Regions.
	directory := write("regions:\n  us1: {zone: us, logs: {endpoint: https://logs.example}}")
	code, out, _ = run(t, "explain", "team-a/shop", "--system-namespace", system, "--with", directory)
	require.Equal(t, command.Found, code)
	require.Contains(t, out, `region "eu1" is gone, and agents hold what they collect`)
	code, _, errs := run(t, "explain", "team-a/shop", "--system-namespace", system, "--with", write("regions: {us1: {}}"))
	require.Equal(t, command.Failed, code)
	require.Contains(t, errs, "regions.us1.zone: missing")
}

// testPod has the management cluster stand for the child as well: what the agents' directory is, the operator's bundle says.
func testPod(t *testing.T, m *management.Cluster) {
	var bundle corev1.Secret
	require.NoError(t, m.Get(t.Context(), client.ObjectKey{Namespace: "team-a", Name: "kof-bundle-shop"}, &bundle))
	directory := `regions:
  eu1: {zone: zone-eu-west-1, failover: [eu2], logs: {endpoint: "https://eu1.example"}}
  eu2: {zone: zone-eu-west-1, logs: {endpoint: "https://eu2.example"}}
  us1: {zone: us, logs: {endpoint: "https://us1.example"}}
tenants: {acme: {region: us1}}
`
	require.Contains(t, string(bundle.Data["objects.yaml"]), "eu1")
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kof"}},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "kof", Name: output.DirectoryName}, Data: map[string]string{output.DirectoryKey: directory}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "plain"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "acme", Labels: map[string]string{kcm.LabelTenant: "acme"}}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "named", Labels: map[string]string{"k0rdent.mirantis.com/kof-region": "nowhere", kcm.LabelTenant: "acme"}}},
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1", Labels: map[string]string{"topology.kubernetes.io/region": "eu-west-1"}}},
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n2", Labels: map[string]string{"topology.kubernetes.io/region": "eu2"}}},
		podOn("plain", "a", "n1"), podOn("plain", "b", "n2"), podOn("acme", "a", "n2"), podOn("named", "a", "n1"),
	} {
		require.NoError(t, m.Create(t.Context(), o))
	}
	ask := func(pod string, want int) explain.PodReport {
		code, out, errs := run(t, "explain", "pod", pod, "--cluster", "team-a/shop", "--cluster-kubeconfig", m.Kubeconfig, "-o", "json")
		require.Equal(t, want, code, errs)
		var r explain.PodReport
		require.NoError(t, json.Unmarshal([]byte(out), &r))
		return r
	}
	r := ask("plain/a", command.OK)
	require.Equal(t, "eu1", r.Region, "of the agents: the directory doesn't know the node's")
	require.Equal(t, []string{"eu1", "eu2"}, []string{r.Endpoints[0].Region, r.Endpoints[1].Region})
	r = ask("plain/b", command.OK)
	require.Equal(t, []string{"eu2", "cloud.region"}, []string{r.Region, r.By})
	r = ask("acme/a", command.OK)
	require.Equal(t, []string{"us1", "kof.tenant"}, []string{r.Region, r.By})
	r = ask("named/a", command.Found)
	require.Equal(t, []string{"nowhere", "kof.region"}, []string{r.Region, r.By})
	require.Empty(t, r.Endpoints)
	_, out, _ := run(t, "explain", "pod", "named/a", "--cluster", "team-a/shop", "--cluster-kubeconfig", m.Kubeconfig)
	require.Contains(t, out, "telemetry is held on the node until it does")
	code, _, errs := run(t, "explain", "pod", "named/b", "--cluster", "team-a/shop", "--cluster-kubeconfig", m.Kubeconfig)
	require.Equal(t, command.Failed, code)
	require.Contains(t, errs, `pods "b" not found`)
}

func podOn(namespace, name, node string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: corev1.PodSpec{
		NodeName: node, Containers: []corev1.Container{{Name: "c", Image: "i"}},
	}}
}

func explained(t *testing.T, cluster string, args ...string) explain.Report {
	t.Helper()
	_, out, errs := run(t, append([]string{"explain", cluster, "--system-namespace", system, "-o", "json"}, args...)...)
	var r explain.Report
	require.NoError(t, json.Unmarshal([]byte(out), &r), errs)
	return r
}

func create(t *testing.T, m *management.Cluster, namespace, name, role, location string, labels map[string]string) {
	t.Helper()
	config := map[string]any{"region": location}
	if role == kcm.RoleRegional {
		config["clusterAnnotations"] = map[string]any{kcm.AnnotationDomain: name + ".example.com", kcm.AnnotationZone: "zone-" + location}
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"template": "aws-standalone-cp-1-0-14", "config": config}}}
	u.SetGroupVersionKind(kcm.GroupVersion.WithKind("ClusterDeployment"))
	u.SetNamespace(namespace)
	u.SetName(name)
	all := map[string]string{kcm.LabelRole: role}
	for k, v := range labels {
		all[k] = v
	}
	u.SetLabels(all)
	require.NoError(t, m.Create(t.Context(), u))
}

func label(t *testing.T, m *management.Cluster, namespace, name, key string, value any) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]any{key: value}}})
	require.NoError(t, err)
	cd := &kcm.ClusterDeployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	require.NoError(t, m.Patch(t.Context(), cd, client.RawPatch("application/merge-patch+json", patch)))
}

func insert(t *testing.T, store, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, store+"/api/v1/import/prometheus", strings.NewReader(text))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	response.Body.Close()
	require.Equal(t, http.StatusNoContent, response.StatusCode)
	http.DefaultClient.CloseIdleConnections()
}

func startOperator(t *testing.T, m *management.Cluster) {
	t.Helper()
	o := controller.Default()
	o.SystemNamespace = system
	config := rest.CopyConfig(m.OperatorUser)
	config.QPS = -1
	mgr, err := controller.NewManager(config, o, controller.Serving{MetricsAddress: "0", HealthAddress: "0", SeveralInProcess: true, Namespaces: management.Namespaces})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	require.NoError(t, controller.Setup(ctx, mgr, o))
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
		mgr.GetHTTPClient().CloseIdleConnections()
	})
	require.NoError(t, m.List(t.Context(), &v1beta1.RegionList{}))
}
