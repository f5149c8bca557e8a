// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/controller"
	"github.com/k0rdent/kof/internal/operator/kcm"
)

func testPromxyGroups(t *testing.T, op *operator) {
	group := func(name, cluster string, h *v1beta1.HTTPClient) *v1beta1.PromxyServerGroup {
		g := &v1beta1.PromxyServerGroup{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: name}, Spec: v1beta1.PromxyServerGroupSpec{
			ClusterName: cluster, Targets: []string{cluster + ".example:8481"}, PathPrefix: "/select/0/prometheus", HTTPClient: h,
		}}
		require.NoError(t, op.Create(t.Context(), g))
		return g
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "own"}, StringData: map[string]string{"username": "u", "password": "s3cret", "ca.crt": "PEM"}}
	require.NoError(t, op.Create(t.Context(), secret))
	t.Cleanup(func() { _ = op.Delete(t.Context(), secret) })
	good := group("good", "own", &v1beta1.HTTPClient{
		DialTimeout: &metav1.Duration{Duration: 2 * time.Second}, BasicAuth: &v1beta1.BasicAuth{SecretName: "own"},
		TLS: &v1beta1.TLS{CASecret: &v1beta1.SecretKey{Name: "own"}},
	})
	op.eventually(t, "in the configuration", func() bool { return strings.Contains(op.promxy(t), "own.example:8481") })
	bad := group("bad", "bad", &v1beta1.HTTPClient{BasicAuth: &v1beta1.BasicAuth{SecretName: "none"}})
	twice := group("twice", "own", nil)
	status := func(g *v1beta1.PromxyServerGroup) metav1.Condition {
		require.NoError(t, op.Get(t.Context(), client.ObjectKeyFromObject(g), g))
		if c := meta.FindStatusCondition(g.Status.Conditions, v1beta1.ConditionPublished); c != nil {
			return *c
		}
		return metav1.Condition{}
	}
	op.eventually(t, "each says so itself", func() bool {
		return status(bad).Reason == "SecretNotFound" && status(twice).Reason == "NameTaken" && status(good).Status == metav1.ConditionTrue
	})
	require.Equal(t, `global:
  evaluation_interval: 30s
promxy:
  server_groups:
  - http_client:
      basic_auth:
        password: s3cret
        username: u
      dial_timeout: 2s
      tls_config:
        ca_file: /etc/promxy/ca-c8d8b699c85848f0.crt
        insecure_skip_verify: false
    ignore_error: true
    labels:
      promxyCluster: own
    path_prefix: /select/0/prometheus
    scheme: https
    static_configs:
    - targets:
      - own.example:8481
`, op.promxy(t))
	require.NotContains(t, status(bad).Message, "s3cret")

	g := &v1beta1.PromxyServerGroup{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "x"}, Spec: v1beta1.PromxyServerGroupSpec{ClusterName: "x", Targets: []string{"http://x:1"}}}
	require.ErrorContains(t, op.Create(t.Context(), g), "spec.targets[0]")
	g.Spec.Targets = []string{"x:1"}
	g.Spec.HTTPClient = &v1beta1.HTTPClient{TLS: &v1beta1.TLS{InsecureSkipVerify: true, CASecret: &v1beta1.SecretKey{Name: "a"}}}
	require.ErrorContains(t, op.Create(t.Context(), g), "exclude each other")
	g.Spec.HTTPClient = &v1beta1.HTTPClient{DialTimeout: &metav1.Duration{Duration: time.Hour}}
	require.ErrorContains(t, op.Create(t.Context(), g), "at most 1m")
}

func testValues(t *testing.T, op *operator) {
	r := regional(system, "eu1", "eu-west-1")
	a := r.config["clusterAnnotations"].(map[string]any)
	a[kcm.AnnotationStorageClass], a[kcm.AnnotationCertEmail] = "fast", "ops@example.com"
	a[kcm.AnnotationStorage] = "victoriametrics: {vmcluster: {spec: {retentionPeriod: 90d}}}"
	r.create(t, op.api)
	c := child("team-a", "shop", "eu-west-1")
	c.config["clusterAnnotations"] = map[string]any{kcm.AnnotationCollectors: "scrapeInterval: 15s\nregion: elsewhere\nagent: {env: {A: b}}"}
	key := c.create(t, op.api)
	op.inRegion(t, key, "eu1")
	require.Contains(t, op.values(t, key), "scrapeInterval: 15s\n")
	require.Contains(t, op.values(t, key), "region: eu1\n", "where data goes isn't a matter of values")
	var storage corev1.ConfigMap
	op.eventually(t, "storage values", func() bool {
		return op.Get(t.Context(), client.ObjectKey{Namespace: system, Name: "kof-storage-values-eu1"}, &storage) == nil
	})
	require.Contains(t, storage.Data["values.yaml"], "retentionPeriod: 90d")
	require.Contains(t, storage.Data["values.yaml"], "storageClass: fast")

	before := op.values(t, key)
	patch := []byte(`{"spec":{"config":{"clusterAnnotations":{"` + kcm.AnnotationCollectors + `":"a: s3cret: b"}}}}`)
	cd := &kcm.ClusterDeployment{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	require.NoError(t, op.Patch(t.Context(), cd, client.RawPatch("application/merge-patch+json", patch)))
	message := op.refused(t, key, v1beta1.ConditionValuesValid, "BadValues")
	require.Contains(t, message, kcm.AnnotationCollectors)
	require.NotContains(t, message, "s3cret")
	require.Equal(t, before, op.values(t, key), "what was published stays")
}

func testRules(t *testing.T, op *operator) {
	configMap := func(name, cluster, text string) *corev1.ConfigMap {
		c := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: name, Labels: map[string]string{controller.LabelRules: "true"}}, Data: map[string]string{"r.yaml": text}}
		if cluster != "" {
			c.Labels[kcm.LabelName] = cluster
		}
		require.NoError(t, op.Create(t.Context(), c))
		t.Cleanup(func() { _ = client.IgnoreNotFound(op.Delete(context.Background(), c)) })
		return c
	}
	merged := func() map[string]string {
		var c corev1.ConfigMap
		require.NoError(t, client.IgnoreNotFound(op.Get(t.Context(), client.ObjectKey{Namespace: system, Name: "kof-rules"}, &c))) // not there before the first
		return c.Data
	}
	all := configMap("all", "", "groups: [{name: g, rules: [{alert: A, expr: up == 0, labels: {severity: warning}}, {alert: A, expr: up == 1, labels: {severity: critical}}]}]")
	own := configMap("shop", "shop", "groups: [{name: g, rules: [{alert: A, for: 1h, labels: {severity: warning}}]}]")
	bad := configMap("bad", "", "groups: [{name: g, rules: [{alert: A, expr: 'sum('}]}]")
	op.eventually(t, "merged", func() bool {
		m := merged()
		return len(m) == 2 && strings.Contains(m["all.r.yaml"], `up{cluster!="shop"} == 0`) && strings.Contains(m["all.r.yaml"], "up == 1") &&
			strings.Contains(m["shop.r.yaml"], `up{cluster="shop"} == 0`)
	})
	op.eventually(t, "said on the bad one", func() bool {
		require.NoError(t, op.Get(t.Context(), client.ObjectKeyFromObject(bad), bad))
		return strings.Contains(bad.Annotations[controller.AnnotationProblem], "could not parse expression")
	})
	bad.Data["r.yaml"] = "groups: [{name: g, rules: [{alert: A, expr: up}]}]"
	require.NoError(t, op.Update(t.Context(), bad))
	op.eventually(t, "mended", func() bool {
		require.NoError(t, op.Get(t.Context(), client.ObjectKeyFromObject(bad), bad))
		return bad.Annotations[controller.AnnotationProblem] == "" && len(merged()) == 3
	})
	require.NoError(t, op.Delete(t.Context(), own))
	op.eventually(t, "for all again", func() bool { return len(merged()) == 2 && strings.Contains(merged()["all.r.yaml"], "up == 0") })
	require.NoError(t, op.Delete(t.Context(), all))
	require.NoError(t, op.Delete(t.Context(), bad))
	op.eventually(t, "none", func() bool { return len(merged()) == 0 })
}

// testOthers has objects of other people where outputs would go: they are not touched, and the cluster says so.
func testOthers(t *testing.T, op *operator) {
	foreign := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "kof-values-shop"}, Data: map[string]string{"a": "b"}}
	require.NoError(t, op.Create(t.Context(), foreign))
	regional(system, "eu1", "eu-west-1").create(t, op.api)
	c := child("team-a", "shop", "eu-west-1").create(t, op.api)
	require.Contains(t, op.refused(t, c, v1beta1.ConditionPublished, "Failed"), "the operator did not make")
	require.NoError(t, op.Get(t.Context(), client.ObjectKeyFromObject(foreign), foreign))
	require.Equal(t, map[string]string{"a": "b"}, foreign.Data)
	require.NoError(t, op.Delete(t.Context(), foreign))
	op.inRegion(t, c, "eu1")

	// A region's output, too: said of the Region, also in an Event.
	foreignSecret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "kof-query-eu2"}}
	require.NoError(t, op.Create(t.Context(), foreignSecret))
	regional(system, "eu2", "eu-west-2").create(t, op.api)
	op.eventually(t, "an Event of the Region", func() bool {
		var list eventsv1.EventList
		require.NoError(t, op.reader(t).List(t.Context(), &list, client.InNamespace(system)))
		return slices.ContainsFunc(list.Items, func(e eventsv1.Event) bool {
			return e.Regarding.Kind == "Region" && e.Regarding.Name == "eu2" && e.Reason == "Failed" && e.Action == "Publish" && strings.Contains(e.Note, "the operator did not make")
		})
	})
	require.NoError(t, op.Delete(t.Context(), foreignSecret))
	op.eventually(t, "published", func() bool {
		var r v1beta1.Region
		require.NoError(t, op.Get(t.Context(), client.ObjectKey{Namespace: system, Name: "eu2"}, &r))
		return meta.IsStatusConditionTrue(r.Status.Conditions, v1beta1.ConditionPublished)
	})

	// A Region written by hand under a regional cluster's name stays, too.
	hand := &v1beta1.Region{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "eu5"}, Spec: v1beta1.RegionSpec{Name: "mine", Domain: "mine.example"}}
	require.NoError(t, op.Create(t.Context(), hand))
	r := regional(system, "eu5", "eu-west-5").create(t, op.api)
	op.eventually(t, "the hand-written Region is used", func() bool { return strings.Contains(op.promxy(t), "mine.example") })
	require.Contains(t, op.refused(t, r, v1beta1.ConditionSettled, "BadClusterDeployment"), "the operator did not make")
}
