// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

// ofWorkload tells of each pod which workload it is of.
const ofWorkload = ` * on (cluster, namespace, pod) group_left (workload_kind, workload)
    group by (cluster, namespace, pod, workload_kind, workload) (kof_container_cost_total{@workload})`

var workloads = Board{
	Folder: "infrastructure", Name: "workloads", Title: "Workloads",
	Answers:   "Which workload isn't as it should be, and which uses the most?",
	variables: byWorkload,
	rows: []row{
		{"", []panel{
			table("Workloads", []string{"cluster", "namespace", "workload_kind", "workload"},
				col("Pods", units.Short, `count by (cluster, namespace, workload_kind, workload) (
  group by (cluster, namespace, pod, workload_kind, workload) (kof_container_cost_total{@workload}))`),
				col("CPU", "cores", `sum by (cluster, namespace, workload_kind, workload) (
  sum by (cluster, namespace, pod) (rate(container_cpu_usage_seconds_total{@namespace,container!=""}[$__rate_interval]))`+ofWorkload+`)`),
				col("CPU requested", "cores", `sum by (cluster, namespace, workload_kind, workload) (
  sum by (cluster, namespace, pod) (kof_container_requested{@namespace,resource="cpu"})`+ofWorkload+`)`),
				col("Memory", units.BytesIEC, `sum by (cluster, namespace, workload_kind, workload) (
  sum by (cluster, namespace, pod) (container_memory_working_set_bytes{@namespace,container!=""})`+ofWorkload+`)`),
				col("Memory requested", units.BytesIEC, `sum by (cluster, namespace, workload_kind, workload) (
  sum by (cluster, namespace, pod) (kof_container_requested{@namespace,resource="ram"})`+ofWorkload+`)`),
			).sortedBy("Memory").leads("workload", uid("infrastructure", "pods"), "cluster", "namespace", "workload_kind"),
		}},
		{"Over time", []panel{
			graph("CPU", "cores", q(`sum by (cluster, namespace, workload) (
  sum by (cluster, namespace, pod) (rate(container_cpu_usage_seconds_total{@namespace,container!=""}[$__rate_interval]))`+ofWorkload+`)`,
				"{{cluster}} {{namespace}}/{{workload}}")),
			graph("Memory", units.BytesIEC, q(`sum by (cluster, namespace, workload) (
  sum by (cluster, namespace, pod) (container_memory_working_set_bytes{@namespace,container!=""})`+ofWorkload+`)`,
				"{{cluster}} {{namespace}}/{{workload}}")),
		}},
		{"Wanted and available", []panel{
			table("Deployments", []string{"cluster", "namespace", "deployment"},
				col("Missing", units.Short, `max by (cluster, namespace, deployment) (kube_deployment_spec_replicas{@namespace})
  - max by (cluster, namespace, deployment) (kube_deployment_status_replicas_available{@namespace})`).above(1, 2),
				col("Wanted", units.Short, `max by (cluster, namespace, deployment) (kube_deployment_spec_replicas{@namespace})`),
			).size(12, 9),
			table("DaemonSets", []string{"cluster", "namespace", "daemonset"},
				col("Missing", units.Short, `max by (cluster, namespace, daemonset) (kube_daemonset_status_desired_number_scheduled{@namespace})
  - max by (cluster, namespace, daemonset) (kube_daemonset_status_number_available{@namespace})`).above(1, 2),
				col("Wanted", units.Short, `max by (cluster, namespace, daemonset) (kube_daemonset_status_desired_number_scheduled{@namespace})`),
			).size(12, 9),
			table("StatefulSets", []string{"cluster", "namespace", "statefulset"},
				col("Missing", units.Short, `max by (cluster, namespace, statefulset) (kube_statefulset_replicas{@namespace})
  - max by (cluster, namespace, statefulset) (kube_statefulset_status_replicas_ready{@namespace})`).above(1, 2),
				col("Wanted", units.Short, `max by (cluster, namespace, statefulset) (kube_statefulset_replicas{@namespace})`),
			).size(12, 9),
			table("Jobs", []string{"cluster", "namespace", "job_name"},
				col("Failed", units.Short, `max by (cluster, namespace, job_name) (kube_job_status_failed{@namespace})`).above(1, 2),
				col("Succeeded", units.Short, `max by (cluster, namespace, job_name) (kube_job_status_succeeded{@namespace})`),
				col("Active", units.Short, `max by (cluster, namespace, job_name) (kube_job_status_active{@namespace})`),
			).size(12, 9),
		}},
	},
}

// ofPods are the pods of the workloads that are chosen.
const ofPods = ` * on (cluster, namespace, pod) group_left ()
    group by (cluster, namespace, pod) (kof_container_cost_total{@workload})`

var pods = Board{
	Folder: "infrastructure", Name: "pods", Title: "Pods",
	Answers:   "What does a pod's container use of its requests and limits, is it held back, and does it restart?",
	variables: byWorkload,
	rows: []row{
		{"", []panel{
			table("Containers", []string{"cluster", "namespace", "pod", "container"},
				col("CPU", "cores", `sum by (cluster, namespace, pod, container) (rate(container_cpu_usage_seconds_total{@namespace,container!=""}[$__rate_interval])`+ofPods+`)`),
				col("CPU of request", units.PercentUnit, `sum by (cluster, namespace, pod, container) (kof_container_used{@namespace,resource="cpu"}`+ofPods+`)
  / sum by (cluster, namespace, pod, container) (kof_container_requested{@namespace,resource="cpu"})`).above(1, 2),
				col("Memory", units.BytesIEC, `sum by (cluster, namespace, pod, container) (container_memory_working_set_bytes{@namespace,container!=""}`+ofPods+`)`),
				col("Memory of limit", units.PercentUnit, `sum by (cluster, namespace, pod, container) (container_memory_working_set_bytes{@namespace,container!=""}`+ofPods+`)
  / sum by (cluster, namespace, pod, container) (container_spec_memory_limit_bytes{@namespace,container!=""} > 0)`).above(0.8, 0.95),
				col("Restarts", units.Short, `sum by (cluster, namespace, pod, container) (increase(kube_pod_container_status_restarts_total{@namespace}[$__range])`+ofPods+`)`).above(1, 5),
			).sortedBy("Memory"),
		}},
		{"CPU and memory", []panel{
			graph("CPU", "cores", q(`sum by (cluster, namespace, pod) (rate(container_cpu_usage_seconds_total{@namespace,container!=""}[$__rate_interval])`+ofPods+`)`, "{{cluster}} {{namespace}}/{{pod}}")),
			graph("Share of periods in which CPU was held back", units.PercentUnit,
				q(`sum by (cluster, namespace, pod, container) (rate(container_cpu_cfs_throttled_periods_total{@namespace,container!=""}[$__rate_interval])`+ofPods+`)
  / sum by (cluster, namespace, pod, container) (rate(container_cpu_cfs_periods_total{@namespace,container!=""}[$__rate_interval]))`, "{{namespace}}/{{pod}} {{container}}")).share().above(0.25, 0.5),
			graph("Memory", units.BytesIEC, q(`sum by (cluster, namespace, pod) (container_memory_working_set_bytes{@namespace,container!=""}`+ofPods+`)`, "{{cluster}} {{namespace}}/{{pod}}")),
			graph("Killed for memory", units.Short, q(`sum by (cluster, namespace, pod, container) (increase(container_oom_events_total{@namespace,container!=""}[$__rate_interval])`+ofPods+`)`, "{{namespace}}/{{pod}} {{container}}")).above(1, 2),
		}},
		{"Network and disk", []panel{
			graph("Received", units.BytesPerSecondIEC, q(`sum by (cluster, namespace, pod) (rate(container_network_receive_bytes_total{@namespace}[$__rate_interval])`+ofPods+`)`, "{{namespace}}/{{pod}}")),
			graph("Sent", units.BytesPerSecondIEC, q(`sum by (cluster, namespace, pod) (rate(container_network_transmit_bytes_total{@namespace}[$__rate_interval])`+ofPods+`)`, "{{namespace}}/{{pod}}")),
			graph("Read from disk", units.BytesPerSecondIEC, q(`sum by (cluster, namespace, pod) (rate(container_fs_reads_bytes_total{@namespace,container!=""}[$__rate_interval])`+ofPods+`)`, "{{namespace}}/{{pod}}")),
			graph("Written to disk", units.BytesPerSecondIEC, q(`sum by (cluster, namespace, pod) (rate(container_fs_writes_bytes_total{@namespace,container!=""}[$__rate_interval])`+ofPods+`)`, "{{namespace}}/{{pod}}")),
		}},
		{"State", []panel{
			table("Why containers ended last", []string{"cluster", "namespace", "pod", "container", "reason"},
				col("Ended", units.Short, `max by (cluster, namespace, pod, container, reason) (kube_pod_container_status_last_terminated_reason{@namespace} > 0)`)).size(12, 9),
			table("Probes that failed", []string{"cluster", "namespace", "pod", "container", "probe_type"},
				col("Failures", units.Short, `sum by (cluster, namespace, pod, container, probe_type) (increase(prober_probe_total{@namespace,result="failed"}[$__range]))`).above(1, 10)).size(12, 9),
		}},
	},
}
