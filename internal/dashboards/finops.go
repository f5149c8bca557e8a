// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

var finops = []Board{costClusters, costNamespaces, costWorkloads, costIdle, costEfficiency, costForecast, costBudgets, costTelemetry}

// money is the unit of costs. The chart puts its currency in place of the dollar.
const money = units.Dollars

// All that a cluster costs, and what of it a namespace is charged for. Counters, so that increase() over any time is exact.
const (
	allCosts       = `{__name__=~"kof_(node|volume|load_balancer|cluster_management)_cost_total",@cluster}`
	namespaceCosts = `{__name__=~"kof_(container|volume|load_balancer)_cost_total",@namespace}`
	month          = "730" // hours
)

var costClusters = Board{
	Folder: "finops", Name: "clusters", Title: "Costs by cluster and region",
	Answers: "What did each cluster and region cost in this time, and for what?",
	from:    "now-24h", variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("Total", money, `sum(increase(`+allCosts+`[$__range]))`),
			stat("A month, at the pace of this time", money, `sum(increase(`+allCosts+`[$__range])) / $__range_s * 3600 * `+month),
			stat("Nodes", money, `sum(increase(kof_node_cost_total{@cluster}[$__range]))`),
			stat("Volumes", money, `sum(increase(kof_volume_cost_total{@cluster}[$__range]))`),
			stat("Load balancers", money, `sum(increase(kof_load_balancer_cost_total{@cluster}[$__range]))`),
			stat("Platform's fee", money, `sum(increase(kof_cluster_management_cost_total{@cluster}[$__range]))`),
		}},
		{"", []panel{
			bars("By region", money, q(`sum by (promxyCluster) (increase(`+allCosts+`[$__range]))`, "{{promxyCluster}}")),
			bars("By resource", money, q(`sum by (resource) (increase(kof_node_cost_total{@cluster}[$__range]))`, "{{resource}}")).says("Of nodes."),
			table("Clusters", []string{"promxyCluster", "cluster"},
				col("Total", money, `sum by (promxyCluster, cluster) (increase(`+allCosts+`[$__range]))`),
				col("Nodes", money, `sum by (promxyCluster, cluster) (increase(kof_node_cost_total{@cluster}[$__range]))`),
				col("Volumes", money, `sum by (promxyCluster, cluster) (increase(kof_volume_cost_total{@cluster}[$__range]))`),
				col("Load balancers", money, `sum by (promxyCluster, cluster) (increase(kof_load_balancer_cost_total{@cluster}[$__range]))`),
				col("Fee", money, `sum by (promxyCluster, cluster) (increase(kof_cluster_management_cost_total{@cluster}[$__range]))`),
				col("Idle", units.PercentUnit, `sum by (promxyCluster, cluster) (increase(kof_node_idle_cost_total{@cluster}[$__range])) / sum by (promxyCluster, cluster) (increase(kof_node_cost_total{@cluster}[$__range]))`).above(0.5, 0.7),
			).leads("cluster", uid("finops", "namespaces")),
			graph("Cost of an hour", money, q(`sum by (cluster) (increase(`+allCosts+`[1h]))`, "{{cluster}}")).stack(),
			table("Nodes", []string{"cluster", "node", "instance_type"},
				col("An hour", money, `max by (cluster, node, instance_type) (node_total_hourly_cost{@cluster})`)).size(12, 8),
			table("Where prices come from", []string{"cluster", "source", "instance_type"},
				col("Nodes", units.Short, `count by (cluster, source, instance_type) (kof_node_price_info{@cluster})`)).size(12, 8),
			graph("Time that could not be charged", units.Seconds, q(`sum by (cluster) (increase(kof_cost_unbilled_seconds_total{@cluster}[$__rate_interval]))`, "{{cluster}}")).above(1, 3600),
		}},
	},
}

var costNamespaces = Board{
	Folder: "finops", Name: "namespaces", Title: "Costs by tenant and namespace",
	Answers: "What did each tenant and namespace cost in this time, with and without its share of what is idle?",
	from:    "now-24h", variables: byNamespace,
	rows: []row{
		{"", []panel{
			stat("Total charged", money, `sum(increase(`+namespaceCosts+`[$__range]))`),
			stat("Containers", money, `sum(increase(kof_container_cost_total{@namespace}[$__range]))`),
			stat("Volumes", money, `sum(increase(kof_volume_cost_total{@namespace}[$__range]))`),
			stat("Load balancers", money, `sum(increase(kof_load_balancer_cost_total{@namespace}[$__range]))`),
			stat("Tenants", units.Short, `count(count by (tenant) (kof_container_cost_total{@namespace,tenant!=""}))`),
			stat("Namespaces", units.Short, `count(count by (cluster, namespace) (kof_container_cost_total{@namespace}))`),
		}},
		{"", []panel{
			table("Tenants", []string{"tenant"},
				col("Cost", money, `sum by (tenant) (increase(`+namespaceCosts+`[$__range]))`),
				col("Namespaces", units.Short, `count by (tenant) (count by (tenant, cluster, namespace) (kof_container_cost_total{@namespace}))`)).size(8, 10),
			table("Namespaces", []string{"cluster", "namespace"},
				col("Cost", money, `sum by (cluster, namespace) (increase(`+namespaceCosts+`[$__range]))`),
				col("Share of idle", money, `sum by (cluster, namespace) (
  sum by (cluster, namespace, resource) (increase(kof_container_cost_total{@namespace}[$__range]))
  * on (cluster, resource) group_left ()
    (sum by (cluster, resource) (increase(kof_node_idle_cost_total{@cluster}[$__range])) / sum by (cluster, resource) (increase(kof_container_cost_total{@cluster}[$__range])))
)`),
				col("CPU", money, `sum by (cluster, namespace) (increase(kof_container_cost_total{@namespace,resource="cpu"}[$__range]))`),
				col("Memory", money, `sum by (cluster, namespace) (increase(kof_container_cost_total{@namespace,resource="ram"}[$__range]))`),
				col("Volumes", money, `sum by (cluster, namespace) (increase(kof_volume_cost_total{@namespace}[$__range]))`),
			).size(16, 10).leads("namespace", uid("finops", "workloads"), "cluster"),
			graph("Cost of an hour", money, q(`sum by (cluster, namespace) (increase(`+namespaceCosts+`[1h]))`, "{{cluster}} {{namespace}}")).stack().size(width, 9),
		}},
	},
}

var costWorkloads = Board{
	Folder: "finops", Name: "workloads", Title: "Costs by workload and pod",
	Answers: "Which workload and which pod cost what in this time?",
	from:    "now-24h", variables: byWorkload,
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
	from:    "now-24h", variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("Idle nodes", money, `sum(increase(kof_node_idle_cost_total{@cluster}[$__range]))`),
			stat("Share of nodes' cost", units.PercentUnit, `sum(increase(kof_node_idle_cost_total{@cluster}[$__range])) / sum(increase(kof_node_cost_total{@cluster}[$__range]))`).above(0.5, 0.7),
			stat("Volumes that no pod mounts", money, `sum(increase(kof_volume_cost_total{@cluster,pod="unmounted-pvs"}[$__range]))`).above(1, 100),
			stat("Shared: system namespaces", money, `sum(increase(kof_container_cost_total{@cluster,namespace=~"kube-.*|kof|.*-system"}[$__range]))`).
				says("What serves all: kube-*, *-system, kof."),
			stat("Shared: platform's fee", money, `sum(increase(kof_cluster_management_cost_total{@cluster}[$__range]))`),
			stat("Idle, a month", money, `sum(increase(kof_node_idle_cost_total{@cluster}[$__range])) / $__range_s * 3600 * `+month),
		}},
		{"", []panel{
			table("Idle by cluster", []string{"cluster", "resource"},
				col("Idle", money, `sum by (cluster, resource) (increase(kof_node_idle_cost_total{@cluster}[$__range]))`),
				col("Share", units.PercentUnit, `sum by (cluster, resource) (increase(kof_node_idle_cost_total{@cluster}[$__range])) / sum by (cluster, resource) (increase(kof_node_cost_total{@cluster}[$__range]))`).above(0.5, 0.7)).size(12, 10),
			table("Idle by node", []string{"cluster", "node"},
				col("Idle", money, `sum by (cluster, node) (increase(kof_node_idle_cost_total{@cluster}[$__range]))`),
				col("Share", units.PercentUnit, `sum by (cluster, node) (increase(kof_node_idle_cost_total{@cluster}[$__range])) / sum by (cluster, node) (increase(kof_node_cost_total{@cluster}[$__range]))`).above(0.5, 0.7)).size(12, 10),
			graph("Idle share", units.PercentUnit, q(`sum by (cluster, resource) (increase(kof_node_idle_cost_total{@cluster}[1h])) / sum by (cluster, resource) (increase(kof_node_cost_total{@cluster}[1h]))`, "{{cluster}} {{resource}}")).share(),
			table("Volumes that no pod mounts", []string{"cluster", "namespace", "persistentvolumeclaim", "persistentvolume"},
				col("Cost", money, `sum by (cluster, namespace, persistentvolumeclaim, persistentvolume) (increase(kof_volume_cost_total{@cluster,pod="unmounted-pvs"}[$__range]))`)).size(12, 8),
		}},
	},
}
