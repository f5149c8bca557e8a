// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

var agents = Board{
	Folder: "kof", Name: "agents", Title: "Agents",
	Answers:   "What does each node's agent take in, deliver, hold and drop, and what does it cost the node?",
	variables: byNode,
	rows: []row{
		{"", []panel{
			table("Agents", []string{"cluster", "node"},
				col("Delivered a second", units.Short, `sum by (cluster, node) (rate(otelcol_kof_region_delivered_items_total{@node,job="kof-otelcol"}[$__rate_interval]))`),
				col("Held", units.Short, `sum by (cluster, node) (otelcol_kof_region_held_items{@node,job="kof-otelcol"})`),
				col("Oldest held", units.Seconds, `max by (cluster, node) (otelcol_kof_region_oldest_held_age{@node,job="kof-otelcol"})`).above(120, 900),
				col("Dropped", units.Short, `sum by (cluster, node) (increase(otelcol_kof_region_dropped_items_total{@node,job="kof-otelcol"}[$__range]))`).above(1, 1000),
				col("Refused", units.Short, `sum by (cluster, node) (increase(otelcol_kof_region_refused_items_total{@node,job="kof-otelcol"}[$__range]))
  or 0 * sum by (cluster, node) (otelcol_kof_region_held_items{@node,job="kof-otelcol"})`).above(1, 1000),
				col("Ledger residual", units.Short, `sum by (cluster, node) (abs(otelcol_kof_region_ledger_residual_items{@node,job="kof-otelcol"}))`).above(1, 1),
				col("Queue on disk", units.BytesIEC, `sum by (cluster, node) (otelcol_kof_queue_storage_disk_bytes{@node,job="kof-otelcol"})`),
				col("CPU", "cores", `sum by (cluster, node) (rate(otelcol_process_cpu_seconds_total{@node,job="kof-otelcol"}[$__rate_interval]))`),
				col("Memory", units.BytesIEC, `sum by (cluster, node) (otelcol_process_memory_rss{@node,job="kof-otelcol"})`),
				col("Up", units.Seconds, `min by (cluster, node) (otelcol_process_uptime_total{@node,job="kof-otelcol"})`),
			).sortedBy("Held"),
		}},
		{"Taken in", []panel{
			graph("Taken in by signal", units.Short, q(`sum by (signal) (rate(otelcol_kof_region_accepted_items_total{@node,job="kof-otelcol"}[$__rate_interval]))`, "{{signal}}")).says("Data points, records and spans a second."),
			graph("Refused: the sender was told", units.Short, q(`sum by (node, signal) (rate(otelcol_kof_region_refused_items_total{@node,job="kof-otelcol"}[$__rate_interval]))
  or 0 * sum by (node, signal) (otelcol_kof_region_held_items{@node,job="kof-otelcol"})`, "{{node}} {{signal}}")).says("Items a second.").above(1, 100),
			graph("Logs read", units.BytesPerSecondIEC, q(`sum by (node) (rate(otelcol_kof_pod_logs_read_bytes_total{@node}[$__rate_interval]))`, "{{node}}")),
			graph("Logs not read yet", units.BytesIEC, q(`sum by (node) (otelcol_kof_pod_logs_lag_bytes{@node})`, "{{node}}")),
			graph("Log records dropped or cut", units.Short,
				q(`sum by (node) (rate(otelcol_kof_pod_logs_dropped_records_total{@node}[$__rate_interval])) or 0 * sum by (node) (otelcol_kof_pod_logs_containers{@node})`, "{{node}} dropped"),
				q(`sum by (node) (rate(otelcol_kof_pod_logs_truncated_records_total{@node}[$__rate_interval])) or 0 * sum by (node) (otelcol_kof_pod_logs_containers{@node})`, "{{node}} cut")).says("A second.").above(1, 100),
			graph("Spans and points from pods", units.Short,
				q(`sum by (transport) (rate(otelcol_receiver_accepted_spans_total{@node,job="kof-otelcol"}[$__rate_interval]))`, "spans by {{transport}}"),
				q(`sum by (receiver) (rate(otelcol_receiver_accepted_metric_points_total{@node,job="kof-otelcol"}[$__rate_interval]))`, "points by {{receiver}}")).says("A second."),
		}},
		{"Delivered, held, dropped", []panel{
			graph("Delivered", units.Short, q(`sum by (region, signal) (rate(otelcol_kof_region_delivered_items_total{@node,job="kof-otelcol"}[$__rate_interval]))`, "{{region}} {{signal}}")).says("Items a second."),
			graph("Sent", units.BytesPerSecondIEC, q(`sum by (region, signal) (rate(otelcol_kof_region_wire_bytes_total{@node,job="kof-otelcol"}[$__rate_interval]))`, "{{region}} {{signal}}")),
			graph("Held", units.BytesIEC, q(`sum by (node, region, signal) (otelcol_kof_region_held_bytes{@node,job="kof-otelcol"})`, "{{node}} {{region}} {{signal}}")),
			graph("Dropped", units.Short, q(`sum by (node, signal, reason) (rate(otelcol_kof_region_dropped_items_total{@node,job="kof-otelcol"}[$__rate_interval]))`, "{{node}} {{signal}} {{reason}}")).says("Items a second.").above(0.1, 10),
			graph("Failed attempts", units.RequestsPerSecond, q(`sum by (region, signal, class) (rate(otelcol_kof_region_failed_attempts_total{@node,job="kof-otelcol"}[$__rate_interval]))`, "{{region}} {{signal}} {{class}}")),
			graph("Failovers", units.Short, q(`sum by (region, signal) (increase(otelcol_kof_region_failovers_total{@node,job="kof-otelcol"}[$__rate_interval]))
  or 0 * sum by (region, signal) (otelcol_kof_region_held_items{@node,job="kof-otelcol"})`, "{{region}} {{signal}}")).above(1, 2),
		}},
		{"Disk and process", []panel{
			graph("Queue on disk", units.BytesIEC,
				q(`sum by (node) (otelcol_kof_queue_storage_disk_bytes{@node,job="kof-otelcol"})`, "{{node}} on disk"),
				q(`sum by (node) (otelcol_kof_queue_storage_live_bytes{@node,job="kof-otelcol"})`, "{{node}} needed")),
			graph("Damage and failed syncs", units.Short,
				q(`sum by (node) (otelcol_kof_queue_storage_damaged_segments_total{@node,job="kof-otelcol"})`, "{{node}} segments set aside"),
				q(`sum by (node) (otelcol_kof_queue_storage_sync_failures_total{@node,job="kof-otelcol"})`, "{{node}} syncs failed")).above(1, 1),
			graph("CPU", "cores", q(`sum by (node) (rate(otelcol_process_cpu_seconds_total{@node,job="kof-otelcol"}[$__rate_interval]))`, "{{node}}")),
			graph("Memory", units.BytesIEC, q(`sum by (node) (otelcol_process_memory_rss{@node,job="kof-otelcol"})`, "{{node}}")),
			graph("Scrapes that fail", units.Short, q(`count by (node, job) (up{@node} == 0) or sum by (node, job) (up{@node}) * 0`, "{{node}} {{job}}")).above(1, 5),
			graph("Cost collections that fail", units.Short, q(`sum by (node) (1 - kof_cost_collection_success{@node})`, "{{node}}")).above(1, 1),
		}},
	},
}

var clusterCollectors = Board{
	Folder: "kof", Name: "cluster-collectors", Title: "Cluster collectors",
	Answers:   "Do events, the state of objects and the control plane's metrics get in?",
	variables: byCluster,
	rows: []row{
		{"", []panel{
			table("Collectors", []string{"cluster", "instance"},
				col("Delivered a second", units.Short, `sum by (cluster, instance) (rate(otelcol_kof_region_delivered_items_total{@cluster,job="kof-otelcol-cluster"}[$__rate_interval]))`),
				col("Held", units.Short, `sum by (cluster, instance) (otelcol_kof_region_held_items{@cluster,job="kof-otelcol-cluster"})`),
				col("Oldest held", units.Seconds, `max by (cluster, instance) (otelcol_kof_region_oldest_held_age{@cluster,job="kof-otelcol-cluster"})`).above(120, 900),
				col("Dropped", units.Short, `sum by (cluster, instance) (increase(otelcol_kof_region_dropped_items_total{@cluster,job="kof-otelcol-cluster"}[$__range]))`).above(1, 1000),
				col("Ledger residual", units.Short, `sum by (cluster, instance) (abs(otelcol_kof_region_ledger_residual_items{@cluster,job="kof-otelcol-cluster"}))`).above(1, 1),
				col("CPU", "cores", `sum by (cluster, instance) (rate(otelcol_process_cpu_seconds_total{@cluster,job="kof-otelcol-cluster"}[$__rate_interval]))`),
				col("Memory", units.BytesIEC, `sum by (cluster, instance) (otelcol_process_memory_rss{@cluster,job="kof-otelcol-cluster"})`),
			).sortedBy("Held"),
			graph("Events sent", units.Short, q(`sum by (cluster) (rate(otelcol_k8s_events_records_total{@cluster}[$__rate_interval]))`, "{{cluster}}")).says("A second."),
			graph("Events: what failed", units.Short, q(`sum by (cluster) (rate(otelcol_k8s_events_errors_total{@cluster}[$__rate_interval]))
  or 0 * sum by (cluster) (rate(otelcol_k8s_events_records_total{@cluster}[$__rate_interval]))`, "{{cluster}}")).says("A second.").above(0.1, 1),
			graph("Targets that answer", units.Short, q(`sum by (cluster, job) (up{@cluster,job=~"kube-state-metrics|apiserver"})`, "{{cluster}} {{job}}")),
			graph("Samples of a scrape", units.Short, q(`sum by (cluster, job) (scrape_samples_post_metric_relabeling{@cluster,job=~"kube-state-metrics|apiserver"})`, "{{cluster}} {{job}}")),
		}},
	},
}
