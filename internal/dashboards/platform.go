// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

var platform = []Board{clusterManager, clusterAPI, sveltos, flux}

// controllers are the panels that all programs built on controller-runtime have, of those with a job that fits.
func controllers(job string) []row {
	in := `@cluster,job=~"` + job + `"`
	return []row{
		{"Controllers", []panel{
			table("Controllers", []string{"cluster", "job", "controller"},
				col("Reconciles a second", units.OpsPerSecond, `sum by (cluster, job, controller) (rate(controller_runtime_reconcile_total{`+in+`}[$__rate_interval]))`),
				col("Failed", units.PercentUnit, `sum by (cluster, job, controller) (rate(controller_runtime_reconcile_errors_total{`+in+`}[$__rate_interval]))
  / (sum by (cluster, job, controller) (rate(controller_runtime_reconcile_total{`+in+`}[$__rate_interval])) > 0)`).above(0.05, 0.5),
				col("95 % within", units.Seconds, `histogram_quantile(0.95, sum by (cluster, job, controller, le) (rate(controller_runtime_reconcile_time_seconds_bucket{`+in+`}[$__rate_interval])))`),
				col("Workers busy", units.PercentUnit, `sum by (cluster, job, controller) (controller_runtime_active_workers{`+in+`}) / sum by (cluster, job, controller) (controller_runtime_max_concurrent_reconciles{`+in+`})`).above(0.8, 1),
			),
			graph("Objects that wait", units.Short, q(`sum by (cluster, job, name) (workqueue_depth{`+in+`})`, "{{job}} {{name}}")).above(50, 500),
			graph("95 % wait at most", units.Seconds, q(`histogram_quantile(0.95, sum by (cluster, job, name, le) (rate(workqueue_queue_duration_seconds_bucket{`+in+`}[$__rate_interval])))`, "{{job}} {{name}}")).above(10, 60),
			graph("Reconciles by result", units.OpsPerSecond, q(`sum by (job, controller, result) (rate(controller_runtime_reconcile_total{`+in+`}[$__rate_interval]))`, "{{job}} {{controller}} {{result}}")),
			graph("Requests to the API server", units.RequestsPerSecond, q(`sum by (job, method, code) (rate(rest_client_requests_total{`+in+`}[$__rate_interval]))`, "{{job}} {{method}} {{code}}")),
			graph("CPU", "cores", q(`sum by (cluster, job) (rate(process_cpu_seconds_total{`+in+`}[$__rate_interval]))`, "{{cluster}} {{job}}")),
			graph("Memory", units.BytesIEC, q(`sum by (cluster, job) (process_resident_memory_bytes{`+in+`})`, "{{cluster}} {{job}}")),
		}},
	}
}

var clusterManager = Board{
	Folder: "platform", Name: "cluster-manager", Title: "k0rdent cluster manager",
	Answers:   "Which templates are in use or invalid, and does the cluster manager keep up?",
	Needs:     "kcm-controller-manager with the annotation `prometheus.io/scrape`",
	variables: byCluster,
	rows: append([]row{
		{"", []panel{
			stat("Templates in use", units.Short, `count(count by (template_kind, template_name) (kcm_template_usage{@cluster} > 0))`),
			stat("Invalid templates", units.Short, `sum(kcm_template_invalidity{@cluster})`).above(1, 2),
			stat("IP claims in use", units.Short, `sum(kcm_ipam_claim_use{@cluster})`),
			stat("IP claims bound", units.Short, `sum(kcm_ipam_claims_bound{@cluster})`),
			stat("Failed reconciles", units.PercentUnit, `sum(rate(controller_runtime_reconcile_errors_total{@cluster,job=~"kcm-.*"}[$__rate_interval])) / sum(rate(controller_runtime_reconcile_total{@cluster,job=~"kcm-.*"}[$__rate_interval]))`).above(0.05, 0.5),
			stat("Objects that wait", units.Short, `sum(workqueue_depth{@cluster,job=~"kcm-.*"})`).above(50, 500),
		}},
		{"Templates", []panel{
			table("Templates in use", []string{"template_kind", "template_name", "parent_kind", "parent_namespace"},
				col("Used by", units.Short, `sum by (template_kind, template_name, parent_kind, parent_namespace) (kcm_template_usage{@cluster})`)).size(12, 9),
			table("Invalid templates", []string{"template_kind", "template_namespace", "template_name"},
				col("Invalid", units.Short, `max by (template_kind, template_namespace, template_name) (kcm_template_invalidity{@cluster})`).above(1, 1)).size(12, 9),
		}},
	}, controllers("kcm-.*")...),
}

var clusterAPI = Board{
	Folder: "platform", Name: "cluster-api", Title: "Cluster API",
	Answers:   "Do the providers of Cluster API make and keep machines without errors?",
	Needs:     "the managers of Cluster API and its providers with the annotation `prometheus.io/scrape`, and their diagnostics address open to it (`--insecure-diagnostics`)",
	variables: byCluster,
	rows: append([]row{
		{"", []panel{
			stat("Managers", units.Short, `count(count by (cluster, job) (controller_runtime_max_concurrent_reconciles{@cluster,job=~"cap.*-controller-manager|k0smotron-.*"}))`),
			stat("Failed reconciles", units.PercentUnit, `sum(rate(controller_runtime_reconcile_errors_total{@cluster,job=~"cap.*-controller-manager|k0smotron-.*"}[$__rate_interval])) / sum(rate(controller_runtime_reconcile_total{@cluster,job=~"cap.*-controller-manager|k0smotron-.*"}[$__rate_interval]))`).above(0.05, 0.5),
			stat("Objects that wait", units.Short, `sum(workqueue_depth{@cluster,job=~"cap.*-controller-manager|k0smotron-.*"})`).above(50, 500),
			stat("Longest under way", units.Seconds, `max(workqueue_longest_running_processor_seconds{@cluster,job=~"cap.*-controller-manager|k0smotron-.*"})`).above(60, 600),
			stat("Tried again", units.OpsPerSecond, `sum(rate(workqueue_retries_total{@cluster,job=~"cap.*-controller-manager|k0smotron-.*"}[$__rate_interval]))`),
			stat("Webhook errors", units.RequestsPerSecond, `sum(rate(controller_runtime_webhook_requests_total{@cluster,job=~"cap.*-controller-manager|k0smotron-.*",code!="200"}[$__rate_interval]))`).above(0.1, 1),
		}},
	}, controllers("cap.*-controller-manager|k0smotron-.*")...),
}

var sveltos = Board{
	Folder: "platform", Name: "sveltos", Title: "Sveltos",
	Answers:   "Do services get to clusters, how long does it take, and who drifts?",
	Needs:     "Sveltos' managers with the annotation `prometheus.io/scrape`, and their diagnostics address open to it",
	variables: byCluster,
	rows: append([]row{
		{"", []panel{
			stat("Clusters served", units.Short, `count(count by (cluster_type, cluster_namespace, cluster_name) (projectsveltos_reconcile_operations_total{@cluster}))`),
			stat("Deployments", units.OpsPerSecond, `sum(rate(projectsveltos_reconcile_operations_total{@cluster}[$__rate_interval]))`),
			stat("Drifts", units.Short, `sum(increase(projectsveltos_drifts_total{@cluster}[$__range]))`).above(1, 10),
			stat("95 % of charts within", units.Seconds, `histogram_quantile(0.95, sum by (le) (rate(projectsveltos_program_charts_time_seconds_bucket{@cluster}[$__rate_interval])))`).above(60, 120),
			stat("95 % of resources within", units.Seconds, `histogram_quantile(0.95, sum by (le) (rate(projectsveltos_program_resources_time_seconds_bucket{@cluster}[$__rate_interval])))`).above(30, 90),
			stat("Failed reconciles", units.PercentUnit, `sum(rate(controller_runtime_reconcile_errors_total{@cluster,job=~"addon-controller.*"}[$__rate_interval])) / sum(rate(controller_runtime_reconcile_total{@cluster,job=~"addon-controller.*"}[$__rate_interval]))`).above(0.05, 0.5),
		}},
		{"Clusters", []panel{
			table("Clusters", []string{"cluster_type", "cluster_namespace", "cluster_name", "feature"},
				col("Deployments", units.Short, `sum by (cluster_type, cluster_namespace, cluster_name, feature) (increase(projectsveltos_reconcile_operations_total{@cluster}[$__range]))`)).size(12, 9),
			graph("Drifts over time", units.Short, q(`sum by (cluster_namespace, cluster_name, feature) (rate(projectsveltos_drifts_total{@cluster}[$__rate_interval]))`, "{{cluster_namespace}}/{{cluster_name}} {{feature}}")).says("A second."),
		}},
	}, controllers("addon-controller.*|classifier-manager.*|event-manager.*|hc-manager.*|sc-manager.*|access-manager.*|shard-controller.*")...),
}

var flux = Board{
	Folder: "platform", Name: "flux", Title: "Flux",
	Answers:   "Does Flux bring what Git and chart repositories say, and how long does it take?",
	Needs:     "Flux' controllers, which are annotated for scraping by themselves",
	variables: byCluster,
	rows: append([]row{
		{"", []panel{
			stat("Controllers", units.Short, `count(count by (cluster, job) (controller_runtime_max_concurrent_reconciles{@cluster,job=~"source-controller|kustomize-controller|helm-controller|notification-controller|image-.*-controller"}))`),
			stat("Objects", units.Short, `count(count by (cluster, kind, namespace, name) (gotk_reconcile_duration_seconds_count{@cluster}))`),
			stat("Reconciles", units.OpsPerSecond, `sum(rate(gotk_reconcile_duration_seconds_count{@cluster}[$__rate_interval]))`),
			stat("95 % within", units.Seconds, `histogram_quantile(0.95, sum by (le) (rate(gotk_reconcile_duration_seconds_bucket{@cluster}[$__rate_interval])))`).above(60, 600),
			stat("Failed", units.PercentUnit, `sum(rate(controller_runtime_reconcile_total{@cluster,job=~"source-controller|kustomize-controller|helm-controller|notification-controller",result="error"}[$__rate_interval])) / sum(rate(controller_runtime_reconcile_total{@cluster,job=~"source-controller|kustomize-controller|helm-controller|notification-controller"}[$__rate_interval]))`).above(0.05, 0.5),
			stat("Cache of charts hit", units.PercentUnit, `sum(rate(gotk_cache_events_total{@cluster,event_type="cache_hit"}[$__rate_interval])) / sum(rate(gotk_cache_events_total{@cluster}[$__rate_interval]))`),
		}},
		{"Objects", []panel{
			table("Slowest objects", []string{"cluster", "kind", "namespace", "name"},
				col("Mean time", units.Seconds, `sum by (cluster, kind, namespace, name) (rate(gotk_reconcile_duration_seconds_sum{@cluster}[$__rate_interval])) / sum by (cluster, kind, namespace, name) (rate(gotk_reconcile_duration_seconds_count{@cluster}[$__rate_interval]) > 0)`).above(60, 600),
				col("Reconciles", units.Short, `sum by (cluster, kind, namespace, name) (increase(gotk_reconcile_duration_seconds_count{@cluster}[$__range]))`)).size(24, 9),
		}},
	}, controllers("source-controller|kustomize-controller|helm-controller|notification-controller|image-.*-controller")...),
}
