// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

var nodes = Board{
	Folder: "infrastructure", Name: "nodes", Title: "Nodes",
	Answers:   "How are a node's CPU, memory, disks, network and kernel doing?",
	variables: byNode,
	rows: []row{
		{"", []panel{
			table("Nodes", []string{"cluster", "node"},
				col("CPU", units.PercentUnit, `1 - avg by (cluster, node) (rate(node_cpu_seconds_total{@node,mode="idle"}[$__rate_interval]))`).above(0.8, 0.95),
				col("Load per core", units.Short, `max by (cluster, node) (node_load5{@node}) / count by (cluster, node) (node_cpu_seconds_total{@node,mode="idle"})`).above(1, 2),
				col("Memory", units.PercentUnit, `max by (cluster, node) (1 - node_memory_MemAvailable_bytes{@node} / node_memory_MemTotal_bytes{@node})`).above(0.85, 0.95),
				col("Fullest file system", units.PercentUnit, `max by (cluster, node) (1 - node_filesystem_avail_bytes{@node,fstype!~"tmpfs|ramfs"} / node_filesystem_size_bytes{@node,fstype!~"tmpfs|ramfs"})`).above(0.8, 0.9),
				col("Busiest disk", units.PercentUnit, `max by (cluster, node) (rate(node_disk_io_time_seconds_total{@node}[$__rate_interval]))`).above(0.8, 0.95),
				col("Received", units.BytesPerSecondIEC, `sum by (cluster, node) (rate(node_network_receive_bytes_total{@node,device!="lo"}[$__rate_interval]))`),
				col("Sent", units.BytesPerSecondIEC, `sum by (cluster, node) (rate(node_network_transmit_bytes_total{@node,device!="lo"}[$__rate_interval]))`),
				col("Up", units.Seconds, `max by (cluster, node) (node_time_seconds{@node} - node_boot_time_seconds{@node})`),
			),
		}},
		{"CPU", []panel{
			graph("CPU by mode", "cores", q(`sum by (mode) (rate(node_cpu_seconds_total{@node,mode!="idle"}[$__rate_interval]))`, "{{mode}}")).stack(),
			graph("CPU by node", units.PercentUnit, q(`1 - avg by (cluster, node) (rate(node_cpu_seconds_total{@node,mode="idle"}[$__rate_interval]))`, "{{cluster}} {{node}}")).share().above(0.8, 0.95),
			graph("Load per core", units.Short,
				q(`max by (cluster, node) (node_load1{@node}) / count by (cluster, node) (node_cpu_seconds_total{@node,mode="idle"})`, "{{node}} 1 min"),
				q(`max by (cluster, node) (node_load15{@node}) / count by (cluster, node) (node_cpu_seconds_total{@node,mode="idle"})`, "{{node}} 15 min")).above(1, 2),
			graph("Time that some task had to wait", units.PercentUnit,
				q(`max by (cluster, node) (rate(node_pressure_cpu_waiting_seconds_total{@node}[$__rate_interval]))`, "{{node}} for CPU"),
				q(`max by (cluster, node) (rate(node_pressure_memory_waiting_seconds_total{@node}[$__rate_interval]))`, "{{node}} for memory"),
				q(`max by (cluster, node) (rate(node_pressure_io_waiting_seconds_total{@node}[$__rate_interval]))`, "{{node}} for disks")).share().above(0.5, 0.8).
				says("Pressure, as the kernel tells it."),
			graph("Switches and interrupts", units.Short,
				q(`sum by (cluster, node) (rate(node_context_switches_total{@node}[$__rate_interval]))`, "{{node}} context switches"),
				q(`sum by (cluster, node) (rate(node_intr_total{@node}[$__rate_interval]))`, "{{node}} interrupts")).says("A second."),
			graph("Processes", units.Short,
				q(`sum by (cluster, node) (node_procs_running{@node})`, "{{node}} running"),
				q(`sum by (cluster, node) (node_procs_blocked{@node})`, "{{node}} blocked")),
		}},
		{"Memory", []panel{
			graph("Memory by use", units.BytesIEC,
				q(`sum(node_memory_MemTotal_bytes{@node} - node_memory_MemFree_bytes{@node} - node_memory_Buffers_bytes{@node} - node_memory_Cached_bytes{@node} - node_memory_SReclaimable_bytes{@node})`, "programs and kernel"),
				q(`sum(node_memory_Cached_bytes{@node})`, "cached"),
				q(`sum(node_memory_Buffers_bytes{@node})`, "buffers"),
				q(`sum(node_memory_SReclaimable_bytes{@node})`, "slab that can be freed"),
				q(`sum(node_memory_MemFree_bytes{@node})`, "free")).stack(),
			graph("Memory available", units.PercentUnit, q(`max by (cluster, node) (node_memory_MemAvailable_bytes{@node} / node_memory_MemTotal_bytes{@node})`, "{{cluster}} {{node}}")).share().below(0.15, 0.05),
			graph("Pages read and written", units.Short,
				q(`sum by (cluster, node) (rate(node_vmstat_pgpgin{@node}[$__rate_interval]))`, "{{node}} in"),
				q(`sum by (cluster, node) (rate(node_vmstat_pgpgout{@node}[$__rate_interval]))`, "{{node}} out")).says("KiB a second."),
			graph("Major page faults, kills for memory", units.Short,
				q(`sum by (cluster, node) (rate(node_vmstat_pgmajfault{@node}[$__rate_interval]))`, "{{node}} major faults a second"),
				q(`sum by (cluster, node) (increase(node_vmstat_oom_kill{@node}[$__rate_interval]))`, "{{node}} kills")),
		}},
		{"Disks", []panel{
			graph("Full", units.PercentUnit, q(`max by (cluster, node, mountpoint) (1 - node_filesystem_avail_bytes{@node,fstype!~"tmpfs|ramfs"} / node_filesystem_size_bytes{@node,fstype!~"tmpfs|ramfs"})`, "{{node}} {{mountpoint}}")).share().above(0.8, 0.9),
			graph("Inodes used", units.PercentUnit, q(`max by (cluster, node, mountpoint) (1 - node_filesystem_files_free{@node,fstype!~"tmpfs|ramfs"} / (node_filesystem_files{@node,fstype!~"tmpfs|ramfs"} > 0))`, "{{node}} {{mountpoint}}")).share().above(0.8, 0.9),
			graph("Read", units.BytesPerSecondIEC, q(`sum by (cluster, node, device) (rate(node_disk_read_bytes_total{@node}[$__rate_interval]))`, "{{node}} {{device}}")),
			graph("Written", units.BytesPerSecondIEC, q(`sum by (cluster, node, device) (rate(node_disk_written_bytes_total{@node}[$__rate_interval]))`, "{{node}} {{device}}")),
			graph("Busy", units.PercentUnit, q(`max by (cluster, node, device) (rate(node_disk_io_time_seconds_total{@node}[$__rate_interval]))`, "{{node}} {{device}}")).share().above(0.8, 0.95),
			graph("Time of a write", units.Seconds, q(`sum by (cluster, node, device) (rate(node_disk_write_time_seconds_total{@node}[$__rate_interval]))
  / sum by (cluster, node, device) (rate(node_disk_writes_completed_total{@node}[$__rate_interval]) > 0)`, "{{node}} {{device}}")).above(0.05, 0.2),
		}},
		{"Network", []panel{
			graph("Received", units.BytesPerSecondIEC, q(`sum by (cluster, node, device) (rate(node_network_receive_bytes_total{@node,device!="lo"}[$__rate_interval]))`, "{{node}} {{device}}")),
			graph("Sent", units.BytesPerSecondIEC, q(`sum by (cluster, node, device) (rate(node_network_transmit_bytes_total{@node,device!="lo"}[$__rate_interval]))`, "{{node}} {{device}}")),
			graph("Errors and drops", units.PacketsPerSecond,
				q(`sum by (cluster, node) (rate(node_network_receive_errs_total{@node}[$__rate_interval]) + rate(node_network_transmit_errs_total{@node}[$__rate_interval]))`, "{{node}} errors"),
				q(`sum by (cluster, node) (rate(node_network_receive_drop_total{@node}[$__rate_interval]) + rate(node_network_transmit_drop_total{@node}[$__rate_interval]))`, "{{node}} drops")),
			graph("TCP", units.Short,
				q(`sum by (cluster, node) (node_netstat_Tcp_CurrEstab{@node})`, "{{node}} connections"),
				q(`sum by (cluster, node) (rate(node_netstat_Tcp_RetransSegs{@node}[$__rate_interval]))`, "{{node}} segments sent again a second")),
		}},
		{"Kernel", []panel{
			graph("Open files", units.PercentUnit, q(`max by (cluster, node) (node_filefd_allocated{@node} / node_filefd_maximum{@node})`, "{{cluster}} {{node}}")).share().above(0.7, 0.9),
			graph("Connections tracked", units.PercentUnit, q(`max by (cluster, node) (node_nf_conntrack_entries{@node} / node_nf_conntrack_entries_limit{@node})`, "{{cluster}} {{node}}")).share().above(0.7, 0.9),
			graph("Clock", units.Seconds, q(`max by (cluster, node) (abs(node_timex_offset_seconds{@node}))`, "{{node}} off by")).above(0.05, 0.5),
			graph("Packets that waited in the kernel", units.Short,
				q(`sum by (cluster, node) (rate(node_softnet_times_squeezed_total{@node}[$__rate_interval]))`, "{{node}} out of time"),
				q(`sum by (cluster, node) (rate(node_softnet_dropped_total{@node}[$__rate_interval]))`, "{{node}} dropped")).says("A second."),
			graph("Collectors that failed", units.Short, q(`sum by (cluster, node, collector) (1 - node_scrape_collector_success{@node})`, "{{node}} {{collector}}")).
				says("A collector also fails where the node has nothing of the kind."),
		}},
	},
}
