// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"fmt"
	"strings"
)

// labels renders the labels that cadvisor puts on every series, with further ones at their place in the alphabet.
func (g *cgroup) labels(further ...string) string {
	own := []string{"container", g.container, "id", g.id, "image", g.image, "name", g.name, "namespace", g.namespace, "pod", g.pod}
	var parts []string
	for len(own) > 0 || len(further) > 0 {
		from := &own
		if len(own) == 0 || (len(further) > 0 && further[0] < own[0]) {
			from = &further
		}
		parts = append(parts, fmt.Sprintf("%s=%q", (*from)[0], (*from)[1]))
		*from = (*from)[2:]
	}
	return strings.Join(parts, ",")
}

// cgroup adds the series that cadvisor has of a cgroup of version 2.
func (p *Page) cgroup(g cgroup) {
	add := func(name, kind string, v value, further ...string) {
		p.family(name, kind).add(name, g.labels(further...), v, g.lag)
	}
	// uptime is what the counters have behind them, in seconds; pages is how many of 4 KiB the cgroup uses.
	uptime := 86_400 * (1 + 20*p.rng.Float64())
	pages := 300 + float64(p.rng.IntN(60_000))
	cpu := func(share float64) value {
		share *= g.activity
		return &seconds{units: float64(int64(share * uptime * 1e6)), perSecond: 1e6, share: share}
	}
	count := func(perSecond float64) value {
		perSecond *= min(1, g.activity*20)
		return &counter{total: float64(int64(perSecond * uptime)), rate: perSecond}
	}
	memory := func(share, wander float64) value {
		if g.activity < 0.001 {
			wander = 0
		}
		return &level{at: float64(int64(share * pages)), unit: 4096, wander: wander}
	}

	if g.limited {
		add("container_cpu_cfs_periods_total", "counter", count(10))
		add("container_cpu_cfs_throttled_periods_total", "counter", count(0.1))
		add("container_cpu_cfs_throttled_seconds_total", "counter", cpu(0.01))
		add("container_spec_cpu_quota", "gauge", constant(200_000))
	}
	add("container_cpu_load_average_10s", "gauge", constant(0))
	add("container_cpu_load_d_average_10s", "gauge", constant(0))
	add("container_cpu_system_seconds_total", "counter", cpu(0.3))
	add("container_cpu_usage_seconds_total", "counter", cpu(1), "cpu", "total")
	add("container_cpu_user_seconds_total", "counter", cpu(0.7))
	add("container_file_descriptors", "gauge", &level{at: 12, unit: 1, wander: min(0.05, g.activity)})
	const device = "/dev/nvme0n1"
	add("container_blkio_device_usage_total", "counter", count(2000), "device", device, "major", "259", "minor", "0", "operation", "Read")
	add("container_blkio_device_usage_total", "counter", count(9000), "device", device, "major", "259", "minor", "0", "operation", "Write")
	add("container_fs_reads_bytes_total", "counter", &level{at: 4000, unit: 4096}, "device", device)
	add("container_fs_reads_total", "counter", count(0.02), "device", device)
	add("container_fs_writes_bytes_total", "counter", count(9000), "device", device)
	add("container_fs_writes_total", "counter", count(1), "device", device)
	add("container_last_seen", "gauge", unixNow{})
	add("container_memory_cache", "gauge", memory(0.3, 0.01))
	add("container_memory_failcnt", "counter", constant(0))
	for _, scope := range []string{"container", "hierarchy"} {
		add("container_memory_failures_total", "counter", count(40), "failure_type", "pgfault", "scope", scope)
		add("container_memory_failures_total", "counter", count(0.001), "failure_type", "pgmajfault", "scope", scope)
	}
	add("container_memory_kernel_usage", "gauge", memory(0.02, 0.01))
	add("container_memory_mapped_file", "gauge", memory(0.1, 0))
	add("container_memory_max_usage_bytes", "gauge", memory(1.2, 0))
	add("container_memory_rss", "gauge", memory(0.6, 0.02))
	add("container_memory_swap", "gauge", constant(0))
	add("container_memory_total_active_file_bytes", "gauge", memory(0.1, 0.01))
	add("container_memory_total_inactive_file_bytes", "gauge", memory(0.2, 0.01))
	add("container_memory_usage_bytes", "gauge", memory(1, 0.02))
	add("container_memory_working_set_bytes", "gauge", memory(0.8, 0.02))
	add("container_oom_events_total", "counter", constant(0))
	for i, resource := range []string{"cpu", "io", "memory"} {
		share := []float64{0.05, 0.01, 0}[i]
		add("container_pressure_"+resource+"_stalled_seconds_total", "counter", cpu(share/10))
		add("container_pressure_"+resource+"_waiting_seconds_total", "counter", cpu(share))
	}
	add("container_processes", "gauge", constant(1+p.rng.IntN(4)))
	add("container_sockets", "gauge", &level{at: 8, unit: 1, wander: min(0.1, g.activity)})
	add("container_spec_cpu_period", "gauge", constant(100_000))
	add("container_spec_cpu_shares", "gauge", constant(102))
	limit := 0
	if g.limited {
		limit = 536_870_912
	}
	add("container_spec_memory_limit_bytes", "gauge", constant(limit))
	add("container_spec_memory_reservation_limit_bytes", "gauge", constant(0))
	add("container_spec_memory_swap_limit_bytes", "gauge", constant(0))
	add("container_start_time_seconds", "gauge", constant(1_790_000_000+p.rng.IntN(900_000)))
	for _, state := range []string{"iowaiting", "running", "sleeping", "stopped", "uninterruptible"} {
		add("container_tasks_state", "gauge", constant(0), "state", state)
	}
	add("container_threads", "gauge", &level{at: 9, unit: 1, wander: min(0.05, g.activity)})
	add("container_threads_max", "gauge", constant(76_713))
	add("container_ulimits_soft", "gauge", constant(1_048_576), "ulimit", "max_open_files")
	if g.image != "" && g.container == "" { // the sandbox has the pod's network
		p.network(g, count)
	}
}

func (p *Page) network(g cgroup, count func(float64) value) {
	for _, direction := range []string{"receive", "transmit"} {
		for i, what := range []string{"bytes", "packets", "errors", "packets_dropped"} {
			name := "container_network_" + direction + "_" + what + "_total"
			// Its own activity is none; what the pod does isn't known here.
			v := count(0)
			if i < 2 {
				rate := []float64{20_000, 40}[i] * p.rng.ExpFloat64()
				v = &counter{total: float64(int64(rate * 400_000)), rate: rate}
			}
			p.family(name, "counter").add(name, g.labels("interface", "eth0"), v, g.lag)
		}
	}
}
