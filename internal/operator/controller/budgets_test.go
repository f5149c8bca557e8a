// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/budget"
	"github.com/k0rdent/kof/internal/operator/controller"
)

// testBudgets: budgets become rules; a bad one says so on its own ConfigMap, keeps what it was before, and holds up no other.
func testBudgets(t *testing.T, op *operator) {
	configMap := func(name, text string) *corev1.ConfigMap {
		c := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: name, Labels: map[string]string{controller.LabelBudgets: "true"}}, Data: map[string]string{"b.yaml": text}}
		require.NoError(t, op.Create(t.Context(), c))
		t.Cleanup(func() { _ = client.IgnoreNotFound(op.Delete(context.Background(), c)) })
		return c
	}
	rules := func() map[string]string {
		var c corev1.ConfigMap
		require.NoError(t, client.IgnoreNotFound(op.Get(t.Context(), client.ObjectKey{Namespace: system, Name: "kof-rules"}, &c))) // not there before the first
		return c.Data
	}
	problem := func(c *corev1.ConfigMap) string {
		require.NoError(t, op.Get(t.Context(), client.ObjectKeyFromObject(c), c))
		return c.Annotations[controller.AnnotationProblem]
	}
	change := func(c *corev1.ConfigMap, text string) {
		require.NoError(t, op.Get(t.Context(), client.ObjectKeyFromObject(c), c))
		c.Data["b.yaml"] = text
		require.NoError(t, op.Update(t.Context(), c))
	}
	shop := configMap("shop", "shop: {amount: 1000, scope: {cluster: shop}}")
	bad := configMap("bad", "typo: {amount: -1, scope: {cluster: c}}")
	op.eventually(t, "the good one is there", func() bool {
		text := rules()["shop.b.budgets.yaml"]
		return strings.Contains(text, budget.AlertSpent) && strings.Contains(text, `{cluster="shop"}`) && strings.Contains(text, "/"+budget.AlertForecast+".md")
	})
	op.eventually(t, "the bad one says so", func() bool { return strings.Contains(problem(bad), "typo.amount: found -1; allowed: a number above 0") })
	require.Empty(t, problem(shop))
	require.NotContains(t, rules()["shop.b.budgets.yaml"], "record:", "vmalert has nowhere to write")
	require.NotContains(t, rules(), "bad.b.budgets.yaml")

	twice := configMap("twice", "shop: {amount: 5, scope: {cluster: other}}")
	op.eventually(t, "a name is there once", func() bool {
		return strings.Contains(problem(twice), "found a budget of this name in ConfigMap shop, key b.yaml")
	})

	change(shop, "shop: {amount: 2000, scope: {}}")
	op.eventually(t, "a change for the worse", func() bool { return strings.Contains(problem(shop), "shop.scope: found nothing") })
	require.Contains(t, rules()["shop.b.budgets.yaml"], "> 800", "what it said before stays")

	change(shop, "shop: {amount: 2000, scope: {cluster: shop}}")
	op.eventually(t, "mended", func() bool { return problem(shop) == "" && strings.Contains(rules()["shop.b.budgets.yaml"], "> 1600") })

	// Another month, when something is looked at anyhow; by itself, every five minutes.
	later := 40 * 24 * time.Hour
	op.ahead.Store(int64(later))
	change(shop, "shop: {amount: 3000, scope: {cluster: shop}}")
	start := strconv.FormatInt(budget.MonthOf(time.Now().Add(later)).Start.Unix(), 10)
	op.eventually(t, "the next month", func() bool { return strings.Contains(rules()["shop.b.budgets.yaml"], "bool "+start) })
	op.ahead.Store(0)

	for _, c := range []*corev1.ConfigMap{shop, bad, twice} {
		require.NoError(t, op.Delete(t.Context(), c))
	}
	op.eventually(t, "none", func() bool { return len(rules()) == 0 })
}
