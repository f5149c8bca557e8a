// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// What advice never goes below, and what it is rounded up to.
const (
	minCores, coresStep = 0.01, 0.001       // 10m, 1m
	minBytes, bytesStep = 16 << 20, 1 << 20 // 16 Mi, 1 Mi
)

// minCollections is how often a pod must have been looked at for its use to count: the first minutes of a pod say little.
const minCollections = 30

// RightsizingOptions are what advice stands on.
type RightsizingOptions struct {
	Window Window
	// CPUPercentile and RAMPercentile (0 to 1] are of the use of each pod over the window; the highest of a workload's pods counts. 1 is the
	// maximum, which is right for memory: what goes beyond its limit is killed.
	CPUPercentile, RAMPercentile float64
	// Headroom is added to it: 0.15 is 15 %.
	Headroom float64
}

// Advice is what a container of a workload should request of a resource.
type Advice struct {
	Cluster      string  `json:"cluster"`
	Namespace    string  `json:"namespace"`
	WorkloadKind string  `json:"workload_kind"`
	Workload     string  `json:"workload"`
	Container    string  `json:"container"`
	Resource     string  `json:"resource"`  // cpu or ram
	Pods         int     `json:"pods"`      // that run now
	Requested    float64 `json:"requested"` // cores or bytes; the largest of its pods
	Used         float64 `json:"used"`      // the percentile
	Advised      float64 `json:"advised"`
	// Saving is per month at the pods and prices of now: (requested - advised) × price × 730 hours. Negative where less is requested than is used.
	Saving   float64 `json:"saving_per_month"`
	Currency string  `json:"currency"`
}

// Rightsizing advises on the requests of all containers that run at the end of the window, the greatest saving first.
func Rightsizing(ctx context.Context, s Store, o RightsizingOptions) ([]Advice, error) {
	workloads := &lookup{View: View{Name: "workload", Columns: []string{"cluster", "namespace", "workload_kind", "workload"}}, workloads: map[string]string{}}
	window := int64(o.Window.Length().Seconds())
	ask := func(format string, args ...any) ([]Sample, error) {
		return s.bounded(ctx, fmt.Sprintf(format, args...), o.Window.End)
	}

	found, err := ask(`group by (cluster, namespace, pod, workload_kind, workload) (last_over_time(%s[%ds]))`, s.selector(metricContainer, `resource="cpu"`), window)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		workloads.row(f.Labels)
	}
	use, err := usage(ctx, s, o, workloads)
	if err != nil {
		return nil, err
	}
	prices, currency, err := nodePrices(ask)
	if err != nil {
		return nil, err
	}
	requested, err := ask(`sum by (cluster, namespace, pod, container, resource, node) (last_over_time(%s[10m]))`, s.selector("kof_container_requested", `resource=~"cpu|ram"`))
	if err != nil {
		return nil, err
	}
	all := map[string]*Advice{}
	for _, f := range requested {
		row, resource := workloads.row(f.Labels), f.Labels["resource"]
		key := containerKey(row, f.Labels["container"], resource)
		used, ok := use[key]
		if !ok {
			continue // too young
		}
		node := f.Labels["cluster"] + "\x00" + f.Labels["node"]
		a := all[key+"\x00"+currency[node]]
		if a == nil {
			a = &Advice{Cluster: row[0], Namespace: row[1], WorkloadKind: row[2], Workload: row[3], Container: f.Labels["container"], Resource: resource,
				Used: used, Advised: advised(resource, used*(1+o.Headroom)), Currency: currency[node]}
			all[key+"\x00"+currency[node]] = a
		}
		a.Pods++
		a.Requested = max(a.Requested, f.Value)
		a.Saving += (f.Value - a.Advised) * prices[node+"\x00"+resource] * HoursPerMonth
	}
	out := make([]Advice, 0, len(all))
	for _, a := range all {
		out = append(out, *a)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no advice was found: no container that fits has requests and was looked at %d times in the window", minCollections)
	}
	slices.SortFunc(out, func(a, b Advice) int {
		return cmp.Or(cmp.Compare(b.Saving, a.Saving), cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Workload, b.Workload),
			cmp.Compare(a.Container, b.Container), cmp.Compare(a.Resource, b.Resource))
	})
	return out, nil
}

// usage returns the highest percentile among the pods of each workload's container, of those that were there long enough.
func usage(ctx context.Context, s Store, o RightsizingOptions, workloads *lookup) (map[string]float64, error) {
	use := map[string]float64{}
	for resource, percentile := range map[string]float64{"cpu": o.CPUPercentile, "ram": o.RAMPercentile} {
		selector, window := s.selector("kof_container_used", fmt.Sprintf("resource=%q", resource)), int64(o.Window.Length().Seconds())
		const by = "max by (cluster, namespace, pod, container)"
		found, err := s.bounded(ctx, fmt.Sprintf(`%s (quantile_over_time(%g, %s[%ds])) and %s (count_over_time(%s[%ds])) >= %d`,
			by, percentile, selector, window, by, selector, window, minCollections), o.Window.End)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			key := containerKey(workloads.row(f.Labels), f.Labels["container"], resource)
			use[key] = max(use[key], f.Value)
		}
	}
	return use, nil
}

// nodePrices returns the price of a core and of a byte for an hour, and their currency, by cluster and node. Before discounts, as OpenCost's gauges are.
func nodePrices(ask func(string, ...any) ([]Sample, error)) (prices map[string]float64, currency map[string]string, err error) {
	prices, currency = map[string]float64{}, map[string]string{}
	for resource, unit := range map[string]float64{"cpu": 1, "ram": 1 << 30} {
		found, err := ask(`max by (cluster, node) (last_over_time(node_%s_hourly_cost[10m]))`, resource)
		if err != nil {
			return nil, nil, err
		}
		for _, f := range found {
			prices[f.Labels["cluster"]+"\x00"+f.Labels["node"]+"\x00"+resource] = f.Value / unit
		}
	}
	found, err := ask(`group by (cluster, node, currency) (last_over_time(kof_node_price_info[10m]))`)
	for _, f := range found {
		currency[f.Labels["cluster"]+"\x00"+f.Labels["node"]] = f.Labels["currency"]
	}
	return prices, currency, err
}

func containerKey(row []string, container, resource string) string {
	return strings.Join(append(slices.Clone(row), container, resource), "\x00")
}

// advised rounds up to what one writes into a manifest.
func advised(resource string, v float64) float64 {
	least, step := minCores, coresStep
	if resource == "ram" {
		least, step = minBytes, bytesStep
	}
	return max(least, math.Ceil(v/step-1e-9)*step)
}
