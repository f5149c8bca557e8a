// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTotal: what doesn't fit beside what is in force stays out, is named, and takes no rule from anyone.
func TestTotal(t *testing.T) {
	big := func(n int) string {
		return fmt.Sprintf("groups: [{name: big%d, rules: [{alert: Big, expr: up == 0, annotations: {text: %q}}]}]", n, strings.Repeat("x", 600))
	}
	all := Source{Name: "all", Files: map[string]string{"rules.yaml": defaults}}
	shop := of("shop", "groups: [{name: nodes, rules: [{alert: DiskFull, labels: {severity: warning}, for: 2h}]}]")
	first := mergeWithin(2500, []Source{all, {Name: "z", Files: map[string]string{"a": big(1), "b": big(2)}}}, nil)
	require.Empty(t, first.Problems)

	// A cluster's change doesn't fit: the rule for all still has the cluster.
	got := mergeWithin(2500, []Source{all, shop, {Name: "z", Files: map[string]string{"a": big(1), "b": big(2)}}, {Name: "a-new", Files: map[string]string{"a": big(3)}}}, first.Files)
	require.Equal(t, first.Files, got.Files)
	require.Len(t, got.Problems, 2)
	for _, source := range []string{"c-shop", "a-new"} {
		require.ErrorContains(t, errors.Join(got.Problems[source]...), "found more than 2500 bytes")
	}
	// With room, both come.
	got = mergeWithin(10_000, []Source{all, shop, {Name: "a-new", Files: map[string]string{"a": big(3)}}}, first.Files)
	require.Empty(t, got.Problems)
	require.Contains(t, got.Files["all.rules.yaml"], `cluster!="shop"`)

	// One that has grown stays as it was.
	got = mergeWithin(2500, []Source{all, {Name: "z", Files: map[string]string{"a": strings.ReplaceAll(big(1), "xxx", "xxxxxxxxxx"), "b": big(2)}}}, first.Files)
	require.Equal(t, first.Files, got.Files)
	require.Len(t, got.Problems, 1)
	require.Empty(t, mergeWithin(10, []Source{all}, nil).Files)
}
