// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

var volumes = Board{
	Folder: "infrastructure", Name: "volumes", Title: "Volumes",
	Answers:   "Which volumes fill up, when are they full, and which are not bound?",
	variables: byNamespace,
	rows: []row{
		{"", []panel{
			table("Volumes", []string{"cluster", "namespace", "persistentvolumeclaim"},
				col("Used", units.PercentUnit, `max by (cluster, namespace, persistentvolumeclaim) (kubelet_volume_stats_used_bytes{@namespace} / kubelet_volume_stats_capacity_bytes{@namespace})`).above(0.8, 0.9),
				col("Capacity", units.BytesIEC, `max by (cluster, namespace, persistentvolumeclaim) (kubelet_volume_stats_capacity_bytes{@namespace})`),
				col("Left", units.BytesIEC, `min by (cluster, namespace, persistentvolumeclaim) (kubelet_volume_stats_available_bytes{@namespace})`),
				col("Inodes used", units.PercentUnit, `max by (cluster, namespace, persistentvolumeclaim) (kubelet_volume_stats_inodes_used{@namespace} / (kubelet_volume_stats_inodes{@namespace} > 0))`).above(0.8, 0.9),
				col("Left in a day, at this pace", units.BytesIEC, `min by (cluster, namespace, persistentvolumeclaim) (predict_linear(kubelet_volume_stats_available_bytes{@namespace}[6h], 86400))`).below(1<<30, 1),
			),
		}},
		{"", []panel{
			graph("Used", units.PercentUnit, q(`max by (cluster, namespace, persistentvolumeclaim) (kubelet_volume_stats_used_bytes{@namespace} / kubelet_volume_stats_capacity_bytes{@namespace})`, "{{cluster}} {{namespace}}/{{persistentvolumeclaim}}")).share().above(0.8, 0.9),
			graph("Bytes used", units.BytesIEC, q(`max by (cluster, namespace, persistentvolumeclaim) (kubelet_volume_stats_used_bytes{@namespace})`, "{{cluster}} {{namespace}}/{{persistentvolumeclaim}}")),
			table("Claims that are not bound", []string{"cluster", "namespace", "persistentvolumeclaim", "phase"},
				col("Claims", units.Short, `max by (cluster, namespace, persistentvolumeclaim, phase) (kube_persistentvolumeclaim_status_phase{@namespace,phase!="Bound"} > 0)`)).size(12, 8),
			table("Volumes that no claim holds", []string{"cluster", "persistentvolume", "phase"},
				col("Volumes", units.Short, `max by (cluster, persistentvolume, phase) (kube_persistentvolume_status_phase{@cluster,phase!="Bound"} > 0)`)).size(12, 8),
		}},
	},
}

var networking = Board{
	Folder: "infrastructure", Name: "networking", Title: "Networking",
	Answers:   "Who sends and receives how much, and where are packets lost?",
	variables: byNamespace,
	rows: []row{
		{"Namespaces and pods", []panel{
			graph("Received", units.BytesPerSecondIEC, q(`sum by (cluster, namespace) (rate(container_network_receive_bytes_total{@namespace}[$__rate_interval]))`, "{{cluster}} {{namespace}}")).stack(),
			graph("Sent", units.BytesPerSecondIEC, q(`sum by (cluster, namespace) (rate(container_network_transmit_bytes_total{@namespace}[$__rate_interval]))`, "{{cluster}} {{namespace}}")).stack(),
			bars("Pods that receive most", units.BytesPerSecondIEC, q(`topk(10, sum by (cluster, namespace, pod) (rate(container_network_receive_bytes_total{@namespace}[$__rate_interval])))`, "{{namespace}}/{{pod}}")),
			bars("Pods that send most", units.BytesPerSecondIEC, q(`topk(10, sum by (cluster, namespace, pod) (rate(container_network_transmit_bytes_total{@namespace}[$__rate_interval])))`, "{{namespace}}/{{pod}}")),
			graph("Packets dropped", units.PacketsPerSecond,
				q(`sum by (cluster, namespace) (rate(container_network_receive_packets_dropped_total{@namespace}[$__rate_interval]))`, "{{cluster}} {{namespace}} in"),
				q(`sum by (cluster, namespace) (rate(container_network_transmit_packets_dropped_total{@namespace}[$__rate_interval]))`, "{{cluster}} {{namespace}} out")),
			graph("Packets with errors", units.PacketsPerSecond,
				q(`sum by (cluster, namespace) (rate(container_network_receive_errors_total{@namespace}[$__rate_interval]))`, "{{cluster}} {{namespace}} in"),
				q(`sum by (cluster, namespace) (rate(container_network_transmit_errors_total{@namespace}[$__rate_interval]))`, "{{cluster}} {{namespace}} out")),
		}},
		{"Nodes", []panel{
			graph("Received by nodes", units.BytesPerSecondIEC, q(`sum by (cluster, node) (rate(node_network_receive_bytes_total{@cluster,device!="lo"}[$__rate_interval]))`, "{{cluster}} {{node}}")),
			graph("Sent by nodes", units.BytesPerSecondIEC, q(`sum by (cluster, node) (rate(node_network_transmit_bytes_total{@cluster,device!="lo"}[$__rate_interval]))`, "{{cluster}} {{node}}")),
			graph("TCP segments sent again", units.PercentUnit, q(`sum by (cluster, node) (rate(node_netstat_Tcp_RetransSegs{@cluster}[$__rate_interval])) / sum by (cluster, node) (rate(node_netstat_Tcp_OutSegs{@cluster}[$__rate_interval]) > 0)`, "{{cluster}} {{node}}")).above(0.01, 0.05),
			graph("Connections that found the queue full", units.Short, q(`sum by (cluster, node) (rate(node_netstat_TcpExt_ListenOverflows{@cluster}[$__rate_interval]))`, "{{cluster}} {{node}}")).says("A second.").above(0.1, 1),
		}},
	},
}

var gpus = Board{
	Folder: "infrastructure", Name: "gpus", Title: "NVIDIA GPUs",
	Answers:   "Are GPUs used by those who hold them, and are they well?",
	Needs:     "pods of dcgm-exporter with the annotation `prometheus.io/scrape` and its profiling counters (DCGM_FI_PROF_…)",
	variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("GPUs", units.Short, `count(DCGM_FI_DEV_GPU_UTIL{@cluster})`),
			stat("Used", units.PercentUnit, `avg(DCGM_FI_DEV_GPU_UTIL{@cluster}) / 100`),
			stat("Memory used", units.PercentUnit, `sum(DCGM_FI_DEV_FB_USED{@cluster}) / (sum(DCGM_FI_DEV_FB_USED{@cluster}) + sum(DCGM_FI_DEV_FB_FREE{@cluster}))`),
			stat("Power", units.Watt, `sum(DCGM_FI_DEV_POWER_USAGE{@cluster})`),
			stat("Hottest", units.Celsius, `max(DCGM_FI_DEV_GPU_TEMP{@cluster})`).above(80, 90),
			stat("With XID errors", units.Short, `count(DCGM_FI_DEV_XID_ERRORS{@cluster} > 0) or vector(0)`).above(1, 2),
		}},
		{"", []panel{
			table("GPUs", []string{"cluster", "Hostname", "gpu", "modelName"},
				col("Used", units.Percent, `max by (cluster, Hostname, gpu, modelName) (DCGM_FI_DEV_GPU_UTIL{@cluster})`),
				col("Memory used", units.Mebibytes, `max by (cluster, Hostname, gpu, modelName) (DCGM_FI_DEV_FB_USED{@cluster})`),
				col("Memory free", units.Mebibytes, `max by (cluster, Hostname, gpu, modelName) (DCGM_FI_DEV_FB_FREE{@cluster})`),
				col("Temperature", units.Celsius, `max by (cluster, Hostname, gpu, modelName) (DCGM_FI_DEV_GPU_TEMP{@cluster})`).above(80, 90),
				col("Power", units.Watt, `max by (cluster, Hostname, gpu, modelName) (DCGM_FI_DEV_POWER_USAGE{@cluster})`),
			),
			graph("Use by pod that holds the GPU", units.Percent, q(`avg by (cluster, namespace, pod) (DCGM_FI_DEV_GPU_UTIL{@cluster})`, "{{cluster}} {{namespace}}/{{pod}}")).
				says("A GPU that no pod holds shows under the exporter's own pod."),
			graph("Tensor cores active", units.PercentUnit, q(`avg by (cluster, Hostname, gpu) (DCGM_FI_PROF_PIPE_TENSOR_ACTIVE{@cluster})`, "{{Hostname}} {{gpu}}")).share(),
			graph("Memory bandwidth", units.PercentUnit, q(`avg by (cluster, Hostname, gpu) (DCGM_FI_PROF_DRAM_ACTIVE{@cluster})`, "{{Hostname}} {{gpu}}")).share(),
			graph("Clock", units.Hertz, q(`1e6 * max by (cluster, Hostname, gpu) (DCGM_FI_DEV_SM_CLOCK{@cluster})`, "{{Hostname}} {{gpu}}")),
			graph("Temperature", units.Celsius, q(`max by (cluster, Hostname, gpu) (DCGM_FI_DEV_GPU_TEMP{@cluster})`, "{{Hostname}} {{gpu}}")).above(80, 90),
			graph("Power", units.Watt, q(`max by (cluster, Hostname, gpu) (DCGM_FI_DEV_POWER_USAGE{@cluster})`, "{{Hostname}} {{gpu}}")),
			graph("Copying memory", units.Percent, q(`max by (cluster, Hostname, gpu) (DCGM_FI_DEV_MEM_COPY_UTIL{@cluster})`, "{{Hostname}} {{gpu}}")),
			graph("Last XID error", units.Short, q(`max by (cluster, Hostname, gpu) (DCGM_FI_DEV_XID_ERRORS{@cluster})`, "{{Hostname}} {{gpu}}")).says("Its number; 0: none. NVIDIA lists what they mean."),
		}},
	},
}
