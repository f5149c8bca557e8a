// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

var finops = []Board{costClusters, costNamespaces, costWorkloads, costIdle, costEfficiency, costForecast, costBudgets, costTelemetry}

// money is the unit of costs. The chart puts its currency in place of the dollar.
const money = units.Dollars

const month = "730" // hours

var costClusters = Board{
	Folder: "finops", Name: "clusters", Title: "Costs by cluster and region",
	Answers: "What did each cluster and region cost in this time, and for what?",
	from:    "now-24h", variables: costsByCluster,
	rows: []row{
		{"", recorded(
			stat("Total", money, spent("", allCosts)),
			stat("A month, at the pace of this time", money, monthly(allCosts)),
			stat("Nodes", money, spent("", nodeCosts+`{@cluster}`)),
			stat("Volumes", money, spent("", volumeCosts+`{@cluster}`)),
			stat("Load balancers", money, spent("", balancerCosts+`{@cluster}`)),
			stat("Platform's fee", money, spent("", feeCosts+`{@cluster}`)),
		)},
		{"", recorded(
			bars("By region", money, q(spent("promxyCluster", allCosts), "{{promxyCluster}}")),
			bars("By resource", money, q(spent("resource", nodeCosts+`{@cluster}`), "{{resource}}")).says("Of nodes."),
			table("Clusters", []string{"promxyCluster", "cluster"},
				col("Total", money, spent("promxyCluster, cluster", allCosts)),
				col("Nodes", money, spent("promxyCluster, cluster", nodeCosts+`{@cluster}`)),
				col("Volumes", money, spent("promxyCluster, cluster", volumeCosts+`{@cluster}`)),
				col("Load balancers", money, spent("promxyCluster, cluster", balancerCosts+`{@cluster}`)),
				col("Fee", money, spent("promxyCluster, cluster", feeCosts+`{@cluster}`)),
				col("Idle", units.PercentUnit, spent("promxyCluster, cluster", idleCosts+`{@cluster}`)+` / `+spent("promxyCluster, cluster", nodeCosts+`{@cluster}`)).above(0.5, 0.7),
				col("Hours", units.Short, `count_over_time((`+sum("promxyCluster, cluster", nodeCosts+`{@cluster}`)+`)`+shown+`)`),
			).leads("cluster", uid("finops", "namespaces")).says("Hours: those that are recorded. Fewer than the time has: the cluster is younger, or costs came late or not at all."),
			graph("Cost of an hour", money, q(sum("cluster", allCosts), "{{cluster}}")).stack().says("Of the hour before."),
			table("Nodes", []string{"cluster", "node", "instance_type"},
				col("An hour", money, `max by (cluster, node, instance_type) (node_total_hourly_cost{@cluster})`)).size(12, 8),
			table("Where prices come from", []string{"cluster", "source", "instance_type"},
				col("Nodes", units.Short, `count by (cluster, source, instance_type) (kof_node_price_info{@cluster})`)).size(12, 8),
			graph("Time that could not be charged", units.Seconds, q(sum("cluster", unbilledTime+`{@cluster}`), "{{cluster}}")).above(1, 3600).says("In the hour before."),
		)},
	},
}

var costNamespaces = Board{
	Folder: "finops", Name: "namespaces", Title: "Costs by tenant and namespace",
	Answers: "What did each tenant and namespace cost in this time, with and without its share of what is idle?",
	from:    "now-24h", variables: costsByNamespace,
	rows: []row{
		{"", recorded(
			stat("Total charged", money, spent("", namespaceCosts)),
			stat("Containers", money, spent("", containerCosts+`{@namespace}`)),
			stat("Volumes", money, spent("", volumeCosts+`{@namespace}`)),
			stat("Load balancers", money, spent("", balancerCosts+`{@namespace}`)),
			stat("Tenants", units.Short, `count(`+spent("tenant", containerCosts+`{@namespace,tenant!=""}`)+`)`),
			stat("Namespaces", units.Short, `count(`+spent("cluster, namespace", containerCosts+`{@namespace}`)+`)`),
		)},
		{"", recorded(
			table("Tenants", []string{"tenant"},
				col("Cost", money, spent("tenant", namespaceCosts)),
				col("Namespaces", units.Short, `count by (tenant) (`+spent("tenant, cluster, namespace", containerCosts+`{@namespace}`)+`)`)).size(8, 10),
			table("Namespaces", []string{"cluster", "namespace"},
				col("Cost", money, spent("cluster, namespace", namespaceCosts)),
				col("Share of idle", money, `sum by (cluster, namespace) (
  `+spent("cluster, namespace, resource", containerCosts+`{@namespace}`)+`
  * on (cluster, resource) group_left ()
    (`+spent("cluster, resource", idleCosts+`{@cluster}`)+` / `+spent("cluster, resource", containerCosts+`{@cluster}`)+`)
)`),
				col("CPU", money, spent("cluster, namespace", containerCosts+`{@namespace,resource="cpu"}`)),
				col("Memory", money, spent("cluster, namespace", containerCosts+`{@namespace,resource="ram"}`)),
				col("Volumes", money, spent("cluster, namespace", volumeCosts+`{@namespace}`)),
			).size(16, 10).leads("namespace", uid("finops", "workloads"), "cluster"),
			graph("Cost of an hour", money, q(`topk(20, `+sum("cluster, namespace", namespaceCosts)+`)`, "{{cluster}} {{namespace}}")).stack().size(width, 9).says("Of the hour before; the 20 that cost most."),
		)},
	},
}

// Of counters: workloads come and go, pods even more so. One cluster and namespace is chosen, never all.
var costWorkloads = Board{
	Folder: "finops", Name: "workloads", Title: "Costs by workload and pod",
	Answers: "Which workload and which pod cost what in this time?",
	from:    "now-24h", variables: costsByWorkload,
	rows: []row{
		{"", []panel{
			table("Workloads", []string{"cluster", "namespace", "workload_kind", "workload"},
				col("Cost", money, `sum by (cluster, namespace, workload_kind, workload) (increase(kof_container_cost_total{@workload}[$__range]))`),
				col("CPU", money, `sum by (cluster, namespace, workload_kind, workload) (increase(kof_container_cost_total{@workload,resource="cpu"}[$__range]))`),
				col("Memory", money, `sum by (cluster, namespace, workload_kind, workload) (increase(kof_container_cost_total{@workload,resource="ram"}[$__range]))`),
				col("Other", money, `sum by (cluster, namespace, workload_kind, workload) (increase(kof_container_cost_total{@workload,resource!~"cpu|ram"}[$__range]))`),
			),
			table("Pods", []string{"cluster", "namespace", "pod"},
				col("Cost", money, `sum by (cluster, namespace, pod) (increase(kof_container_cost_total{@workload}[$__range]))`)).size(12, 10),
			table("Volumes", []string{"cluster", "namespace", "persistentvolumeclaim", "storageclass"},
				col("Cost", money, `sum by (cluster, namespace, persistentvolumeclaim, storageclass) (increase(kof_volume_cost_total{@namespace}[$__range]))`)).size(12, 10),
			graph("Cost of an hour", money, q(`topk(20, sum by (cluster, namespace, workload) (increase(kof_container_cost_total{@workload}[1h])))`, "{{cluster}} {{namespace}}/{{workload}}")).stack().size(width, 9),
		}},
	},
}

var costIdle = Board{
	Folder: "finops", Name: "idle", Title: "Idle and shared costs",
	Answers: "What is paid for that nobody uses, and what is shared by all?",
	from:    "now-24h", variables: costsInDetail,
	rows: []row{
		{"", recorded(
			stat("Idle nodes", money, spent("", idleCosts+`{@cluster}`)),
			stat("Share of nodes' cost", units.PercentUnit, spent("", idleCosts+`{@cluster}`)+` / `+spent("", nodeCosts+`{@cluster}`)).above(0.5, 0.7),
			stat("Volumes that no pod mounts", money, spent("", unmountedCosts+`{@cluster}`)).above(1, 100),
			stat("Shared: system namespaces", money, spent("", containerCosts+`{@cluster,namespace=~"kube-.*|kof|.*-system"}`)).
				says("What serves all: kube-*, *-system, kof."),
			stat("Shared: platform's fee", money, spent("", feeCosts+`{@cluster}`)),
			stat("Idle, a month", money, monthly(idleCosts+`{@cluster}`)),
		)},
		{"", recorded(
			table("Idle by cluster", []string{"cluster", "resource"},
				col("Idle", money, spent("cluster, resource", idleCosts+`{@cluster}`)),
				col("Share", units.PercentUnit, spent("cluster, resource", idleCosts+`{@cluster}`)+` / `+spent("cluster, resource", nodeCosts+`{@cluster}`)).above(0.5, 0.7)).size(12, 10),
			graph("Idle share", units.PercentUnit, q(sum("cluster, resource", idleCosts+`{@cluster}`)+` / `+sum("cluster, resource", nodeCosts+`{@cluster}`), "{{cluster}} {{resource}}")).share().says("In the hour before."),
		)},
		// Of counters, and so of one cluster.
		{"Cluster in detail", []panel{
			table("Idle by node", []string{"cluster", "node"},
				col("Idle", money, `sum by (cluster, node) (increase(kof_node_idle_cost_total{@detail}[$__range]))`),
				col("Share", units.PercentUnit, `sum by (cluster, node) (increase(kof_node_idle_cost_total{@detail}[$__range])) / sum by (cluster, node) (increase(kof_node_cost_total{@detail}[$__range]))`).above(0.5, 0.7)).size(12, 10),
			table("Volumes that no pod mounts", []string{"cluster", "namespace", "persistentvolumeclaim", "persistentvolume"},
				col("Cost", money, `sum by (cluster, namespace, persistentvolumeclaim, persistentvolume) (increase(kof_volume_cost_total{@detail,pod="unmounted-pvs"}[$__range]))`)).size(12, 10),
		}},
	},
}
