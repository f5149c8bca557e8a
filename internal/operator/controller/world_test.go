// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/output"
)

// cluster is a ClusterDeployment to be made.
type cluster struct {
	namespace, name, role, template string
	labels                          map[string]string
	config                          map[string]any
}

func (c cluster) key() client.ObjectKey {
	return client.ObjectKey{Namespace: c.namespace, Name: c.name}
}

func (c cluster) object() *unstructured.Unstructured {
	l := map[string]string{kcm.LabelRole: c.role}
	for k, v := range c.labels {
		l[k] = v
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"template": c.template, "config": c.config}}}
	u.SetGroupVersionKind(kcm.GroupVersion.WithKind("ClusterDeployment"))
	u.SetNamespace(c.namespace)
	u.SetName(c.name)
	u.SetLabels(l)
	return u
}

func (c cluster) create(t *testing.T, a *api) client.ObjectKey {
	t.Helper()
	require.NoError(t, a.Create(t.Context(), c.object()))
	return c.key()
}

func (a *api) label(t *testing.T, key client.ObjectKey, labels map[string]any) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": labels}})
	require.NoError(t, err)
	cd := &kcm.ClusterDeployment{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	require.NoError(t, a.Patch(t.Context(), cd, client.RawPatch("application/merge-patch+json", patch)))
}

func regional(namespace, name, location string) cluster {
	return cluster{namespace, name, kcm.RoleRegional, "aws-standalone-cp-1-0-14", nil, map[string]any{
		"region": location, "clusterAnnotations": map[string]any{kcm.AnnotationDomain: name + ".example.com", kcm.AnnotationZone: "zone-" + location},
	}}
}

func child(namespace, name, location string) cluster {
	return cluster{namespace, name, kcm.RoleChild, "aws-standalone-cp-1-0-14", nil, map[string]any{"region": location}}
}

func (a *api) assignment(t *testing.T, key client.ObjectKey) v1beta1.RegionAssignment {
	t.Helper()
	var out v1beta1.RegionAssignment
	require.NoError(t, client.IgnoreNotFound(a.Get(t.Context(), key, &out)))
	return out
}

func (a *api) eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	require.Eventually(t, is, wait, tick, what)
}

// inRegion waits until a cluster has a region and its outputs.
func (a *api) inRegion(t *testing.T, key client.ObjectKey, region string) {
	t.Helper()
	a.eventually(t, key.String()+" in "+region, func() bool {
		s := a.assignment(t, key)
		return s.Spec.Region == region && meta.IsStatusConditionTrue(s.Status.Conditions, v1beta1.ConditionPublished)
	})
}

// waits until a cluster's condition is false for a reason, and returns the message.
func (a *api) refused(t *testing.T, key client.ObjectKey, kind, reason string) string {
	t.Helper()
	var message string
	a.eventually(t, key.String()+": "+reason, func() bool {
		c := meta.FindStatusCondition(a.assignment(t, key).Status.Conditions, kind)
		if c == nil || c.Status != metav1.ConditionFalse || c.Reason != reason {
			return false
		}
		message = c.Message
		return true
	})
	return message
}

// outputs lists everything that the operator wrote, as kind namespace/name.
func (a *api) outputs(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for kind, version := range map[string]string{
		"Secret": "v1", "ConfigMap": "v1", "Region": v1beta1.GroupVersion.String(), "RegionAssignment": v1beta1.GroupVersion.String(),
		"PromxyServerGroup": v1beta1.GroupVersion.String(), output.DatasourceKind: output.GrafanaVersion,
		"VMUser": "operator.victoriametrics.com/v1beta1", "MultiClusterService": kcm.GroupVersion.String(),
	} {
		list := &unstructured.UnstructuredList{}
		list.SetAPIVersion(version)
		list.SetKind(kind + "List")
		require.NoError(t, a.List(t.Context(), list, client.MatchingLabels{output.LabelManagedBy: output.ManagedBy}))
		for _, u := range list.Items {
			out[kind+" "+client.ObjectKeyFromObject(&u).String()] = u.GetResourceVersion()
		}
	}
	return out
}

// platformOutputs are what is there without any region.
var platformOutputs = []string{
	"Secret kcm-system/kof-promxy-config", "ConfigMap kcm-system/kof-rules", "GrafanaDatasource kcm-system/kof-metrics", "MultiClusterService /kof-collectors", "MultiClusterService /kof-storage",
}

// clear deletes all clusters and Regions, and requires that nothing of them is left.
func (op *operator) clear(t *testing.T) {
	t.Helper()
	op.wipe(t)
	var left map[string]string
	if !waitFor(func() bool { left = op.outputs(t); return len(left) == len(platformOutputs) }) {
		t.Fatalf("left: %v", left)
	}
	for _, o := range platformOutputs {
		require.Contains(t, left, o)
	}
	op.eventually(t, "nothing in Promxy", func() bool { return !strings.Contains(op.promxy(t), "targets") })
}

// quiet waits until nothing is written any more, and returns what is there.
func (a *api) quiet(t *testing.T) map[string]string {
	t.Helper()
	last, since := a.outputs(t), time.Now()
	a.eventually(t, "no more writes", func() bool {
		if now := a.outputs(t); !reflect.DeepEqual(now, last) {
			last, since = now, time.Now()
		}
		return time.Since(since) > 3*time.Second // three times as long as a Region waits for more changes
	})
	return last
}

func (a *api) wipe(t *testing.T) {
	t.Helper()
	for _, n := range namespaces {
		for _, o := range []client.Object{&kcm.ClusterDeployment{}, &v1beta1.Region{}, &v1beta1.PromxyServerGroup{}} {
			require.NoError(t, a.DeleteAllOf(context.Background(), o, client.InNamespace(n)))
		}
	}
}

func waitFor(is func() bool) bool {
	for end := time.Now().Add(wait); time.Now().Before(end); time.Sleep(tick) {
		if is() {
			return true
		}
	}
	return false
}

func (a *api) secret(t *testing.T, namespace, name string) corev1.Secret {
	t.Helper()
	var s corev1.Secret
	require.NoError(t, a.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, &s))
	return s
}

func (a *api) promxy(t *testing.T) string {
	t.Helper()
	return string(a.secret(t, system, output.PromxyName).Data[output.PromxyKey])
}
