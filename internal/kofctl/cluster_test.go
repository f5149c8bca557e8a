// SPDX-License-Identifier: Apache-2.0

package kofctl

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/kofctl/clusters"
	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/controller"
	"github.com/k0rdent/kof/internal/operator/kcm"
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
