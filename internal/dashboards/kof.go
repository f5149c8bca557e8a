// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

var kof = []Board{regionsOverview, agents, clusterCollectors}

var regionsOverview = Board{
	Folder: "kof", Name: "regions", Title: "Regions",
	Answers:   "Does every region get its data, and if not, since when and how much is held or lost?",
	variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("Clusters that send", units.Short, `count(count by (cluster) (up{@cluster,job="kof-otelcol"}))`),
			stat("Agents that send", units.Short, `sum(up{@cluster,job="kof-otelcol"})`),
			stat("Delivered", units.Short, `sum(rate(otelcol_kof_region_delivered_items_total{@cluster}[$__rate_interval]))`).
				says("Data points, log records and spans a second."),
			stat("Held", units.Short, `sum(otelcol_kof_region_held_items{@cluster})`).says("Items on the disks of agents that aren't delivered yet."),
			stat("Oldest held", units.Seconds, `max(otelcol_kof_region_oldest_held_age{@cluster})`).above(120, 900),
			stat("Dropped", units.Short, `sum(increase(otelcol_kof_region_dropped_items_total{@cluster}[$__range]))`).above(1, 1000).
				says("Items given up in the time range shown."),
		}},
		{"By region", []panel{
			table("Regions", []string{"region"},
				col("Delivered a second", units.Short, `sum by (region) (rate(otelcol_kof_region_delivered_items_total{@cluster}[$__rate_interval]))`),
				col("Sent", units.BytesPerSecondIEC, `sum by (region) (rate(otelcol_kof_region_wire_bytes_total{@cluster}[$__rate_interval]))`),
				col("Held", units.Short, `sum by (region) (otelcol_kof_region_held_items{@cluster})`),
				col("Held on disk", units.BytesIEC, `sum by (region) (otelcol_kof_region_held_bytes{@cluster})`),
				col("Oldest held", units.Seconds, `max by (region) (otelcol_kof_region_oldest_held_age{@cluster})`).above(120, 900),
				col("Dropped", units.Short, `sum by (region) (increase(otelcol_kof_region_dropped_items_total{@cluster}[$__range]))`).above(1, 1000),
				col("Refused", units.Short, `sum by (region) (increase(otelcol_kof_region_refused_items_total{@cluster}[$__range]))
  or 0 * sum by (region) (otelcol_kof_region_held_items{@cluster})`).above(1, 1000),
				col("Ledger residual", units.Short, `sum by (region) (abs(otelcol_kof_region_ledger_residual_items{@cluster}))`).above(1, 1),
			).sortedBy("Delivered a second"),
			graph("Delivered", units.Short, q(`sum by (region, signal) (rate(otelcol_kof_region_delivered_items_total{@cluster}[$__rate_interval]))`, "{{region}} {{signal}}")).
				says("Items a second."),
			graph("Held", units.Short, q(`sum by (region, signal) (otelcol_kof_region_held_items{@cluster})`, "{{region}} {{signal}}")),
			graph("Age of the oldest held record", units.Seconds,
				q(`max by (region, signal) (otelcol_kof_region_oldest_held_age{@cluster})`, "{{region}} {{signal}}")).above(120, 900),
			graph("Failed attempts", units.Short,
				q(`sum by (region, signal, class) (rate(otelcol_kof_region_failed_attempts_total{@cluster}[$__rate_interval]))`, "{{region}} {{signal}} {{class}}")).
				says("Requests a second that didn't deliver, by what came back."),
		}},
		{"By cluster", []panel{
			table("Clusters", []string{"promxyCluster", "cluster"},
				col("Age of newest data", units.Seconds, `time() - max by (promxyCluster, cluster) (timestamp(up{@cluster,job="kof-otelcol"}))`).above(120, 600),
				col("Agents", units.Short, `sum by (promxyCluster, cluster) (up{@cluster,job="kof-otelcol"})`),
				col("Held", units.Short, `sum by (promxyCluster, cluster) (otelcol_kof_region_held_items{@cluster})`),
				col("Oldest held", units.Seconds, `max by (promxyCluster, cluster) (otelcol_kof_region_oldest_held_age{@cluster})`).above(120, 900),
				col("Dropped", units.Short, `sum by (promxyCluster, cluster) (increase(otelcol_kof_region_dropped_items_total{@cluster}[$__range]))`).above(1, 1000),
			).sortedBy("Age of newest data").leads("cluster", uid("kof", "agents")),
		}},
	},
}
