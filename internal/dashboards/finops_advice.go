// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// ofDetail tells which workload a pod is of, for the one cluster and namespace that are looked at in detail.
var ofDetail = strings.ReplaceAll(ofWorkload, "@workload", "@detailWorkload")

// needs is what a container should request, as `kofctl rightsizing` advises: the CPU that it used at most for 95 % of the time, or the most memory
// that it used, since what goes beyond its limit is killed; and 15 % on top.
func needs(resource string) string {
	ofContainers := `kof_container_used{@detailNamespace,resource="` + resource + `"}[$__range]`
	if resource == "ram" {
		return `1.15 * max_over_time(` + ofContainers + `)`
	}
	return `1.15 * quantile_over_time(0.95, ` + ofContainers + `)`
}

// saving is what a month would cost less if containers requested what they need; below zero where they need more.
func saving(resource, price, unit string) string {
	return `sum by (cluster, namespace, workload_kind, workload) (
  sum by (cluster, namespace, pod) (kof_container_requested{@detailNamespace,resource="` + resource + `"} - on (cluster, namespace, pod, container) ` + needs(resource) + `)
  ` + ofDetail[1:] + `)
/ ` + unit + ` * on (cluster) group_left () avg by (cluster) (` + price + `{@detail}) * ` + month
}

// ratio is what containers use of what they request, by the time that they did. Those without a request aren't in it.
func ratio(by, resource string) string {
	over := func(series string) string {
		return sum(by, `sum_over_time(`+series+`{@tenant,resource="`+resource+`"}[$__range])`)
	}
	return over(used) + " / " + over(requested)
}

var costEfficiency = Board{
	Folder: "finops", Name: "efficiency", Title: "Efficiency and right-sizing",
	Answers: "Who requests far more than they use, what should be requested instead, and what would that save?",
	from:    "now-24h", variables: costsOfDetail,
	rows: []row{
		{"Efficiency", []panel{
			stat("CPU used of requested", units.PercentUnit, ratio("", "cpu")).below(0.4, 0.2).size(6, 5),
			stat("Memory used of requested", units.PercentUnit, ratio("", "ram")).below(0.4, 0.2).size(6, 5),
			table("Namespaces", []string{"cluster", "namespace"},
				col("CPU used of requested", units.PercentUnit, ratio("cluster, namespace", "cpu")),
				col("Memory used of requested", units.PercentUnit, ratio("cluster, namespace", "ram")),
			).size(12, 10).leads("namespace", uid("finops", "efficiency"), "detail=cluster").says("Of containers that request something. A namespace leads to its right-sizing below."),
		}},
		// Of each container over the whole time, and so of one cluster and namespace.
		{"Right-sizing: cluster in detail", []panel{
			stat("Saved a month by fitting CPU", money, `sum(`+saving("cpu", "node_cpu_hourly_cost", "1")+`)`).size(6, 4),
			stat("Saved a month by fitting memory", money, `sum(`+saving("ram", "node_ram_hourly_cost", "1024 ^ 3")+`)`).size(6, 4),
			table("What requests should be", []string{"cluster", "namespace", "workload_kind", "workload", "container"},
				col("CPU requested", "cores", `avg by (cluster, namespace, workload_kind, workload, container) (kof_container_requested{@detailNamespace,resource="cpu"}`+ofDetail+`)`),
				col("CPU needed", "cores", `max by (cluster, namespace, workload_kind, workload, container) (`+needs("cpu")+ofDetail+`)`),
				col("Memory requested", units.BytesIEC, `avg by (cluster, namespace, workload_kind, workload, container) (kof_container_requested{@detailNamespace,resource="ram"}`+ofDetail+`)`),
				col("Memory needed", units.BytesIEC, `max by (cluster, namespace, workload_kind, workload, container) (`+needs("ram")+ofDetail+`)`),
			).says("Needed: the CPU used at most for 95 % of the time shown, and the most memory, by the pod that uses most; 15 % on top. Show a week or more."),
			table("What that saves a month", []string{"cluster", "namespace", "workload_kind", "workload"},
				col("CPU", money, saving("cpu", "node_cpu_hourly_cost", "1")),
				col("Memory", money, saving("ram", "node_ram_hourly_cost", "1024 ^ 3")),
			).says("Below zero: more should be requested. Saved once nodes go, not before."),
			table("Containers without requests", []string{"cluster", "namespace", "pod", "container"},
				col("Memory used", units.BytesIEC, `sum by (cluster, namespace, pod, container) (kof_container_used{@detailNamespace,resource="ram"}) unless on (cluster, namespace, pod, container) kof_container_requested{@detailNamespace}`)).size(12, 10),
		}},
	},
}

// left are the hours from now to the end of the month, in UTC.
const left = `scalar((days_in_month() - day_of_month() + 1) * 24 - hour())`

// byMonthsEnd adds the pace of the last day until then.
func byMonthsEnd(by, of string) string {
	return spentSince(by, of) + ` + ` + during(lastDay, by, of) + ` / 24 * ` + left
}

var costForecast = Board{
	Folder: "finops", Name: "forecast", Title: "Forecast",
	Answers: "What will this month have cost at its end?",
	from:    "now/M", variables: costsByNamespace,
	rows: []row{
		{"", recorded(
			stat("Spent this month", money, spentSince("", allCosts)).size(6, 4),
			stat("At the end of the month", money, byMonthsEnd("", allCosts)).size(6, 4).
				says("Spent in the time shown, and the pace of the last day until the month ends."),
			stat("Pace of the last day, a month", money, during(lastDay, "", allCosts)+` / 24 * `+month).size(6, 4),
			stat("Pace of the last hour, a month", money, during(newest, "", allCosts)+` * `+month).size(6, 4),
		)},
		{"", recorded(
			table("Clusters", []string{"cluster"},
				col("Spent", money, spentSince("cluster", allCosts)),
				col("At the end of the month", money, byMonthsEnd("cluster", allCosts))).size(12, 10).sortedBy("At the end of the month"),
			table("Namespaces", []string{"cluster", "namespace"},
				col("Spent", money, spentSince("cluster, namespace", namespaceCosts)),
				col("At the end of the month", money, byMonthsEnd("cluster, namespace", namespaceCosts))).size(12, 10).sortedBy("At the end of the month"),
			graph("Cost of a day", money, q(during(lastDay, "cluster", allCosts), "{{cluster}}")).stack().size(width, 9),
		)},
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
	from:    "now-24h", variables: costsByCluster,
	rows: []row{
		{"", recorded(
			stat("Agents and collectors", money, spent("", collectorCosts+`{@cluster}`)),
			stat("Share of all", units.PercentUnit, spent("", collectorCosts+`{@cluster}`)+` / `+spent("", allCosts)).above(0.05, 0.1),
			stat("Sent", units.BytesIEC, spent("", sentBytes+`{@cluster}`)),
			stat("Egress, if all of it leaves the region", money, spent("", sentBytes+`{@cluster}`)+` / 1024 ^ 3 * scalar(max(kubecost_network_region_egress_cost{@cluster}))`).
				says("At the price of traffic between regions; nothing where regions store their own data."),
			stat("Egress, if all of it goes to the internet", money, spent("", sentBytes+`{@cluster}`)+` / 1024 ^ 3 * scalar(max(kubecost_network_internet_egress_cost{@cluster}))`),
			stat("Bytes an item", units.BytesIEC, spent("", sentBytes+`{@cluster}`)+` / `+spent("", sentItems+`{@cluster}`)).digits(1),
		)},
		{"", recorded(
			table("Clusters", []string{"cluster", "signal"},
				col("Sent", units.BytesIEC, spent("cluster, signal", sentBytes+`{@cluster}`)),
				col("Items", units.Short, spent("cluster, signal", sentItems+`{@cluster}`)),
				col("Bytes an item", units.BytesIEC, spent("cluster, signal", sentBytes+`{@cluster}`)+` / (`+spent("cluster, signal", sentItems+`{@cluster}`)+` > 0)`),
			).size(12, 10),
			table("Namespaces", []string{"cluster", "namespace"},
				col("Bytes", units.BytesIEC, spent("cluster, namespace", namespaceBytes+`{@cluster}`)),
				col("Items", units.Short, spent("cluster, namespace", namespaceItems+`{@cluster}`)),
				col("Of all", units.PercentUnit, spent("cluster, namespace", namespaceBytes+`{@cluster}`)+` / on (cluster) group_left () `+spent("cluster", namespaceBytes+`{@cluster}`)),
			).size(12, 10).says("What each has sent, before compression. Without a name: the nodes' own."),
			bars("Agents and collectors by cluster", money, q(spent("cluster", collectorCosts+`{@cluster}`), "{{cluster}}")),
			graph("Sent", units.BytesPerSecondIEC, q(sum("cluster, signal", `cluster_region_signal:otelcol_kof_region_wire_bytes:sum_rate5m{@cluster}`), "{{cluster}} {{signal}}")).stack(),
			// Not by metric: to count series by name is to read all of them, of every cluster.
			bars("Samples of a scrape by job", units.Short, q(`topk(15, sum by (job) (scrape_samples_post_metric_relabeling{@cluster}))`, "{{job}}")).says("What one look at all targets brings, after what is dropped."),
		)},
	},
}
