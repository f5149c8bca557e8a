// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
)

// The receiver's counters of cost, and what each is in a row.
const (
	metricContainer  = "kof_container_cost_total"
	metricVolume     = "kof_volume_cost_total"
	metricBalancer   = "kof_load_balancer_cost_total"
	metricManagement = "kof_cluster_management_cost_total"
	metricIdle       = "kof_node_idle_cost_total"
)

// Options are what a report has.
type Options struct {
	View
	Window Window
	// ShareIdle spreads idle cost over the containers of the same cluster and resource, in proportion to their cost of it.
	ShareIdle bool
	// SharedNamespaces are those whose cost is spread over all others of the cluster, in proportion to theirs.
	SharedNamespaces []string
	// Efficiency and Forecast say whether these are computed as well; each takes further queries.
	Efficiency, Forecast bool
}

// Report is what things cost in a window.
type Report struct {
	Window  Window
	Columns []string
	Rows    []Row // the dearest first
}

// Row is what one of them costs, in one currency.
type Row struct {
	Keys     []string
	Currency string

	CPU, RAM, GPU, Other float64 // of containers; Other is extended resources
	Volume               float64
	LoadBalancer         float64
	Management           float64 // the platform's fee
	Idle                 float64 // of its nodes, or its share of idle
	Shared               float64 // its share of the shared namespaces

	// Efficiency is what was used of what was requested, weighted by cost; nil if nothing was measured. It can be above 1.
	Efficiency *float64
	// MonthToDate is the cost since the month began, MonthEnd what it will be at its end at the pace of the window's last 7 days; nil if not asked for.
	MonthToDate, MonthEnd *float64

	measured measured
	clusters map[clusterResource]float64 // cost of containers by cluster and resource
}

// clusterResource is a resource of a cluster; "" for what is no container's.
type clusterResource struct{ cluster, resource string }

// Containers is the cost of all resources of containers.
func (r *Row) Containers() float64 { return r.CPU + r.RAM + r.GPU + r.Other }

// Total is all of the row's cost.
func (r *Row) Total() float64 {
	return r.Containers() + r.Volume + r.LoadBalancer + r.Management + r.Idle + r.Shared
}

func (r *Row) name() string { return strings.Join(r.Keys, "\x00") + "\x00" + r.Currency }

func (r *Row) add(resource string, v float64) {
	switch resource {
	case "cpu":
		r.CPU += v
	case "ram":
		r.RAM += v
	case "gpu":
		r.GPU += v
	default:
		r.Other += v
	}
}

// table collects rows by their keys and currency.
type table map[string]*Row

func (t table) row(keys []string, currency string) *Row {
	r := &Row{Keys: keys, Currency: currency, clusters: map[clusterResource]float64{}}
	if old, ok := t[r.name()]; ok {
		return old
	}
	t[r.name()] = r
	return r
}

// ErrNone says that there is no cost at all in the window.
var ErrNone = errors.New("no cost was found: the store has no kof_*_cost_total in the window that fits. Is it the right --metrics-url, and costs.enabled in the chart?")

// Costs computes a report.
func Costs(ctx context.Context, s Store, o Options) (*Report, error) {
	rows, err := collect(ctx, s, o)
	if err != nil {
		return nil, err
	}
	if o.Forecast {
		if err := rows.forecast(ctx, s, o); err != nil {
			return nil, err
		}
	}
	report := &Report{Window: o.Window, Columns: o.Columns}
	for _, r := range rows {
		if r.Total() != 0 {
			report.Rows = append(report.Rows, *r)
		}
	}
	if len(report.Rows) == 0 {
		return nil, ErrNone
	}
	slices.SortFunc(report.Rows, func(a, b Row) int { return cmp.Or(cmp.Compare(b.Total(), a.Total()), cmp.Compare(a.name(), b.name())) })
	return report, nil
}

// collect makes the rows of a window.
func collect(ctx context.Context, s Store, o Options) (table, error) {
	l, err := o.prepare(ctx, s, o.Window)
	if err != nil {
		return nil, err
	}
	by := l.by()
	if len(o.SharedNamespaces) > 0 && !slices.Contains(by, "namespace") {
		by = append(slices.Clone(by), "namespace")
	}
	rows, shared := table{}, &sharedCost{namespaces: o.SharedNamespaces, by: map[[2]string]float64{}}
	// Containers first: their series tell the workloads of pods.
	for _, m := range []struct {
		metric string
		more   []string
		add    func(r *Row, labels map[string]string, v float64)
	}{
		{metricContainer, []string{"resource"}, func(r *Row, labels map[string]string, v float64) {
			r.add(labels["resource"], v)
			r.clusters[clusterResource{labels["cluster"], labels["resource"]}] += v
		}},
		{metricVolume, nil, func(r *Row, labels map[string]string, v float64) {
			r.Volume += v
			r.clusters[clusterResource{labels["cluster"], ""}] += v
		}},
		{metricBalancer, []string{"service_name"}, func(r *Row, labels map[string]string, v float64) {
			r.LoadBalancer += v
			r.clusters[clusterResource{labels["cluster"], ""}] += v
		}},
	} {
		found, err := s.sum(ctx, "increase", s.selector(m.metric), slices.Concat(by, m.more, []string{"currency"}), o.Window)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if f.Value == 0 || shared.take(f) {
				continue
			}
			m.add(rows.row(l.row(f.Labels), f.Labels["currency"]), f.Labels, f.Value)
		}
	}
	if err := rows.addOfClusters(ctx, s, o, l); err != nil {
		return nil, err
	}
	rows.share(shared, l)
	if o.Efficiency {
		return rows, rows.efficiency(ctx, s, o, l)
	}
	return rows, nil
}

// Add adds the costs of another row, and its month. Efficiency is of one row only.
func (r *Row) Add(other *Row) {
	r.CPU, r.RAM, r.GPU, r.Other = r.CPU+other.CPU, r.RAM+other.RAM, r.GPU+other.GPU, r.Other+other.Other
	r.Volume, r.LoadBalancer, r.Management = r.Volume+other.Volume, r.LoadBalancer+other.LoadBalancer, r.Management+other.Management
	r.Idle, r.Shared = r.Idle+other.Idle, r.Shared+other.Shared
	plus := func(a, b *float64) *float64 {
		if a == nil || b == nil {
			return cmp.Or(a, b)
		}
		sum := *a + *b
		return &sum
	}
	r.MonthToDate, r.MonthEnd = plus(r.MonthToDate, other.MonthToDate), plus(r.MonthEnd, other.MonthEnd)
}
