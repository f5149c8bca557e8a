// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/output"
)

func (a *api) values(t *testing.T, key client.ObjectKey) string {
	t.Helper()
	var values corev1.ConfigMap
	require.NoError(t, a.Get(t.Context(), client.ObjectKey{Namespace: key.Namespace, Name: "kof-values-" + key.Name}, &values))
	return values.Data["values.yaml"]
}

func (a *api) userOf(t *testing.T, key client.ObjectKey, region string) string {
	t.Helper()
	var s corev1.Secret
	name := output.LoginName(output.Owner{Namespace: key.Namespace, Name: key.Name}, region)
	require.NoError(t, client.IgnoreNotFound(a.Get(t.Context(), client.ObjectKey{Namespace: key.Namespace, Name: name}, &s)))
	return string(s.Data["username"])
}

func testRehoming(t *testing.T, op *operator) {
	regional(system, "eu1", "eu-west-1").create(t, op.api)
	regional(system, "us1", "us-east-1").create(t, op.api)
	c := child("team-a", "shop", "eu-west-1").create(t, op.api)
	op.inRegion(t, c, "eu1")
	phase := func(want, home string) {
		t.Helper()
		op.eventually(t, want, func() bool {
			s := op.assignment(t, c).Spec
			return (s.Moving == nil && want == "" || s.Moving != nil && s.Moving.Phase == want) && s.Region == home &&
				strings.Contains(op.values(t, c), "region: "+home+"\n")
		})
	}
	op.label(t, c, map[string]any{kcm.LabelRegional: "us1"})
	// The new region first: it knows the cluster, and the cluster has its credentials and still its old home.
	phase("Preparing", "eu1")
	op.eventually(t, "both regions take the cluster", func() bool {
		return contains(op.users(t, system, "eu1"), op.userOf(t, c, "eu1")) && contains(op.users(t, system, "us1"), op.userOf(t, c, "us1"))
	})
	op.eventually(t, "and it has both credentials", func() bool { return strings.Count(op.values(t, c), "secret:") == 2 })
	op.refused(t, c, v1beta1.ConditionSettled, "Preparing")

	op.later(t, op.options().Rehoming.Prepare+time.Second, c)
	phase("Draining", "us1")
	require.Equal(t, 2, strings.Count(op.values(t, c), "secret:"))
	require.NotEmpty(t, op.userOf(t, c, "eu1"), "what is held for the old region can still be delivered")

	op.later(t, op.options().Rehoming.Drain+time.Second, c)
	phase("", "us1")
	op.eventually(t, "the old region forgets the cluster", func() bool {
		return op.userOf(t, c, "eu1") == "" && strings.Count(op.values(t, c), "secret:") == 1 && len(op.users(t, system, "eu1")) == 2
	})
	var events []string
	for _, d := range op.assignment(t, c).Status.History {
		events = append(events, d.Event)
	}
	require.Equal(t, []string{"RehomingFinished", "RehomingSwitched", "RehomingPrepared", "Assigned"}, events)
}

func testRotation(t *testing.T, op *operator) {
	regional(system, "eu1", "eu-west-1").create(t, op.api)
	c := child("team-a", "shop", "eu-west-1").create(t, op.api)
	op.inRegion(t, c, "eu1")
	old := op.userOf(t, c, "eu1")
	has := func(users ...string) func() bool {
		return func() bool {
			got := op.users(t, system, "eu1")
			n := 0
			for _, u := range got {
				if strings.HasPrefix(u, strings.TrimSuffix(old, "1")) {
					n++
				}
			}
			for _, u := range users {
				if !contains(got, u) {
					return false
				}
			}
			return n == len(users)
		}
	}
	op.eventually(t, "one user", has(old))
	op.eventually(t, "the region in Promxy", func() bool { return strings.Contains(op.promxy(t), "eu1.example.com") })
	promxy := op.promxy(t)
	op.annotate(t, &kcm.ClusterDeployment{ObjectMeta: metav1.ObjectMeta{Namespace: c.Namespace, Name: c.Name}}, kcm.AnnotationRotate, "1")
	next := strings.TrimSuffix(old, "1") + "2"
	op.eventually(t, "the region takes both", has(old, next))
	require.Equal(t, old, op.userOf(t, c, "eu1"), "the cluster has the old one until then")

	op.later(t, op.options().Rotation.Overlap+time.Second, c)
	op.eventually(t, "the cluster has the new one", func() bool {
		return op.userOf(t, c, "eu1") == next && strings.Contains(string(op.secret(t, "team-a", "kof-bundle-shop").Data["objects.yaml"]), "kof-login-eu1")
	})
	op.eventually(t, "the region still takes both", has(old, next))
	op.later(t, op.options().Rotation.Overlap+time.Second, c)
	op.eventually(t, "only the new one", has(next))
	require.Equal(t, promxy, op.promxy(t), "no other credential changed")
}

func testRegionGone(t *testing.T, op *operator) {
	r := regional(system, "eu1", "eu-west-1").create(t, op.api)
	c := child("team-a", "shop", "eu-west-1").create(t, op.api)
	op.inRegion(t, c, "eu1")
	other := &v1beta1.Region{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "rest"}, Spec: v1beta1.RegionSpec{Name: "rest", Domain: "rest.example.com", Fallback: true}}
	require.NoError(t, op.Create(t.Context(), other))
	require.NoError(t, op.Delete(t.Context(), &kcm.ClusterDeployment{ObjectMeta: metav1.ObjectMeta{Namespace: r.Namespace, Name: r.Name}}))
	op.eventually(t, "nothing of it in Promxy", func() bool { return !strings.Contains(op.promxy(t), "eu1.example.com") })
	require.Contains(t, op.refused(t, c, v1beta1.ConditionAssigned, "RegionGone"), `"eu1"`)
	require.Contains(t, op.refused(t, c, v1beta1.ConditionSettled, "ZoneWouldChange"), `"zone-eu-west-1"`)
	require.Contains(t, op.values(t, c), "region: eu1\n", "the agents stay and hold")
	var directory corev1.ConfigMap
	op.eventually(t, "nothing of it in the directory", func() bool {
		require.NoError(t, op.Get(t.Context(), client.ObjectKey{Namespace: system, Name: "kof-regions"}, &directory))
		return !strings.Contains(directory.Data["regions.yaml"], "eu1") && strings.Contains(directory.Data["regions.yaml"], "rest")
	})
	for id := range op.outputs(t) {
		require.False(t, strings.Contains(id, "kcm-system/") && strings.Contains(id, "eu1"), id)
	}
	// Another of the same zone takes over by itself.
	regional(system, "eu9", "eu-west-1").create(t, op.api)
	op.inRegion(t, c, "eu9")
}

func testRegionless(t *testing.T, op *operator) {
	home := &v1beta1.Region{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "home"}, Spec: v1beta1.RegionSpec{Name: "home", Fallback: true, Endpoints: &v1beta1.Endpoints{
		Metrics: "http://vmauth.kof.svc:8427/vm/insert/0/prometheus/api/v1/write", MetricsQuery: "http://vmauth.kof.svc:8427/vm/select/0/prometheus",
	}}}
	require.NoError(t, op.Create(t.Context(), home))
	adopted := cluster{"team-a", "old", kcm.RoleChild, "adopted-cluster-1-0-1", nil, map[string]any{}}.create(t, op.api)
	op.inRegion(t, adopted, "home")
	require.Equal(t, "Fallback", op.assignment(t, adopted).Spec.Rule)
	// The region is on this cluster: its users are VMUsers here, which the real CRD takes.
	user := &unstructured.Unstructured{}
	user.SetAPIVersion("operator.victoriametrics.com/v1beta1")
	user.SetKind("VMUser")
	op.eventually(t, "a VMUser", func() bool {
		return op.Get(t.Context(), client.ObjectKey{Namespace: system, Name: op.userOf(t, adopted, "home")}, user) == nil
	})
	require.Equal(t, "Region", user.GetOwnerReferences()[0].Kind)
	op.eventually(t, "the region in Promxy", func() bool { return strings.Contains(op.promxy(t), "vmauth.kof.svc:8427") })
	// A changed and a deleted output come back.
	require.NoError(t, op.Delete(t.Context(), user))
	op.eventually(t, "again", func() bool { return op.Get(t.Context(), client.ObjectKeyFromObject(user), user) == nil })
	values := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "kof-values-old"}}
	require.NoError(t, op.Patch(t.Context(), values, client.RawPatch("application/merge-patch+json", []byte(`{"data":{"values.yaml":"region: stolen\n"}}`))))
	op.eventually(t, "mended", func() bool { return strings.Contains(op.values(t, adopted), "region: home\n") })
}

func testRestart(t *testing.T, op *operator) {
	r := regional(system, "eu1", "eu-west-1").create(t, op.api)
	c := child("team-a", "shop", "eu-west-1").create(t, op.api)
	gone := child("team-a", "gone", "eu-west-1").create(t, op.api)
	op.inRegion(t, c, "eu1")
	op.inRegion(t, gone, "eu1")
	op.eventually(t, "all users", func() bool { return len(op.users(t, system, "eu1")) == 4 })
	before := op.quiet(t)
	op.stop()
	user := op.userOf(t, c, "eu1")
	require.NoError(t, op.Delete(t.Context(), &kcm.ClusterDeployment{ObjectMeta: metav1.ObjectMeta{Namespace: gone.Namespace, Name: gone.Name}}))
	// A deletion that no operator saw.
	again := op.start(t)
	again.eventually(t, "nothing of what is gone", func() bool {
		for id := range again.outputs(t) {
			if strings.Contains(id, "gone") {
				return false
			}
		}
		return len(again.users(t, system, "eu1")) == 3
	})
	require.Equal(t, user, again.userOf(t, c, "eu1"), "a restart makes no new login")
	again.inRegion(t, c, "eu1")
	for id, version := range again.outputs(t) {
		if id != "Region kcm-system/eu1" && !strings.Contains(id, "kof-users") { // both know of one cluster less
			require.Equal(t, before[id], version, "%s was written without need", id)
		}
	}
	again.stop()
	// The last region goes while no operator runs.
	require.NoError(t, op.Delete(t.Context(), &kcm.ClusterDeployment{ObjectMeta: metav1.ObjectMeta{Namespace: r.Namespace, Name: r.Name}}))
	last := op.start(t)
	last.eventually(t, "nothing in Promxy", func() bool { return !strings.Contains(last.promxy(t), "eu1") })
	last.stop()
}
