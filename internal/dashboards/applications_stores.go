// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

var applications = []Board{services, logsExplorer, kubernetesEvents, victoriaMetrics, victoriaLogs, jaeger}

// process are the panels of a program written in Go, by the name of its metrics' job.
func process(selector string) row {
	return row{"Process", []panel{
		graph("CPU", "cores", q(`sum by (cluster, namespace, pod) (rate(process_cpu_seconds_total{@cluster,`+selector+`}[$__rate_interval]))`, "{{cluster}} {{pod}}")),
		graph("Memory", units.BytesIEC, q(`sum by (cluster, namespace, pod) (process_resident_memory_bytes{@cluster,`+selector+`})`, "{{cluster}} {{pod}}")),
	}}
}

// Series of VictoriaMetrics' single-node and cluster programs have the same names; vm_app_version tells what is what.
var victoriaMetrics = Board{
	Folder: "applications", Name: "victoria-metrics", Title: "VictoriaMetrics",
	Answers:   "Do the stores of metrics take and answer everything, and how long does their disk last?",
	Needs:     "pods of VictoriaMetrics with the annotation `prometheus.io/scrape`, as kof-storage sets it",
	variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("Samples taken", units.Short, `sum(rate(vm_rows_inserted_total{@cluster}[$__rate_interval]))`).says("A second."),
			stat("Active series", units.Short, `sum(vm_cache_entries{@cluster,type="storage/hour_metric_ids"})`).says("Series with samples in the last hour."),
			stat("New series", units.Short, `sum(rate(vm_new_timeseries_created_total{@cluster}[$__rate_interval]))`).says("A second."),
			stat("Stored", units.BytesIEC, `sum(vm_data_size_bytes{@cluster,type!~"indexdb.*"})`),
			stat("Bytes a sample", units.BytesIEC, `sum(vm_data_size_bytes{@cluster,type!~"indexdb.*"}) / sum(vm_rows{@cluster,type!~"indexdb.*"})`).digits(2),
			stat("Queries", units.RequestsPerSecond, `sum(rate(vm_http_requests_total{@cluster,path=~".*/(query|query_range)"}[$__rate_interval]))`),
		}},
		{"", []panel{
			graph("Samples taken, by protocol", units.Short, q(`sum by (cluster, type) (rate(vm_rows_inserted_total{@cluster}[$__rate_interval]) > 0)`, "{{cluster}} {{type}}")).says("A second."),
			graph("Samples ignored", units.Short, q(`sum by (cluster, reason) (rate(vm_rows_ignored_total{@cluster}[$__rate_interval]))`, "{{cluster}} {{reason}}")).says("A second, by reason.").above(1, 100),
			graph("Requests", units.RequestsPerSecond, q(`sum by (cluster, path) (rate(vm_http_requests_total{@cluster}[$__rate_interval]) > 0)`, "{{cluster}} {{path}}")),
			graph("Errors", units.RequestsPerSecond, q(`sum by (cluster, path) (rate(vm_http_request_errors_total{@cluster}[$__rate_interval]))`, "{{cluster}} {{path}}")).above(0.1, 1),
			graph("Queries under way", units.Short,
				q(`sum by (cluster) (vm_concurrent_select_current{@cluster})`, "{{cluster}}"),
				q(`sum by (cluster) (vm_concurrent_select_capacity{@cluster})`, "{{cluster}} at most")),
			graph("Slow inserts", units.PercentUnit, q(`sum by (cluster) (rate(vm_slow_row_inserts_total{@cluster}[$__rate_interval])) / sum by (cluster) (rate(vm_rows_inserted_total{@cluster}[$__rate_interval]))`, "{{cluster}}")).
				says("Share of samples whose series wasn't in the cache: memory is short where this stays above 5 %.").above(0.05, 0.1),
			graph("Disk left", units.BytesIEC, q(`min by (cluster, namespace, pod) (vm_free_disk_space_bytes{@cluster})`, "{{cluster}} {{pod}}")),
			graph("Disk lasts", units.Seconds, q(`min by (cluster, namespace, pod) (vm_free_disk_space_bytes{@cluster}) / on (cluster, namespace, pod)
  (sum by (cluster, namespace, pod) (deriv(vm_data_size_bytes{@cluster}[6h])) > 0)`, "{{cluster}} {{pod}}")).says("At the pace of the last 6 hours, old data that goes not counted.").below(1209600, 259200),
			graph("Merges under way", units.Short, q(`sum by (cluster, type) (vm_active_merges{@cluster})`, "{{cluster}} {{type}}")),
			graph("Cache misses", units.PercentUnit, q(`sum by (cluster, type) (rate(vm_cache_misses_total{@cluster}[$__rate_interval])) / (sum by (cluster, type) (rate(vm_cache_requests_total{@cluster}[$__rate_interval])) > 0)`, "{{cluster}} {{type}}")).share(),
		}},
		process(`job=~".*(victoria-?metrics|vmsingle|vmstorage|vminsert|vmselect|-metrics).*"`),
	},
}

var victoriaLogs = Board{
	Folder: "applications", Name: "victoria-logs", Title: "VictoriaLogs",
	Answers:   "Do the stores of logs take and answer everything, and how long does their disk last?",
	Needs:     "pods of VictoriaLogs with the annotation `prometheus.io/scrape`, as kof-storage sets it",
	variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("Records taken", units.Short, `sum(rate(vl_rows_ingested_total{@cluster}[$__rate_interval]))`).says("A second."),
			stat("Taken", units.BytesPerSecondIEC, `sum(rate(vl_bytes_ingested_total{@cluster}[$__rate_interval]))`),
			stat("New streams", units.Short, `sum(increase(vl_streams_created_total{@cluster}[$__range]))`).says("In the time range shown."),
			stat("Stored", units.BytesIEC, `sum(vl_data_size_bytes{@cluster})`),
			stat("Compression", units.Short, `sum(vl_uncompressed_data_size_bytes{@cluster}) / sum(vl_compressed_data_size_bytes{@cluster})`).digits(1).says("Times smaller than what came in."),
			stat("Records", units.Short, `sum(vl_storage_rows{@cluster})`),
		}},
		{"", []panel{
			graph("Records taken, by protocol", units.Short, q(`sum by (cluster, type) (rate(vl_rows_ingested_total{@cluster}[$__rate_interval]) > 0)`, "{{cluster}} {{type}}")).says("A second."),
			graph("Records dropped", units.Short, q(`sum by (cluster, reason) (rate(vl_rows_dropped_total{@cluster}[$__rate_interval]))`, "{{cluster}} {{reason}}")).says("A second, by reason.").above(0.1, 1),
			graph("Requests", units.RequestsPerSecond, q(`sum by (cluster, path) (rate(vl_http_requests_total{@cluster}[$__rate_interval]) > 0)`, "{{cluster}} {{path}}")),
			graph("Errors", units.RequestsPerSecond, q(`sum by (cluster, path) (rate(vl_http_errors_total{@cluster}[$__rate_interval]))`, "{{cluster}} {{path}}")).above(0.1, 1),
			graph("Queries under way", units.Short,
				q(`sum by (cluster) (vl_concurrent_select_current{@cluster})`, "{{cluster}}"),
				q(`sum by (cluster) (vl_concurrent_select_capacity{@cluster})`, "{{cluster}} at most")),
			graph("Merges under way", units.Short, q(`sum by (cluster, type) (vl_active_merges{@cluster})`, "{{cluster}} {{type}}")),
			graph("Disk left", units.BytesIEC, q(`min by (cluster, namespace, pod) (vl_free_disk_space_bytes{@cluster})`, "{{cluster}} {{pod}}")),
			graph("Disk lasts", units.Seconds, q(`min by (cluster, namespace, pod) (vl_free_disk_space_bytes{@cluster}) / on (cluster, namespace, pod)
  (sum by (cluster, namespace, pod) (deriv(vl_data_size_bytes{@cluster}[6h])) > 0)`, "{{cluster}} {{pod}}")).says("At the pace of the last 6 hours, old data that goes not counted.").below(1209600, 259200),
		}},
		process(`job=~".*(victoria-?logs|vlsingle|vlstorage|vlinsert|vlselect|-logs).*"`),
	},
}

var jaeger = Board{
	Folder: "applications", Name: "jaeger", Title: "Jaeger",
	Answers:   "Does the store of traces take all spans, and does it answer?",
	Needs:     "pods of Jaeger with the annotation `prometheus.io/scrape`, as kof-storage sets it",
	variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("Spans taken", units.Short, `sum(rate(otelcol_receiver_accepted_spans_total{@cluster,job=~".*jaeger.*"}[$__rate_interval]))`).says("A second."),
			stat("Spans refused", units.Short, `sum(increase(otelcol_receiver_refused_spans_total{@cluster,job=~".*jaeger.*"}[$__range]))`).above(1, 100),
			stat("Spans stored", units.Short, `sum(rate(otelcol_exporter_sent_spans_total{@cluster,job=~".*jaeger.*"}[$__rate_interval]))`).says("A second."),
			stat("Spans that storage refused", units.Short, `sum(increase(otelcol_exporter_send_failed_spans_total{@cluster,job=~".*jaeger.*"}[$__range]))`).above(1, 100),
			stat("Queries", units.RequestsPerSecond, `sum(rate(jaeger_query_requests_total{@cluster}[$__rate_interval]))`),
			stat("Memory", units.BytesIEC, `sum(otelcol_process_memory_rss{@cluster,job=~".*jaeger.*"})`),
		}},
		{"", []panel{
			graph("Spans", units.Short,
				q(`sum by (cluster, transport) (rate(otelcol_receiver_accepted_spans_total{@cluster,job=~".*jaeger.*"}[$__rate_interval]))`, "{{cluster}} taken by {{transport}}"),
				q(`sum by (cluster) (rate(otelcol_exporter_sent_spans_total{@cluster,job=~".*jaeger.*"}[$__rate_interval]))`, "{{cluster}} stored")).says("A second."),
			graph("Lost", units.Short,
				q(`sum by (cluster) (rate(otelcol_receiver_refused_spans_total{@cluster,job=~".*jaeger.*"}[$__rate_interval]))`, "{{cluster}} refused"),
				q(`sum by (cluster) (rate(otelcol_exporter_send_failed_spans_total{@cluster,job=~".*jaeger.*"}[$__rate_interval]))`, "{{cluster}} not stored")).says("A second.").above(1, 100),
			graph("Queries by operation", units.RequestsPerSecond, q(`sum by (cluster, operation, result) (rate(jaeger_query_requests_total{@cluster}[$__rate_interval]))`, "{{cluster}} {{operation}} {{result}}")),
			graph("Mean time of a query", units.Seconds, q(`sum by (cluster, operation) (rate(jaeger_query_latency_sum{@cluster}[$__rate_interval])) / (sum by (cluster, operation) (rate(jaeger_query_latency_count{@cluster}[$__rate_interval])) > 0)`, "{{cluster}} {{operation}}")).above(1, 10),
			graph("CPU", "cores", q(`sum by (cluster, namespace, pod) (rate(otelcol_process_cpu_seconds_total{@cluster,job=~".*jaeger.*"}[$__rate_interval]))`, "{{cluster}} {{pod}}")),
			graph("Memory", units.BytesIEC, q(`sum by (cluster, namespace, pod) (otelcol_process_memory_rss{@cluster,job=~".*jaeger.*"})`, "{{cluster}} {{pod}}")),
		}},
	},
}
