// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// CostSeries is what regions record: the cost of the hour before, by cluster, tenant, namespace and currency; the sum over all is all that a cluster
// costs (deploy/charts/kof-storage/files/rules/costs.yaml).
const CostSeries = "cluster_namespace:kof_cost:sum_increase1h"

// Names of the alerts; each has its page in docs/runbooks.
const (
	AlertSpent    = "BudgetSpent"
	AlertForecast = "BudgetForecastExceeded"
	AlertNoCosts  = "BudgetWithoutCosts"
)

// Series that each budget records, for dashboards: what it is, what is spent of it this month, and what will be by the month's end.
const (
	SeriesAmount   = "kof_budget_amount"
	SeriesSpent    = "kof_budget_spent"
	SeriesForecast = "kof_budget_forecast"
)

// Options of the rules.
type Options struct {
	Runbooks string // what the addresses of the alerts' pages begin with; "": no addresses
	Record   bool   // the series as well, which vmalert needs somewhere to write for
}

// interval is how often the rules are computed: costs are summed up hour by hour.
const interval = "15m"

// Month is a calendar month in UTC.
type Month struct{ Start, End time.Time }

// MonthOf returns the month that a time is in.
func MonthOf(t time.Time) Month {
	t = t.UTC()
	start := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	return Month{start, start.AddDate(0, 1, 0)}
}

type rule struct {
	Alert       string            `yaml:"alert,omitempty"`
	Record      string            `yaml:"record,omitempty"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for,omitempty"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations,omitempty"`
}

type group struct {
	Name     string `yaml:"name"`
	Interval string `yaml:"interval"`
	Rules    []rule `yaml:"rules"`
}

// Rules returns a file in Prometheus' format with a group for each budget. It is of one month: PromQL can't say "since the first", so the times are
// in it, and after the month's end none of them fires.
func Rules(budgets map[string]Budget, month Month, o Options) (string, error) {
	var out struct {
		Groups []group `yaml:"groups"`
	}
	for _, name := range slices.Sorted(maps.Keys(budgets)) {
		out.Groups = append(out.Groups, group{
			Name: "kof-budget-" + name, Interval: interval, Rules: budgets[name].rules(name, month, o),
		})
	}
	text, err := yaml.Marshal(out)
	return string(text), err
}

func (b Budget) rules(name string, month Month, o Options) []rule {
	hour := b.Scope.hour(b.Currency)
	// Points on the hour are each the cost of the hour before. A sum of them lacks what the running hour has cost so far, and nothing else. The offset
	// leaves the region time to record the last one.
	spent := fmt.Sprintf("sum_over_time((%s * (time() > bool %d))[31d:1h] offset 5m)", hour, month.Start.Unix())
	forecast := fmt.Sprintf("%s + avg_over_time((%s)[7d:1h]) * ((%d - time()) / 3600)", spent, hour, month.End.Unix())
	during := fmt.Sprintf(" and on () (vector(time()) < %d)", month.End.Unix())
	amount := strings.TrimSpace(number(b.Amount) + " " + b.Currency)

	of := map[string]string{"budget": name}
	for k, v := range map[string]string{"cluster": b.Scope.Cluster, "namespace": b.Scope.Namespace, "tenant": b.Scope.Tenant} {
		if v != "" {
			of[k] = v
		}
	}
	var out []rule
	if o.Record {
		out = []rule{
			{Record: SeriesAmount, Expr: "vector(" + number(b.Amount) + ")" + during, Labels: of},
			{Record: SeriesSpent, Expr: spent + during, Labels: of},
			{Record: SeriesForecast, Expr: "(" + forecast + ")" + during, Labels: of},
		}
	}
	add := func(alert, expr, wait, severity, threshold, summary string) {
		r := rule{Alert: alert, Expr: expr, For: wait, Labels: maps.Clone(of), Annotations: map[string]string{"summary": summary}}
		r.Labels["severity"] = severity
		if threshold != "" {
			r.Labels["threshold"] = threshold
		}
		if o.Runbooks != "" {
			r.Annotations["runbook_url"] = strings.TrimSuffix(o.Runbooks, "/") + "/" + alert + ".md"
		}
		out = append(out, r)
	}
	for i, t := range b.Thresholds.Spent {
		severity := "warning"
		if t >= 1 {
			severity = "critical"
		}
		expr := fmt.Sprintf("(%s > %s", spent, number(b.Amount*t))
		if i+1 < len(b.Thresholds.Spent) { // the next one takes over
			expr += " <= " + number(b.Amount*b.Thresholds.Spent[i+1])
		}
		add(AlertSpent, expr+")"+during, "", severity, number(t),
			fmt.Sprintf("Budget %s: {{ printf \"%%.2f\" $value }} of %s are spent this month", name, amount))
	}
	f := *b.Thresholds.Forecast
	add(AlertForecast, fmt.Sprintf("(%s > %s)%s", forecast, number(b.Amount*f), during), "6h", "warning", number(f),
		fmt.Sprintf("Budget %s: at the pace of the last week, {{ printf \"%%.2f\" $value }} of %s will be spent by the end of the month", name, amount))
	add(AlertNoCosts, fmt.Sprintf("absent_over_time((%s)[1d:1h])%s", hour, during), "1d", "info", "",
		fmt.Sprintf("Budget %s: no costs are known for it", name))
	return out
}

// hour is the cost of the hour before, as one series without labels.
func (s Scope) hour(currency string) string {
	selector := matchers("cluster", s.Cluster, "namespace", s.Namespace, "tenant", s.Tenant, "currency", currency)
	if len(s.Label) == 0 {
		return fmt.Sprintf("sum(%s%s)", CostSeries, selector)
	}
	var label string
	for key, value := range s.Label {
		label = matchers("label_"+labelName(key), value)
	}
	return fmt.Sprintf("sum(%s%s * on (cluster, namespace) group_left () max by (cluster, namespace) (kube_namespace_labels%s))", CostSeries, selector, label)
}

func matchers(pairs ...string) string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, pairs[i]+"="+strconv.Quote(pairs[i+1]))
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "{" + strings.Join(out, ",") + "}"
}

// labelName is the name that kube-state-metrics and the opencost receiver make of a label's key.
func labelName(key string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, key)
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
