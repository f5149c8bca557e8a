// SPDX-License-Identifier: Apache-2.0

package regions

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
)

func many(n int) []v1beta1.Region {
	out := make([]v1beta1.Region, n)
	for i := range out {
		name := fmt.Sprintf("region-%03d", i)
		out[i].Namespace, out[i].Name = "kof", name
		out[i].CreationTimestamp = metav1.NewTime(time.Unix(int64(1_700_000_000+i), 0))
		out[i].Spec = v1beta1.RegionSpec{Name: name, Domain: name + ".example.com", Cloud: "aws", Location: name}
	}
	return out
}

func key(r v1beta1.Region) types.NamespacedName {
	return types.NamespacedName{Namespace: r.Namespace, Name: r.Name}
}

func TestAccept(t *testing.T) {
	items := many(Max + 1)
	set := Accept(InOrder(items))
	require.Len(t, set.Specs, Max)
	require.Len(t, set.Candidates, Max)
	require.Equal(t, "there are 500 regions already, the most that are allowed", set.Refused[key(items[Max])].Message)

	// The older of two that don't go together stays; a message says nothing of a file that nobody sees.
	items = many(3)
	items[2].Spec.Domain = items[0].Spec.Domain
	items[1].Spec.Name = items[0].Spec.Name
	set = Accept(InOrder([]v1beta1.Region{items[2], items[1], items[0]}))
	require.Len(t, set.Specs, 1)
	require.Equal(t, ReasonNameTaken, set.Refused[key(items[1])].Reason)
	refused := set.Refused[key(items[2])]
	require.Equal(t, ReasonRefused, refused.Reason)
	require.Contains(t, refused.Message, "allowed: endpoints of one zone only")
	require.NotContains(t, refused.Message, "(line ")

	items[0].DeletionTimestamp = &metav1.Time{Time: time.Now()}
	require.Len(t, InOrder(items), 2, "without what is being deleted")
	require.Len(t, Short(strings.Repeat("é", 1000)), maxMessage+len("…"))
}

func TestNeeded(t *testing.T) {
	items := many(4)
	for i := range items {
		items[i].Spec.Zone = "z"
	}
	items[0].Spec.Failover = []string{"region-002", "region-001", "gone"}
	set := Accept(items)
	names := func(a v1beta1.RegionAssignmentSpec) string {
		var out []string
		for _, s := range set.Needed(a) {
			out = append(out, strings.TrimPrefix(s.Name, "region-00"))
		}
		return strings.Join(out, " ")
	}
	require.Equal(t, "0 2 1", names(v1beta1.RegionAssignmentSpec{Region: "region-000"}))
	require.Equal(t, "0 1 2", names(v1beta1.RegionAssignmentSpec{Region: "region-000", Moving: &v1beta1.Moving{Other: "region-001"}}))
	require.Equal(t, "3", names(v1beta1.RegionAssignmentSpec{Region: "region-003", Moving: &v1beta1.Moving{Other: "gone"}}))
}

// TestState keeps a plan's state and reads it again.
func TestState(t *testing.T) {
	now := metav1.NewTime(time.Unix(1_700_000_000, 0))
	for _, a := range []v1beta1.RegionAssignmentSpec{
		{ClusterName: "c"},
		{ClusterName: "c", Region: "eu", Zone: "z", Rule: "Label", Since: &now},
		{ClusterName: "c", Region: "eu", Zone: "z", Rule: "Label", Since: &now, Moving: &v1beta1.Moving{Phase: "Draining", Other: "us", Rule: "Label", Since: now}},
	} {
		require.Equal(t, a, Assignment("c", State(a)))
	}
}

func BenchmarkAccept(b *testing.B) {
	items := many(Max)
	b.ReportAllocs()
	for b.Loop() {
		Accept(items)
	}
}
