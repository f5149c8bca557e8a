// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	got, err := Parse(`
shop: {amount: 1000, currency: EUR, scope: {cluster: prod-1, namespace: shop}, thresholds: {spent: [0.5, 1], forecast: 1.2}}
payments: {amount: 20.5, scope: {label: {example.com/cost-center: "4711"}}}
`)
	require.NoError(t, err)
	share := func(f float64) *float64 { return &f }
	require.Equal(t, map[string]Budget{
		"shop":     {1000, "EUR", Scope{Cluster: "prod-1", Namespace: "shop"}, Thresholds{[]float64{0.5, 1}, share(1.2)}},
		"payments": {20.5, "", Scope{Label: map[string]string{"example.com/cost-center": "4711"}}, Thresholds{[]float64{0.8, 1}, share(1)}},
	}, got)
	got, err = Parse("")
	require.NoError(t, err)
	require.Empty(t, got)
}

func TestParseNamesEachProblem(t *testing.T) {
	for text, want := range map[string][]string{
		"a: [":                                {"yaml"},
		"a: {amount: 1, scop: {}}":            {"field scop not found"},
		"a: {amount: 1, amount: 2}":           {"already defined"},
		"a: {amount: much}":                   {"much"},
		"a: {}\n---\nb: {}":                   {"second document"},
		"A: {amount: 1, scope: {cluster: c}}": {`found the name "A"`},
		"a: {amount: -3, currency: Euro, scope: {}}": {
			"a.amount: found -3; allowed: a number above 0", `a.currency: found "Euro"`, "a.scope: found nothing; allowed: at least one of cluster, namespace, tenant, label",
		},
		"a: {amount: .inf, scope: {tenant: t}}":         {"a.amount: found +Inf"},
		"a: {amount: .nan, scope: {tenant: t}}":         {"a.amount: found NaN"},
		"a: {scope: {tenant: t}}":                       {"a.amount: found 0"},
		"a: {amount: 1, scope: {label: {a: b, c: d}}}":  {"a.scope.label: found 2 labels; allowed: one"},
		"a: {amount: 1, scope: {label: {teamName: b}}}": {`a.scope.label: found "teamName"`},
		`a: {amount: 1, scope: {label: {team: ""}}}`:    {"a.scope.label.team: found nothing"},
		"a: {amount: 1, scope: {tenant: t}, thresholds: {spent: [0, 1, 0.5, 80], forecast: -1}}": {
			"a.thresholds.spent[0]: found 0; allowed: a share above 0 to 10", "a.thresholds.spent[2]: found 0.5; allowed: more than the one before",
			"a.thresholds.spent[3]: found 80", "a.thresholds.forecast: found -1",
		},
		strings.Repeat("#", MaxFileBytes+1): {"allowed: at most 262144"},
	} {
		_, err := Parse(text)
		for _, w := range want {
			require.ErrorContains(t, err, w, "%.80s", text)
		}
	}
	var many strings.Builder
	for i := range MaxBudgets + 1 {
		fmt.Fprintf(&many, "b%d: {amount: 1, scope: {tenant: t}}\n", i)
	}
	_, err := Parse(many.String())
	require.ErrorContains(t, err, "found 201 budgets")
}

func TestMonthOf(t *testing.T) {
	for at, want := range map[string][2]string{
		"2026-02-01T00:00:00Z":      {"2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"},
		"2026-01-31T23:59:59Z":      {"2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"},
		"2026-12-31T23:30:00-05:00": {"2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, at)
		require.NoError(t, err)
		m := MonthOf(now)
		require.Equal(t, want, [2]string{m.Start.Format(time.RFC3339), m.End.Format(time.RFC3339)}, at)
	}
}

func TestRules(t *testing.T) {
	budgets, err := Parse(`
shop: {amount: 1000, currency: EUR, scope: {cluster: prod-1, namespace: shop}}
payments: {amount: 20.5, scope: {label: {cost-center: 'a"b'}}, thresholds: {spent: [1]}}
`)
	require.NoError(t, err)
	text, err := Rules(budgets, Month{time.Unix(1764547200, 0), time.Unix(1767225600, 0)}, Options{Runbooks: "https://kof.example/runbooks/", Record: true})
	require.NoError(t, err)
	_, errs := rulefmt.Parse([]byte(text), false, model.UTF8Validation)
	require.NoError(t, errors.Join(errs...))
	for _, want := range []string{
		"name: kof-budget-shop", "name: kof-budget-payments",
		`(sum_over_time((sum(cluster_namespace:kof_cost:sum_increase1h{cluster="prod-1",namespace="shop",currency="EUR"}) * (time() > bool 1764547200))[31d:1h] offset 5m) > 800 <= 1000) and on () (vector(time()) < 1767225600)`,
		`* on (cluster, namespace) group_left () max by (cluster, namespace) (kube_namespace_labels{label_cost_center="a\"b"})`,
		"record: kof_budget_amount\n          expr: vector(1000) and on () (vector(time()) < 1767225600)",
		"runbook_url: https://kof.example/runbooks/BudgetSpent.md", "severity: critical", `threshold: "0.8"`, "cluster: prod-1",
	} {
		require.Contains(t, text, want)
	}
	text, err = Rules(budgets, MonthOf(time.Now()), Options{})
	require.NoError(t, err)
	require.NotContains(t, text, "record:")
	require.NotContains(t, text, "runbook_url")
	empty, err := Rules(nil, MonthOf(time.Now()), Options{})
	require.NoError(t, err)
	require.Equal(t, "groups: []\n", empty)
}
