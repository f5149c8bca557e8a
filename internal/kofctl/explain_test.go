// SPDX-License-Identifier: Apache-2.0

package kofctl

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/kofctl/explain"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/test/management"
)

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
