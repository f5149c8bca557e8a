// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

var apiServer = Board{
	Folder: "infrastructure", Name: "api-server", Title: "API server",
	Answers:   "Does the Kubernetes API answer, how fast, and who or what loads it?",
	Needs:     "`apiServer.enabled` of kof-collectors",
	variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("Requests", units.RequestsPerSecond, `sum(rate(apiserver_request_total{@cluster}[$__rate_interval]))`),
			stat("Server errors", units.PercentUnit, `sum(rate(apiserver_request_total{@cluster,code=~"5.."}[$__rate_interval])) / sum(rate(apiserver_request_total{@cluster}[$__rate_interval])) or vector(0)`).above(0.001, 0.01),
			stat("99 % of reads within", units.Seconds, `histogram_quantile(0.99, sum by (le) (rate(apiserver_request_sli_duration_seconds_bucket{@cluster,verb=~"GET|LIST"}[$__rate_interval])))`).above(1, 5),
			stat("99 % of writes within", units.Seconds, `histogram_quantile(0.99, sum by (le) (rate(apiserver_request_sli_duration_seconds_bucket{@cluster,verb=~"POST|PUT|PATCH|DELETE"}[$__rate_interval])))`).above(1, 5),
			stat("Watches", units.Short, `sum(apiserver_longrunning_requests{@cluster,verb="WATCH"})`),
			stat("First client certificate expires", units.Seconds, `min(histogram_quantile(0.01, sum by (le) (rate(apiserver_client_certificate_expiration_seconds_bucket{@cluster}[$__rate_interval])) > 0))`).below(604800, 86400).
				says("Of certificates that clients have shown in the time of a rate; bounded by the buckets."),
		}},
		{"Requests", []panel{
			graph("Requests by verb", units.RequestsPerSecond, q(`sum by (verb) (rate(apiserver_request_total{@cluster}[$__rate_interval]))`, "{{verb}}")).stack(),
			graph("Errors by code", units.RequestsPerSecond, q(`sum by (cluster, code) (rate(apiserver_request_total{@cluster,code=~"[45].."}[$__rate_interval]))`, "{{cluster}} {{code}}")),
			graph("99 % of requests within, by verb", units.Seconds, q(`histogram_quantile(0.99, sum by (cluster, verb, le) (rate(apiserver_request_sli_duration_seconds_bucket{@cluster,verb!="WATCH"}[$__rate_interval])))`, "{{cluster}} {{verb}}")).above(1, 5),
			graph("Busiest resources", units.RequestsPerSecond, q(`topk(10, sum by (resource, verb) (rate(apiserver_request_total{@cluster}[$__rate_interval])))`, "{{verb}} {{resource}}")),
		}},
		{"Load", []panel{
			graph("Requests under way", units.Short, q(`max by (cluster, request_kind) (apiserver_current_inflight_requests{@cluster})`, "{{cluster}} {{request_kind}}")),
			graph("Requests that wait, by priority", units.Short, q(`sum by (cluster, priority_level) (apiserver_flowcontrol_current_inqueue_requests{@cluster})`, "{{cluster}} {{priority_level}}")),
			graph("Requests that were turned away", units.RequestsPerSecond, q(`sum by (cluster, priority_level) (rate(apiserver_flowcontrol_rejected_requests_total{@cluster}[$__rate_interval]))
  or 0 * sum by (cluster, priority_level) (rate(apiserver_flowcontrol_dispatched_requests_total{@cluster}[$__rate_interval]))`, "{{cluster}} {{priority_level}}")).above(1, 10),
			graph("99 % of admission webhooks within", units.Seconds, q(`histogram_quantile(0.99, sum by (cluster, name, le) (rate(apiserver_admission_webhook_admission_duration_seconds_bucket{@cluster}[$__rate_interval])))`, "{{cluster}} {{name}}")).above(1, 5),
		}},
		{"Its store and its process", []panel{
			graph("Time of etcd's answers", units.Seconds, q(`sum by (cluster, operation) (rate(etcd_request_duration_seconds_sum{@cluster}[$__rate_interval])) / sum by (cluster, operation) (rate(etcd_request_duration_seconds_count{@cluster}[$__rate_interval]) > 0)`, "{{cluster}} {{operation}}")).above(0.1, 0.5),
			graph("Most objects", units.Short, q(`topk(10, max by (cluster, resource) (apiserver_resource_objects{@cluster}))`, "{{cluster}} {{resource}}")),
			graph("CPU", "cores", q(`sum by (cluster, instance) (rate(process_cpu_seconds_total{@cluster,job="apiserver"}[$__rate_interval]))`, "{{cluster}} {{instance}}")),
			graph("Memory", units.BytesIEC, q(`sum by (cluster, instance) (process_resident_memory_bytes{@cluster,job="apiserver"})`, "{{cluster}} {{instance}}")),
		}},
	},
}

var coreDNS = Board{
	Folder: "infrastructure", Name: "coredns", Title: "CoreDNS",
	Answers:   "Are names resolved, how fast, and from where do errors come?",
	Needs:     "pods of CoreDNS with the annotation `prometheus.io/scrape`, as k0s has them; kubeadm annotates the Service alone",
	variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("Requests", units.RequestsPerSecond, `sum(rate(coredns_dns_requests_total{@cluster}[$__rate_interval]))`),
			stat("Server failures", units.PercentUnit, `sum(rate(coredns_dns_responses_total{@cluster,rcode="SERVFAIL"}[$__rate_interval])) / sum(rate(coredns_dns_responses_total{@cluster}[$__rate_interval])) or vector(0)`).above(0.01, 0.05),
			stat("99 % within", units.Seconds, `histogram_quantile(0.99, sum by (le) (rate(coredns_dns_request_duration_seconds_bucket{@cluster}[$__rate_interval])))`).above(0.1, 1),
			stat("Answered from the cache", units.PercentUnit, `sum(rate(coredns_cache_hits_total{@cluster}[$__rate_interval])) / sum(rate(coredns_cache_requests_total{@cluster}[$__rate_interval]))`),
			stat("Pods", units.Short, `count(coredns_build_info{@cluster})`),
			stat("Panics", units.Short, `sum(increase(coredns_panics_total{@cluster}[$__range]))`).above(1, 2),
		}},
		{"", []panel{
			graph("Requests by type", units.RequestsPerSecond, q(`sum by (cluster, type) (rate(coredns_dns_requests_total{@cluster}[$__rate_interval]))`, "{{cluster}} {{type}}")).stack(),
			graph("Answers by code", units.RequestsPerSecond, q(`sum by (cluster, rcode) (rate(coredns_dns_responses_total{@cluster}[$__rate_interval]))`, "{{cluster}} {{rcode}}")),
			graph("Time of an answer", units.Seconds,
				q(`histogram_quantile(0.5, sum by (cluster, le) (rate(coredns_dns_request_duration_seconds_bucket{@cluster}[$__rate_interval])))`, "{{cluster}} 50 %"),
				q(`histogram_quantile(0.99, sum by (cluster, le) (rate(coredns_dns_request_duration_seconds_bucket{@cluster}[$__rate_interval])))`, "{{cluster}} 99 %")).above(0.1, 1),
			graph("Cache entries", units.Short, q(`sum by (cluster, type) (coredns_cache_entries{@cluster})`, "{{cluster}} {{type}}")),
			graph("CPU", "cores", q(`sum by (cluster, pod) (rate(container_cpu_usage_seconds_total{@cluster,namespace="kube-system",container="coredns"}[$__rate_interval]))`, "{{cluster}} {{pod}}")),
			graph("Memory", units.BytesIEC, q(`sum by (cluster, pod) (container_memory_working_set_bytes{@cluster,namespace="kube-system",container="coredns"})`, "{{cluster}} {{pod}}")),
		}},
	},
}

var etcd = Board{
	Folder: "infrastructure", Name: "etcd", Title: "etcd",
	Answers:   "Has etcd a leader, are its disks fast enough, and is there room left?",
	Needs:     "pods of etcd with the annotation `prometheus.io/scrape` and an address for metrics (`--listen-metrics-urls`) that agents reach",
	variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("Members with a leader", units.Short, `sum(etcd_server_has_leader{@cluster})`),
			stat("Changes of leader", units.Short, `sum(increase(etcd_server_leader_changes_seen_total{@cluster}[$__range]))`).above(1, 5),
			stat("Quota used", units.PercentUnit, `max(etcd_mvcc_db_total_size_in_bytes{@cluster} / etcd_server_quota_backend_bytes{@cluster})`).above(0.7, 0.9),
			stat("99 % of log writes within", units.Seconds, `histogram_quantile(0.99, sum by (le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket{@cluster}[$__rate_interval])))`).above(0.01, 0.1),
			stat("Proposals that failed", units.Short, `sum(increase(etcd_server_proposals_failed_total{@cluster}[$__range]))`).above(1, 10),
			stat("Keys", units.Short, `max(etcd_debugging_mvcc_keys_total{@cluster})`),
		}},
		{"", []panel{
			graph("99 % of disk writes within", units.Seconds,
				q(`histogram_quantile(0.99, sum by (cluster, pod, le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket{@cluster}[$__rate_interval])))`, "{{cluster}} {{pod}} log"),
				q(`histogram_quantile(0.99, sum by (cluster, pod, le) (rate(etcd_disk_backend_commit_duration_seconds_bucket{@cluster}[$__rate_interval])))`, "{{cluster}} {{pod}} commit")).above(0.01, 0.1),
			graph("Database", units.BytesIEC,
				q(`max by (cluster, pod) (etcd_mvcc_db_total_size_in_bytes{@cluster})`, "{{cluster}} {{pod}} on disk"),
				q(`max by (cluster, pod) (etcd_mvcc_db_total_size_in_use_in_bytes{@cluster})`, "{{cluster}} {{pod}} in use")),
			graph("Requests", units.RequestsPerSecond, q(`sum by (cluster, grpc_method) (rate(grpc_server_started_total{@cluster,grpc_service=~"etcdserverpb.*",grpc_type="unary"}[$__rate_interval]))`, "{{cluster}} {{grpc_method}}")),
			graph("Requests that failed", units.RequestsPerSecond, q(`sum by (cluster, grpc_method, grpc_code) (rate(grpc_server_handled_total{@cluster,grpc_service=~"etcdserverpb.*",grpc_code!="OK"}[$__rate_interval]))`, "{{cluster}} {{grpc_method}} {{grpc_code}}")),
			graph("Proposals", units.Short,
				q(`sum by (cluster, pod) (rate(etcd_server_proposals_committed_total{@cluster}[$__rate_interval]))`, "{{cluster}} {{pod}} committed a second"),
				q(`sum by (cluster, pod) (etcd_server_proposals_pending{@cluster})`, "{{cluster}} {{pod}} pending")),
			graph("Between members", units.BytesPerSecondIEC, q(`sum by (cluster, pod) (rate(etcd_network_peer_sent_bytes_total{@cluster}[$__rate_interval]))`, "{{cluster}} {{pod}} sent")),
			graph("Time between members, 99 %", units.Seconds, q(`histogram_quantile(0.99, sum by (cluster, pod, le) (rate(etcd_network_peer_round_trip_time_seconds_bucket{@cluster}[$__rate_interval])))`, "{{cluster}} {{pod}}")).above(0.05, 0.15),
			graph("Memory", units.BytesIEC, q(`max by (cluster, pod) (process_resident_memory_bytes{@cluster} and on (cluster, pod) etcd_server_has_leader{@cluster})`, "{{cluster}} {{pod}}")),
		}},
	},
}

var kubelet = Board{
	Folder: "infrastructure", Name: "kubelet", Title: "Kubelet",
	Answers:   "Do kubelets start, watch and end pods in time?",
	variables: byNode,
	rows: []row{
		{"", []panel{
			stat("Kubelets", units.Short, `count(kubelet_node_name{@node})`),
			stat("Running pods", units.Short, `sum(kubelet_running_pods{@node})`),
			stat("Running containers", units.Short, `sum(kubelet_running_containers{@node,container_state="running"})`),
			stat("Failed runtime operations", units.Short, `sum(increase(kubelet_runtime_operations_errors_total{@node}[$__range])) or vector(0)`).above(10, 100),
			stat("99 % of pods start within", units.Seconds, `histogram_quantile(0.99, sum by (le) (rate(kubelet_pod_start_duration_seconds_bucket{@node}[$__range])))`).above(30, 120),
			stat("99 % of relists within", units.Seconds, `histogram_quantile(0.99, sum by (le) (rate(kubelet_pleg_relist_duration_seconds_bucket{@node}[$__rate_interval])))`).above(1, 3),
		}},
		{"", []panel{
			graph("Operations of the container runtime", units.OpsPerSecond, q(`sum by (cluster, operation_type) (rate(kubelet_runtime_operations_total{@node}[$__rate_interval]))`, "{{cluster}} {{operation_type}}")),
			graph("Failed operations", units.OpsPerSecond, q(`sum by (cluster, node, operation_type) (rate(kubelet_runtime_operations_errors_total{@node}[$__rate_interval]))
  or 0 * sum by (cluster, node, operation_type) (rate(kubelet_runtime_operations_total{@node}[$__rate_interval]))`, "{{node}} {{operation_type}}")),
			graph("99 % of operations within", units.Seconds, q(`histogram_quantile(0.99, sum by (cluster, operation_type, le) (rate(kubelet_runtime_operations_duration_seconds_bucket{@node}[$__rate_interval])))`, "{{cluster}} {{operation_type}}")),
			graph("99 % of pod syncs within", units.Seconds, q(`histogram_quantile(0.99, sum by (cluster, node, operation_type, le) (rate(kubelet_pod_worker_duration_seconds_bucket{@node}[$__rate_interval])))`, "{{node}} {{operation_type}}")),
			graph("99 % of relists within", units.Seconds, q(`histogram_quantile(0.99, sum by (cluster, node, le) (rate(kubelet_pleg_relist_duration_seconds_bucket{@node}[$__rate_interval])))`, "{{cluster}} {{node}}")).above(1, 3),
			graph("99 % of volume operations within", units.Seconds, q(`histogram_quantile(0.99, sum by (cluster, operation_name, volume_plugin, le) (rate(storage_operation_duration_seconds_bucket{@node}[$__rate_interval])))`, "{{cluster}} {{operation_name}} {{volume_plugin}}")),
			graph("Requests to the API server", units.RequestsPerSecond, q(`sum by (cluster, node, code) (rate(rest_client_requests_total{@node,job="kubelet"}[$__rate_interval]))`, "{{node}} {{code}}")),
			graph("Probes", units.OpsPerSecond, q(`sum by (cluster, probe_type, result) (rate(prober_probe_total{@node}[$__rate_interval]))`, "{{probe_type}} {{result}}")),
			graph("CPU", "cores", q(`sum by (cluster, node) (rate(process_cpu_seconds_total{@node,job="kubelet"}[$__rate_interval]))`, "{{cluster}} {{node}}")),
			graph("Memory", units.BytesIEC, q(`sum by (cluster, node) (process_resident_memory_bytes{@node,job="kubelet"})`, "{{cluster}} {{node}}")),
		}},
	},
}
