// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// needs is what a container should request, as `kofctl rightsizing` advises: the CPU that it used at most for 95 % of the time, or the most memory
// that it used, since what goes beyond its limit is killed; and 15 % on top.
func needs(resource string) string {
	used := `kof_container_used{@namespace,resource="` + resource + `"}[$__range]`
	if resource == "ram" {
		return `1.15 * max_over_time(` + used + `)`
	}
	return `1.15 * quantile_over_time(0.95, ` + used + `)`
}

// saving is what a month would cost less if containers requested what they need; below zero where they need more.
func saving(resource, price, unit string) string {
	return `sum by (cluster, namespace, workload_kind, workload) (
  sum by (cluster, namespace, pod) (kof_container_requested{@namespace,resource="` + resource + `"} - on (cluster, namespace, pod, container) ` + needs(resource) + `)
  ` + ofWorkload[1:] + `)
/ ` + unit + ` * on (cluster) group_left () avg by (cluster) (` + price + `{@cluster}) * ` + month
}

var costEfficiency = Board{
	Folder: "finops", Name: "efficiency", Title: "Efficiency and right-sizing",
	Answers: "Who requests far more than they use, what should be requested instead, and what would that save?",
	from:    "now-24h", variables: byWorkload,
	rows: []row{
		{"", []panel{
			stat("CPU used of requested", units.PercentUnit, `sum(sum_over_time(kof_container_used{@namespace,resource="cpu"}[$__range])) / sum(sum_over_time(kof_container_requested{@namespace,resource="cpu"}[$__range]))`).below(0.4, 0.2).size(6, 4),
			stat("Memory used of requested", units.PercentUnit, `sum(sum_over_time(kof_container_used{@namespace,resource="ram"}[$__range])) / sum(sum_over_time(kof_container_requested{@namespace,resource="ram"}[$__range]))`).below(0.4, 0.2).size(6, 4),
			stat("Saved a month by fitting CPU", money, `sum(`+saving("cpu", "node_cpu_hourly_cost", "1")+`)`).size(6, 4),
			stat("Saved a month by fitting memory", money, `sum(`+saving("ram", "node_ram_hourly_cost", "1024 ^ 3")+`)`).size(6, 4),
		}},
		{"Right-sizing", []panel{
			table("What requests should be", []string{"cluster", "namespace", "workload_kind", "workload", "container"},
				col("CPU requested", "cores", `avg by (cluster, namespace, workload_kind, workload, container) (kof_container_requested{@namespace,resource="cpu"}`+ofWorkload+`)`),
				col("CPU needed", "cores", `max by (cluster, namespace, workload_kind, workload, container) (`+needs("cpu")+ofWorkload+`)`),
				col("Memory requested", units.BytesIEC, `avg by (cluster, namespace, workload_kind, workload, container) (kof_container_requested{@namespace,resource="ram"}`+ofWorkload+`)`),
				col("Memory needed", units.BytesIEC, `max by (cluster, namespace, workload_kind, workload, container) (`+needs("ram")+ofWorkload+`)`),
			).says("Needed: the CPU used at most for 95 % of the time shown, and the most memory, by the pod that uses most; 15 % on top. Show a week or more."),
			table("What that saves a month", []string{"cluster", "namespace", "workload_kind", "workload"},
				col("CPU", money, saving("cpu", "node_cpu_hourly_cost", "1")),
				col("Memory", money, saving("ram", "node_ram_hourly_cost", "1024 ^ 3")),
			).says("Below zero: more should be requested. Saved once nodes go, not before."),
		}},
		{"Efficiency", []panel{
			table("Namespaces", []string{"cluster", "namespace"},
				col("CPU used of requested", units.PercentUnit, `sum by (cluster, namespace) (sum_over_time(kof_container_used{@namespace,resource="cpu"}[$__range])) / sum by (cluster, namespace) (sum_over_time(kof_container_requested{@namespace,resource="cpu"}[$__range]))`),
				col("Memory used of requested", units.PercentUnit, `sum by (cluster, namespace) (sum_over_time(kof_container_used{@namespace,resource="ram"}[$__range])) / sum by (cluster, namespace) (sum_over_time(kof_container_requested{@namespace,resource="ram"}[$__range]))`),
			).size(12, 10),
			table("Containers without requests", []string{"cluster", "namespace", "pod", "container"},
				col("Memory used", units.BytesIEC, `sum by (cluster, namespace, pod, container) (kof_container_used{@namespace,resource="ram"}) unless on (cluster, namespace, pod, container) kof_container_requested{@namespace}`)).size(12, 10),
		}},
	},
}

// left are the hours from now to the end of the month, in UTC.
const left = `scalar((days_in_month() - day_of_month() + 1) * 24 - hour())`

var costForecast = Board{
	Folder: "finops", Name: "forecast", Title: "Forecast",
	Answers: "What will this month have cost at its end?",
	from:    "now/M", variables: byNamespace,
	rows: []row{
		{"", []panel{
			stat("Spent this month", money, `sum(increase(`+allCosts+`[$__range]))`).size(6, 4),
			stat("At the end of the month", money, `sum(increase(`+allCosts+`[$__range])) + sum(increase(`+allCosts+`[1d])) / 24 * `+left).size(6, 4).
				says("Spent in the time shown, and the pace of the last day until the month ends."),
			stat("Pace of the last day, a month", money, `sum(increase(`+allCosts+`[1d])) / 24 * `+month).size(6, 4),
			stat("Pace of the last hour, a month", money, `sum(increase(`+allCosts+`[1h])) * `+month).size(6, 4),
		}},
		{"", []panel{
			table("Clusters", []string{"cluster"},
				col("Spent", money, `sum by (cluster) (increase(`+allCosts+`[$__range]))`),
				col("At the end of the month", money, `sum by (cluster) (increase(`+allCosts+`[$__range])) + sum by (cluster) (increase(`+allCosts+`[1d])) / 24 * `+left)).size(12, 10).sortedBy("At the end of the month"),
			table("Namespaces", []string{"cluster", "namespace"},
				col("Spent", money, `sum by (cluster, namespace) (increase(`+namespaceCosts+`[$__range]))`),
				col("At the end of the month", money, `sum by (cluster, namespace) (increase(`+namespaceCosts+`[$__range])) + sum by (cluster, namespace) (increase(`+namespaceCosts+`[1d])) / 24 * `+left)).size(12, 10).sortedBy("At the end of the month"),
			graph("Cost of a day", money, q(`sum by (cluster) (increase(`+allCosts+`[1d]))`, "{{cluster}}")).stack().size(width, 9),
		}},
	},
}

// budgets are recorded by the rules that kof-operator makes of them. They are in the management cluster's own store, and so of no region.
var costBudgets = Board{
	Folder: "finops", Name: "budgets", Title: "Budgets",
	Answers: "Which budget is spent, or will be by the end of the month?",
	Needs:   "budgets (ConfigMaps of kof-operator), and `alerting.vmalert.remoteWrite` of kof-mothership",
	from:    "now-7d", variables: append(byRegion[:1:1], labelValues("budget", "Budget", `kof_budget_amount, budget`)),
	rows: []row{
		{"", []panel{
			table("Budgets of this month", []string{"budget", "cluster", "tenant", "namespace"},
				col("Will be spent", units.PercentUnit, `max by (budget, cluster, tenant, namespace) (kof_budget_forecast{budget=~"$budget"}) / max by (budget, cluster, tenant, namespace) (kof_budget_amount{budget=~"$budget"})`).above(0.9, 1),
				col("Spent", units.PercentUnit, `max by (budget, cluster, tenant, namespace) (kof_budget_spent{budget=~"$budget"}) / max by (budget, cluster, tenant, namespace) (kof_budget_amount{budget=~"$budget"})`).above(0.8, 1),
				col("Budget", money, `max by (budget, cluster, tenant, namespace) (kof_budget_amount{budget=~"$budget"})`),
				col("Spent so far", money, `max by (budget, cluster, tenant, namespace) (kof_budget_spent{budget=~"$budget"})`),
				col("At the end of the month", money, `max by (budget, cluster, tenant, namespace) (kof_budget_forecast{budget=~"$budget"})`),
			),
			graph("Spent", units.PercentUnit, q(`max by (budget) (kof_budget_spent{budget=~"$budget"}) / max by (budget) (kof_budget_amount{budget=~"$budget"})`, "{{budget}}")).above(0.8, 1),
			graph("Will be spent by the end of the month", units.PercentUnit, q(`max by (budget) (kof_budget_forecast{budget=~"$budget"}) / max by (budget) (kof_budget_amount{budget=~"$budget"})`, "{{budget}}")).above(0.9, 1),
		}},
	},
}

var costTelemetry = Board{
	Folder: "finops", Name: "telemetry", Title: "Cost of telemetry",
	Answers: "What does the observation itself cost: agents, stores, and bytes that leave the cluster?",
	from:    "now-24h", variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("Agents and collectors", money, `sum(increase(kof_container_cost_total{@cluster,container="kof-otelcol"}[$__range]))`),
			stat("Share of all", units.PercentUnit, `sum(increase(kof_container_cost_total{@cluster,container="kof-otelcol"}[$__range])) / sum(increase(`+allCosts+`[$__range]))`).above(0.05, 0.1),
			stat("Sent", units.BytesIEC, `sum(increase(otelcol_kof_region_wire_bytes_total{@cluster}[$__range]))`),
			stat("Egress, if all of it leaves the region", money, `sum(increase(otelcol_kof_region_wire_bytes_total{@cluster}[$__range])) / 1024 ^ 3 * scalar(max(kubecost_network_region_egress_cost{@cluster}))`).
				says("At the price of traffic between regions; nothing where regions store their own data."),
			stat("Egress, if all of it goes to the internet", money, `sum(increase(otelcol_kof_region_wire_bytes_total{@cluster}[$__range])) / 1024 ^ 3 * scalar(max(kubecost_network_internet_egress_cost{@cluster}))`),
			stat("Bytes an item", units.BytesIEC, `sum(increase(otelcol_kof_region_wire_bytes_total{@cluster}[$__range])) / sum(increase(otelcol_kof_region_delivered_items_total{@cluster}[$__range]))`).digits(1),
		}},
		{"", []panel{
			table("Clusters", []string{"cluster", "signal"},
				col("Sent", units.BytesIEC, `sum by (cluster, signal) (increase(otelcol_kof_region_wire_bytes_total{@cluster}[$__range]))`),
				col("Items", units.Short, `sum by (cluster, signal) (increase(otelcol_kof_region_delivered_items_total{@cluster}[$__range]))`),
				col("Bytes an item", units.BytesIEC, `sum by (cluster, signal) (increase(otelcol_kof_region_wire_bytes_total{@cluster}[$__range])) / (sum by (cluster, signal) (increase(otelcol_kof_region_delivered_items_total{@cluster}[$__range])) > 0)`),
			).size(12, 10),
			table("Namespaces", []string{"cluster", "namespace"},
				col("Bytes", units.BytesIEC, `sum by (cluster, namespace) (increase(otelcol_kof_region_namespace_bytes_total{@cluster,region!="_unknown"}[$__range]))`),
				col("Items", units.Short, `sum by (cluster, namespace) (increase(otelcol_kof_region_namespace_items_total{@cluster,region!="_unknown"}[$__range]))`),
				col("Of all", units.PercentUnit, `sum by (cluster, namespace) (increase(otelcol_kof_region_namespace_bytes_total{@cluster,region!="_unknown"}[$__range])) / on (cluster) group_left () sum by (cluster) (increase(otelcol_kof_region_namespace_bytes_total{@cluster,region!="_unknown"}[$__range]))`),
			).size(12, 10).says("What each has sent, before compression. Without a name: the nodes' own."),
			bars("Agents and collectors by cluster", money, q(`sum by (cluster) (increase(kof_container_cost_total{@cluster,container="kof-otelcol"}[$__range]))`, "{{cluster}}")),
			graph("Sent", units.BytesPerSecondIEC, q(`sum by (cluster, signal) (rate(otelcol_kof_region_wire_bytes_total{@cluster}[$__rate_interval]))`, "{{cluster}} {{signal}}")).stack(),
			// Not by metric: to count series by name is to read all of them, of every cluster.
			bars("Samples of a scrape by job", units.Short, q(`topk(15, sum by (job) (scrape_samples_post_metric_relabeling{@cluster}))`, "{{job}}")).says("What one look at all targets brings, after what is dropped."),
		}},
	},
}
