// SPDX-License-Identifier: Apache-2.0

package dashboards

import "strings"

// Costs of longer times are read of what regions record, which has a series for each cluster, namespace and resource, however many nodes and pods
// there are: deploy/charts/kof-storage/files/rules/{costs,telemetry}.yaml.
const (
	totalCosts     = "cluster_namespace:kof_cost:sum_increase1h" // of all that is below
	nodeCosts      = "cluster_resource:kof_node_cost:sum_increase1h"
	idleCosts      = "cluster_resource:kof_node_idle_cost:sum_increase1h"
	containerCosts = "cluster_namespace_resource:kof_container_cost:sum_increase1h"
	volumeCosts    = "cluster_namespace:kof_volume_cost:sum_increase1h"
	unmountedCosts = "cluster_namespace:kof_unmounted_volume_cost:sum_increase1h"
	balancerCosts  = "cluster_namespace:kof_load_balancer_cost:sum_increase1h"
	feeCosts       = "cluster:kof_cluster_management_cost:sum_increase1h"
	unbilledTime   = "cluster:kof_cost_unbilled_seconds:sum_increase1h"
	collectorCosts = "cluster:kof_otelcol_cost:sum_increase1h"
	sentBytes      = "cluster_signal:otelcol_kof_region_wire_bytes:sum_increase1h"
	sentItems      = "cluster_signal:otelcol_kof_region_delivered_items:sum_increase1h"
	namespaceBytes = "cluster_namespace:otelcol_kof_region_namespace_bytes:sum_increase1h"
	namespaceItems = "cluster_namespace:otelcol_kof_region_namespace_items:sum_increase1h"

	// All that a cluster costs, and what of it a namespace is charged for.
	allCosts       = `{__name__=~"` + nodeCosts + `|` + volumeCosts + `|` + balancerCosts + `|` + feeCosts + `",@cluster}`
	namespaceCosts = `{__name__=~"` + containerCosts + `|` + volumeCosts + `|` + balancerCosts + `",@namespace}`

	// As many gauges of requests, and of what those who request use.
	requested = `cluster_namespace_resource:kof_container_requested:sum`
	used      = `cluster_namespace_resource:kof_container_used:sum`
)

// sum adds up series; by "" to one number.
func sum(by, of string) string {
	if by == "" {
		return "sum(" + of + ")"
	}
	return "sum by (" + by + ") (" + of + ")"
}

// Points on the hour are each of the hour before, so that no two of them overlap. The offset leaves regions time to record the last one: budgets are
// computed in the same way.
const (
	shown   = `[$__range:1h] offset 5m`
	lastDay = `[1d:1h] offset 5m`
	newest  = `[1h:1h] offset 5m`
)

// during is what the hours of a time add up to.
func during(time, by, of string) string { return `sum_over_time((` + sum(by, of) + `)` + time + `)` }

// spent is that of the time that is shown: as many whole hours as it has, up to the last one that is over.
func spent(by, of string) string { return during(shown, by, of) }

// spentSince is the same, but for the hour before the begin of the time that is shown: for times that begin on the hour.
func spentSince(by, of string) string {
	return `sum_over_time((` + sum(by, of) + ` * (time() > bool ${__from:date:seconds}))` + shown + `)`
}

// monthly is what a month costs at the pace of the time that is shown.
func monthly(of string) string { return `avg_over_time((` + sum("", of) + `)` + shown + `) * ` + month }

const wholeHours = "Whole hours, as regions record them; not the one that runs."

// recorded makes panels that read recorded hours say so.
func recorded(panels ...panel) []panel {
	for i, p := range panels {
		for _, t := range p.targets {
			if strings.Contains(t.expr, ":1h]") {
				panels[i].about = strings.TrimSpace(p.about + " " + wholeHours)
			}
		}
	}
	return panels
}

// The choices list what is recorded: to find all tenants and namespaces of a month's counters would take as long as to add them up.
var (
	costRegion    = labelValues("region", "Region", totalCosts+`, promxyCluster`)
	costCluster   = labelValues("cluster", "Cluster", totalCosts+`{@region}, cluster`)
	costTenant    = labelValues("tenant", "Tenant", totalCosts+`{@cluster}, tenant`)
	costNamespace = labelValues("namespace", "Namespace", totalCosts+`{@tenant}, namespace`)
	costDetail    = labelValues("detail", "Cluster in detail", totalCosts+`{@cluster}, cluster`).one()

	costsByCluster   = []variable{metrics, costRegion, costCluster}
	costsByNamespace = append(costsByCluster[:3:3], costTenant, costNamespace)
	costsByWorkload  = append([]variable{metrics, costRegion, costCluster.one(), costTenant, costNamespace.one()}, ofWorkloads("@namespace")...)
	costsInDetail    = append(costsByCluster[:3:3], costDetail)
	costsOfDetail    = append([]variable{metrics, costRegion, costCluster, costTenant, costDetail,
		labelValues("namespace", "Namespace in detail", totalCosts+`{@detail,tenant=~"$tenant"}, namespace`).one()}, ofWorkloads("@detailNamespace")...)
)
