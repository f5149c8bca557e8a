// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

const (
	calls      = `traces_span_metrics_calls_total{@namespace,span_kind=~"SPAN_KIND_(SERVER|CONSUMER)",service_name=~"$service"`
	durations  = `traces_span_metrics_duration_milliseconds_bucket{@namespace,span_kind=~"SPAN_KIND_(SERVER|CONSUMER)",service_name=~"$service"`
	callErrors = calls + `,status_code="STATUS_CODE_ERROR"`
	rate       = `}[$__rate_interval])`
)

var services = Board{
	Folder: "applications", Name: "services", Title: "Services",
	Answers:   "How often is each service called, how often does it fail, and how long does it take?",
	Needs:     "`agent.spanMetrics.enabled` of kof-collectors",
	variables: append(byNamespace[:5:5], labelValues("service", "Service", `traces_span_metrics_calls_total{@namespace}, service_name`)),
	rows: []row{
		{"", []panel{
			table("Services", []string{"cluster", "namespace", "service_name"},
				col("Calls a second", units.RequestsPerSecond, `sum by (cluster, namespace, service_name) (rate(`+calls+rate+`)`),
				col("Errors", units.PercentUnit, `sum by (cluster, namespace, service_name) (rate(`+callErrors+rate+`) / sum by (cluster, namespace, service_name) (rate(`+calls+rate+`)`).above(0.01, 0.05),
				col("50 % within", units.Milliseconds, `histogram_quantile(0.5, sum by (cluster, namespace, service_name, le) (rate(`+durations+rate+`))`),
				col("95 % within", units.Milliseconds, `histogram_quantile(0.95, sum by (cluster, namespace, service_name, le) (rate(`+durations+rate+`))`),
				col("99 % within", units.Milliseconds, `histogram_quantile(0.99, sum by (cluster, namespace, service_name, le) (rate(`+durations+rate+`))`),
			),
			graph("Calls", units.RequestsPerSecond, q(`sum by (namespace, service_name) (rate(`+calls+rate+`)`, "{{namespace}}/{{service_name}}")).stack(),
			graph("Errors", units.PercentUnit, q(`sum by (namespace, service_name) (rate(`+callErrors+rate+`) / sum by (namespace, service_name) (rate(`+calls+rate+`)`, "{{namespace}}/{{service_name}}")).above(0.01, 0.05),
			graph("95 % of calls within", units.Milliseconds, q(`histogram_quantile(0.95, sum by (namespace, service_name, le) (rate(`+durations+rate+`))`, "{{namespace}}/{{service_name}}")),
			graph("What services call", units.RequestsPerSecond, q(`sum by (namespace, service_name) (rate(traces_span_metrics_calls_total{@namespace,span_kind=~"SPAN_KIND_(CLIENT|PRODUCER)",service_name=~"$service"}[$__rate_interval]))`, "{{namespace}}/{{service_name}}")),
		}},
		{"Operations", []panel{
			table("Operations", []string{"namespace", "service_name", "span_name"},
				col("Calls a second", units.RequestsPerSecond, `sum by (namespace, service_name, span_name) (rate(`+calls+rate+`)`),
				col("Errors", units.PercentUnit, `sum by (namespace, service_name, span_name) (rate(`+callErrors+rate+`) / sum by (namespace, service_name, span_name) (rate(`+calls+rate+`)`).above(0.01, 0.05),
				col("95 % within", units.Milliseconds, `histogram_quantile(0.95, sum by (namespace, service_name, span_name, le) (rate(`+durations+rate+`))`),
			),
		}},
	},
}

// text is what records have to hold: words, or any filter of LogsQL.
var searchText = variable{name: "search", label: "Search", text: "*"}

var logsExplorer = Board{
	Folder: "applications", Name: "logs", Title: "Logs explorer",
	Answers:   "What do programs say, who says how much, and what changed?",
	variables: []variable{logs, logCluster, logNamespace, searchText},
	rows: []row{
		{"", []panel{
			graph("Records by namespace", units.Short, q(`@namespace $search | stats by (k8s.namespace.name) count() records`, "{{k8s.namespace.name}}")).ofLogs().stack().
				says("In each interval."),
			graph("Records by severity", units.Short, q(`@namespace $search | stats by (severity_text) count() records`, "{{severity_text}}")).ofLogs().stack().
				says("In each interval. Records without a severity have none in the log."),
			bars("Pods that say most", units.Short, q(`@namespace $search | stats by (k8s.namespace.name, k8s.pod.name) count() records | sort by (records desc) limit 10`, "{{k8s.namespace.name}}/{{k8s.pod.name}}")).ofLogs(),
			bars("Bytes by container", units.BytesIEC, q(`@namespace $search | stats by (k8s.namespace.name, k8s.container.name) sum_len(_msg) bytes | sort by (bytes desc) limit 10`, "{{k8s.namespace.name}}/{{k8s.container.name}}")).ofLogs(),
			logPanel("Records", `@namespace $search`),
		}},
	},
}

var kubernetesEvents = Board{
	Folder: "applications", Name: "kubernetes-events", Title: "Kubernetes events",
	Answers:   "What has Kubernetes done, and what is it unhappy about?",
	variables: []variable{logs, logCluster, logNamespace},
	rows: []row{
		{"", []panel{
			stat("Events", units.Short, `@namespace k8s.event.reason:* | stats count() events`).ofLogs(),
			stat("Warnings", units.Short, `@namespace k8s.event.reason:* severity_text:=Warning | stats count() events`).ofLogs().above(1, 50),
			graph("Events by reason", units.Short, q(`@namespace k8s.event.reason:* | stats by (k8s.event.reason) count() events`, "{{k8s.event.reason}}")).ofLogs().stack().size(16, 8).
				says("In each interval."),
			bars("Warnings by reason", units.Short, q(`@namespace k8s.event.reason:* severity_text:=Warning | stats by (k8s.event.reason) count() events | sort by (events desc) limit 10`, "{{k8s.event.reason}}")).ofLogs(),
			bars("Objects with most warnings", units.Short, q(`@namespace k8s.event.reason:* severity_text:=Warning | stats by (k8s.namespace.name, k8s.object.kind, k8s.object.name) count() events | sort by (events desc) limit 10`, "{{k8s.object.kind}} {{k8s.namespace.name}}/{{k8s.object.name}}")).ofLogs(),
			logPanel("Warnings", `@namespace k8s.event.reason:* severity_text:=Warning`),
			logPanel("All events", `@namespace k8s.event.reason:*`),
		}},
	},
}
