// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/names"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/internal/region"
)

// TestOperator runs the operator on a real API server with the real CRDs. Each part ends with everything deleted, and nothing left over.
func TestOperator(t *testing.T) {
	a := newAPI(t)
	for name, test := range map[string]func(*testing.T, *operator){
		"assigns and publishes": testAssigns, "choice": testChoice, "rehoming": testRehoming, "rotation": testRotation,
		"roles change": testRoles, "regions conflict": testConflicts, "region gone": testRegionGone, "regionless": testRegionless,
		"promxy groups": testPromxyGroups, "values": testValues, "restart": testRestart,
		"rules": testRules, "budgets": testBudgets, "objects of others": testOthers,
	} {
		t.Run(name, func(t *testing.T) {
			op := a.start(t)
			defer func() {
				if t.Failed() { // so that the others can still tell something
					op.wipe(t)
				}
			}()
			test(t, op)
			if name == "restart" {
				op = a.start(t) // the test ended the first
			}
			op.clear(t)
			op.stop()
		})
	}
}

// objectsOf reads a bundle.
func objectsOf(t *testing.T, s corev1.Secret) map[string]map[string]any {
	t.Helper()
	require.Equal(t, corev1.SecretType(output.BundleType), s.Type)
	out := map[string]map[string]any{}
	for _, text := range strings.Split(string(s.Data["objects.yaml"]), "---\n")[1:] {
		var o map[string]any
		require.NoError(t, yaml.UnmarshalStrict([]byte(text), &o))
		m := o["metadata"].(map[string]any)
		out[o["kind"].(string)+"/"+m["name"].(string)] = o
	}
	return out
}

// users returns the names of the VMUsers that a regional cluster gets.
func (a *api) users(t *testing.T, namespace, regional string) []string {
	t.Helper()
	var out []string
	for i := range output.UserShards {
		var s corev1.Secret
		key := client.ObjectKey{Namespace: namespace, Name: names.In("kof-users-"+string("0123456789abcdef"[i]), regional)}
		if i >= 10 {
			key.Name = names.In("kof-users-1"+string("0123456789"[i-10]), regional)
		}
		if client.IgnoreNotFound(a.Get(t.Context(), key, &s)) != nil || s.Name == "" {
			return nil
		}
		for id := range objectsOf(t, s) {
			if user, is := strings.CutPrefix(id, "VMUser/"); is {
				out = append(out, user)
			}
		}
	}
	return out
}

func testAssigns(t *testing.T, op *operator) {
	regional(system, "eu1", "eu-west-1").create(t, op.api)
	c := child("team-a", "shop-prod-1", "eu-west-1")
	c.labels = map[string]string{kcm.LabelTenant: "acme", kcm.LabelName: "shop"}
	key := c.create(t, op.api)
	op.inRegion(t, key, "eu1")
	s := op.assignment(t, key)
	require.Equal(t, "Location", s.Spec.Rule)
	require.Equal(t, "ClusterDeployment", s.OwnerReferences[0].Kind)
	require.Len(t, s.Status.History, 1)

	var values corev1.ConfigMap
	require.NoError(t, op.Get(t.Context(), client.ObjectKey{Namespace: "team-a", Name: "kof-values-shop-prod-1"}, &values))
	require.Equal(t, s.UID, values.OwnerReferences[0].UID)
	var v struct {
		Cluster         struct{ Name, Namespace string }
		Region, Tenant  string
		RegionDirectory struct {
			ConfigMap   string
			Credentials map[string]struct{ Secret string }
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(values.Data["values.yaml"]), &v))
	require.Equal(t, []string{"shop", "team-a", "eu1", "acme", "kof-regions"}, []string{v.Cluster.Name, v.Cluster.Namespace, v.Region, v.Tenant, v.RegionDirectory.ConfigMap})

	// What the values name is in the bundle, and the user in it is one that the region takes.
	bundle := objectsOf(t, op.secret(t, "team-a", "kof-bundle-shop-prod-1"))
	directory := bundle["ConfigMap/kof-regions"]["data"].(map[string]any)["regions.yaml"].(string)
	d, err := region.Parse([]byte(directory))
	require.NoError(t, err)
	require.Equal(t, "https://vmauth.eu1.example.com/vm/insert/0/prometheus/api/v1/write", d.Regions["eu1"].Metrics.URL)
	require.Equal(t, "zone-eu-west-1", d.Regions["eu1"].Zone)
	require.Contains(t, bundle, "Secret/"+v.RegionDirectory.Credentials["eu1"].Secret)
	login := op.secret(t, "team-a", output.LoginName(output.Owner{Namespace: "team-a", Name: "shop-prod-1"}, "eu1"))
	op.eventually(t, "the region knows the user", func() bool {
		users := op.users(t, system, "eu1")
		return len(users) == 3 && contains(users, string(login.Data["username"])) // the child, the regional cluster itself, queries
	})

	// What asks the region.
	op.eventually(t, "the region in Promxy", func() bool { return strings.Contains(op.promxy(t), "vmauth.eu1.example.com:443") })
	require.Contains(t, op.promxy(t), string(op.secret(t, system, "kof-query-eu1").Data["password"]))
	outputs := op.outputs(t)
	for _, o := range []string{
		"PromxyServerGroup kcm-system/kof-eu1", "GrafanaDatasource kcm-system/kof-logs-eu1", "GrafanaDatasource kcm-system/kof-traces-eu1",
		"ConfigMap kcm-system/kof-regions", "ConfigMap kcm-system/kof-storage-values-eu1",
	} {
		require.Contains(t, outputs, o)
	}
	op.acceptable(t, bundle)
	for _, u := range output.Services("a", "b", "kof") {
		u.SetName("test-" + u.GetName())
		op.acceptable(t, map[string]map[string]any{"": u.Object})
	}
	for _, u := range (output.Owner{Kind: output.OwnerRegion, Namespace: system, Name: "eu1"}).Datasources(v1beta1.RegionSpec{Name: "test", Domain: "test.example"}) {
		u.SetName("test-" + u.GetName())
		op.acceptable(t, map[string]map[string]any{"": u.Object})
	}
	op.acceptable(t, objectsOf(t, op.secret(t, system, "kof-users-0-eu1")))
	op.eventually(t, "an Event", func() bool {
		var list eventsv1.EventList
		require.NoError(t, op.reader(t).List(t.Context(), &list, client.InNamespace("team-a")))
		for _, e := range list.Items {
			if e.Reason == "Assigned" && e.Regarding.Kind == "ClusterDeployment" && e.Regarding.Name == "shop-prod-1" {
				return strings.Contains(e.Note, `"eu1" by rule Location`)
			}
		}
		return false
	})
}

// acceptable has the API server check objects, unknown fields included, without storing them.
func (a *api) acceptable(t *testing.T, objects map[string]map[string]any) {
	t.Helper()
	strict := client.WithFieldValidation(a.Client, metav1.FieldValidationStrict)
	for id, o := range objects {
		u := &unstructured.Unstructured{Object: o}
		u.SetName("dry-" + u.GetName())
		if u.GetNamespace() != "" {
			u.SetNamespace(system) // that of the cluster isn't there
		}
		require.NoError(t, strict.Create(t.Context(), u, client.DryRunAll), id)
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func testChoice(t *testing.T, op *operator) {
	regional(system, "us1", "us-east-1").create(t, op.api)
	first := child("team-a", "first", "us-east-1").create(t, op.api)
	op.inRegion(t, first, "us1")
	regional(system, "us2", "us-east-1").create(t, op.api)
	op.eventually(t, "the second region", func() bool { return strings.Contains(op.promxy(t), "us2.example.com") })

	second := child("team-a", "second", "us-east-1").create(t, op.api)
	message := op.refused(t, second, v1beta1.ConditionAssigned, "Tie")
	require.Contains(t, message, "kcm-system/us1 and kcm-system/us2")
	// Who has a region keeps it.
	require.Contains(t, op.refused(t, first, v1beta1.ConditionSettled, "Tie"), "kcm-system/us1 and kcm-system/us2")
	op.inRegion(t, first, "us1")

	op.label(t, second, map[string]any{kcm.LabelRegional: "us2"})
	op.inRegion(t, second, "us2")
	require.Equal(t, "Label", op.assignment(t, second).Spec.Rule)

	nowhere := child("team-a", "nowhere", "eu-north-1").create(t, op.api)
	require.Contains(t, op.refused(t, nowhere, v1beta1.ConditionAssigned, "NoRegion"), "aws eu-north-1")
	op.label(t, nowhere, map[string]any{kcm.LabelRegional: "us9"})
	op.refused(t, nowhere, v1beta1.ConditionAssigned, "RegionNotFound")

	// A team's region attracts only the team's clusters, unless a label names its namespace.
	regional("team-b", "b1", "eu-north-1").create(t, op.api)
	op.label(t, nowhere, map[string]any{kcm.LabelRegional: nil})
	op.refused(t, nowhere, v1beta1.ConditionAssigned, "NoRegion")
	own := child("team-b", "own", "eu-north-1").create(t, op.api)
	op.inRegion(t, own, "b1")
	op.label(t, nowhere, map[string]any{kcm.LabelRegional: "b1", kcm.LabelRegionalNamespace: "team-b"})
	op.inRegion(t, nowhere, "b1")

	// Names of one kind in two namespaces.
	long := strings.Repeat("x", 60)
	for _, n := range []string{"team-a", "team-b"} {
		c := child(n, long, "")
		c.labels = map[string]string{kcm.LabelRegional: "us1"}
		op.inRegion(t, c.create(t, op.api), "us1")
	}
	op.eventually(t, "both are users", func() bool { return len(op.users(t, system, "us1")) == 5 })
	for id := range op.outputs(t) {
		require.LessOrEqual(t, len(id[strings.LastIndex(id, "/")+1:]), 63, id)
	}
}

func (a *api) reader(t *testing.T) client.Client {
	t.Helper()
	scheme := a.Scheme()
	require.NoError(t, eventsv1.AddToScheme(scheme))
	return a.Client
}
