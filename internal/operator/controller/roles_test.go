// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/kcm"
)

func testRoles(t *testing.T, op *operator) {
	r := regional(system, "eu1", "eu-west-1").create(t, op.api)
	c := child("team-a", "shop", "eu-west-1").create(t, op.api)
	op.inRegion(t, c, "eu1")
	// The child stops sending.
	op.label(t, c, map[string]any{kcm.LabelRole: nil})
	op.eventually(t, "nothing of the child", func() bool {
		for id := range op.outputs(t) {
			if strings.Contains(id, " team-a/") {
				return false
			}
		}
		return len(op.users(t, system, "eu1")) == 2
	})
	// The regional cluster becomes a child of another.
	regional(system, "eu2", "eu-west-1").create(t, op.api)
	op.label(t, r, map[string]any{kcm.LabelRole: kcm.RoleChild})
	op.inRegion(t, r, "eu2")
	op.eventually(t, "nothing of the region", func() bool {
		for id := range op.outputs(t) {
			if strings.HasPrefix(id, "Region ") && strings.HasSuffix(id, "/eu1") || strings.Contains(id, "kof-query-eu1") {
				return false
			}
		}
		return !strings.Contains(op.promxy(t), "eu1.example.com")
	})
}

func testConflicts(t *testing.T, op *operator) {
	regional(system, "eu1", "eu-west-1").create(t, op.api)
	c := child("team-a", "shop", "eu-west-1").create(t, op.api)
	op.inRegion(t, c, "eu1")
	// The same name in another namespace, and endpoints of another zone.
	regional("team-b", "eu1", "eu-west-1").create(t, op.api)
	thief := &v1beta1.Region{ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: "thief"}, Spec: v1beta1.RegionSpec{Name: "thief", Zone: "other", Domain: "eu1.example.com"}}
	require.NoError(t, op.Create(t.Context(), thief))
	for name, reason := range map[string]string{"eu1": "NameTaken", "thief": "Refused"} {
		var message string
		op.eventually(t, name+" is refused", func() bool {
			var r v1beta1.Region
			if op.Get(t.Context(), client.ObjectKey{Namespace: "team-b", Name: name}, &r) != nil {
				return false
			}
			for _, c := range r.Status.Conditions {
				if c.Type == v1beta1.ConditionAccepted && c.Status == metav1.ConditionFalse && c.Reason == reason {
					message = c.Message
					return true
				}
			}
			return false
		})
		require.NotEmpty(t, message)
	}
	op.inRegion(t, c, "eu1")
	op.quiet(t)
	require.Equal(t, 1, strings.Count(op.promxy(t), "targets"))

	// The schema refuses what would break agents.
	require.NoError(t, op.Get(t.Context(), client.ObjectKeyFromObject(thief), thief))
	thief.Spec.Zone = "zone-eu-west-1"
	require.ErrorContains(t, op.Update(t.Context(), thief), "the zone of a region can't change")
	bad := &v1beta1.Region{ObjectMeta: metav1.ObjectMeta{Namespace: "team-b", Name: "bad"}, Spec: v1beta1.RegionSpec{Name: "bad"}}
	require.ErrorContains(t, op.Create(t.Context(), bad), "one of domain and endpoints is required")
	bad.Spec = v1beta1.RegionSpec{Name: "a b", Domain: "x"}
	require.ErrorContains(t, op.Create(t.Context(), bad), "spec.name")
}
