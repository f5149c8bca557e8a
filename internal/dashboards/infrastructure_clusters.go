// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

var infrastructure = []Board{clusters, namespaces, workloads, pods, nodes, apiServer, coreDNS, etcd, kubelet, volumes, networking, gpus}

var clusters = Board{
	Folder: "infrastructure", Name: "clusters", Title: "Clusters",
	Answers:   "Which clusters are there, and which of them is full or unwell?",
	variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("Clusters", units.Short, `count(count by (promxyCluster, cluster) (kube_node_info{@cluster}))`),
			stat("Nodes", units.Short, `count(kube_node_info{@cluster})`),
			stat("Nodes not ready", units.Short, `sum(1 - kube_node_status_condition{@cluster,condition="Ready",status="true"})`).above(1, 2),
			stat("Running pods", units.Short, `sum(kube_pod_status_phase{@cluster,phase="Running"})`),
			stat("Pods that don't run", units.Short, `sum(kube_pod_status_phase{@cluster,phase=~"Pending|Failed|Unknown"})`).above(1, 10),
			stat("Containers that wait", units.Short, `count(kube_pod_container_status_waiting{@cluster} > 0) or vector(0)`).above(1, 10),
		}},
		{"", []panel{
			table("Clusters", []string{"promxyCluster", "cluster"},
				col("Nodes", units.Short, `count by (promxyCluster, cluster) (kube_node_info{@cluster})`),
				col("CPU used", units.PercentUnit, `1 - avg by (promxyCluster, cluster) (rate(node_cpu_seconds_total{@cluster,mode="idle"}[$__rate_interval]))`).above(0.8, 0.9),
				col("CPU requested", units.PercentUnit, `sum by (promxyCluster, cluster) (kof_container_requested{@cluster,resource="cpu"})
  / sum by (promxyCluster, cluster) (kube_node_status_allocatable{@cluster,resource="cpu"})`).above(0.9, 1),
				col("Memory used", units.PercentUnit, `1 - sum by (promxyCluster, cluster) (node_memory_MemAvailable_bytes{@cluster})
  / sum by (promxyCluster, cluster) (node_memory_MemTotal_bytes{@cluster})`).above(0.8, 0.9),
				col("Memory requested", units.PercentUnit, `sum by (promxyCluster, cluster) (kof_container_requested{@cluster,resource="ram"})
  / sum by (promxyCluster, cluster) (kube_node_status_allocatable{@cluster,resource="memory"})`).above(0.9, 1),
				col("Pods", units.PercentUnit, `sum by (promxyCluster, cluster) (kube_pod_status_phase{@cluster,phase="Running"})
  / sum by (promxyCluster, cluster) (kube_node_status_allocatable{@cluster,resource="pods"})`).above(0.8, 0.95),
				col("Restarts", units.Short, `sum by (promxyCluster, cluster) (increase(kube_pod_container_status_restarts_total{@cluster}[$__range]))`).above(5, 50),
			).leads("cluster", uid("infrastructure", "namespaces")),
		}},
		{"Use", []panel{
			graph("CPU", "cores",
				q(`sum by (cluster) (rate(node_cpu_seconds_total{@cluster,mode!~"idle|iowait|steal"}[$__rate_interval]))`, "{{cluster}} used"),
				q(`sum by (cluster) (kof_container_requested{@cluster,resource="cpu"})`, "{{cluster}} requested"),
				q(`sum by (cluster) (kube_node_status_allocatable{@cluster,resource="cpu"})`, "{{cluster}} allocatable")),
			graph("Memory", units.BytesIEC,
				q(`sum by (cluster) (node_memory_MemTotal_bytes{@cluster} - node_memory_MemAvailable_bytes{@cluster})`, "{{cluster}} used"),
				q(`sum by (cluster) (kof_container_requested{@cluster,resource="ram"})`, "{{cluster}} requested"),
				q(`sum by (cluster) (kube_node_status_allocatable{@cluster,resource="memory"})`, "{{cluster}} allocatable")),
			graph("Pods by phase", units.Short, q(`sum by (phase) (kube_pod_status_phase{@cluster})`, "{{phase}}")).stack(),
			graph("Why containers wait", units.Short, q(`sum by (cluster, reason) (kube_pod_container_status_waiting_reason{@cluster})`, "{{cluster}} {{reason}}")),
		}},
	},
}

var namespaces = Board{
	Folder: "infrastructure", Name: "namespaces", Title: "Namespaces",
	Answers:   "What does each namespace use of what it has asked for?",
	variables: byNamespace,
	rows: []row{
		{"", []panel{
			table("Namespaces", []string{"cluster", "namespace"},
				col("CPU", "cores", `sum by (cluster, namespace) (rate(container_cpu_usage_seconds_total{@namespace,container!=""}[$__rate_interval]))`),
				col("CPU of request", units.PercentUnit, `sum by (cluster, namespace) (kof_container_used{@namespace,resource="cpu"})
  / sum by (cluster, namespace) (kof_container_requested{@namespace,resource="cpu"})`).above(1, 2),
				col("Memory", units.BytesIEC, `sum by (cluster, namespace) (container_memory_working_set_bytes{@namespace,container!=""})`),
				col("Memory of request", units.PercentUnit, `sum by (cluster, namespace) (kof_container_used{@namespace,resource="ram"})
  / sum by (cluster, namespace) (kof_container_requested{@namespace,resource="ram"})`).above(1, 2),
				col("Pods", units.Short, `sum by (cluster, namespace) (kube_pod_status_phase{@namespace,phase="Running"})`),
				col("Restarts", units.Short, `sum by (cluster, namespace) (increase(kube_pod_container_status_restarts_total{@namespace}[$__range]))`).above(3, 20),
				col("Received", units.BytesPerSecondIEC, `sum by (cluster, namespace) (rate(container_network_receive_bytes_total{@namespace}[$__rate_interval]))`),
				col("Sent", units.BytesPerSecondIEC, `sum by (cluster, namespace) (rate(container_network_transmit_bytes_total{@namespace}[$__rate_interval]))`),
			).sortedBy("Memory").leads("namespace", uid("infrastructure", "workloads"), "cluster"),
		}},
		{"Over time", []panel{
			graph("CPU", "cores", q(`sum by (cluster, namespace) (rate(container_cpu_usage_seconds_total{@namespace,container!=""}[$__rate_interval]))`, "{{cluster}} {{namespace}}")).stack(),
			graph("Memory", units.BytesIEC, q(`sum by (cluster, namespace) (container_memory_working_set_bytes{@namespace,container!=""})`, "{{cluster}} {{namespace}}")).stack(),
			graph("Received", units.BytesPerSecondIEC, q(`sum by (cluster, namespace) (rate(container_network_receive_bytes_total{@namespace}[$__rate_interval]))`, "{{cluster}} {{namespace}}")),
			graph("Sent", units.BytesPerSecondIEC, q(`sum by (cluster, namespace) (rate(container_network_transmit_bytes_total{@namespace}[$__rate_interval]))`, "{{cluster}} {{namespace}}")),
		}},
		{"Quotas", []panel{
			table("Resource quotas", []string{"cluster", "namespace", "resourcequota", "resource"},
				col("Used", units.PercentUnit, `max by (cluster, namespace, resourcequota, resource) (kube_resourcequota{@namespace,type="used"})
  / max by (cluster, namespace, resourcequota, resource) (kube_resourcequota{@namespace,type="hard"} > 0)`).above(0.8, 0.95),
			),
		}},
	},
}
