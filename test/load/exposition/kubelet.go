// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"fmt"
	"math"
)

var (
	latency = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}
	// request are the bounds of rest_client_request_duration_seconds.
	request = []float64{0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60}
	// storage are the bounds of storage_operation_duration_seconds.
	storage = []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 25, 50, 120, 300, 600}
	// size are bounds in bytes.
	size = []float64{64, 256, 512, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216}
)

// Kubelet returns a page as a kubelet's /metrics has it.
func Kubelet(seed uint64, load Load) *Page {
	p := newPage(seed)
	count := func(name, labels string, rate float64) {
		p.family(name, "counter").add(name, labels, &counter{total: math.Round(rate * 500_000 * p.rng.Float64()), rate: rate}, 0)
	}
	gauge := func(name, labels string, at, unit, wander float64) {
		p.family(name, "gauge").add(name, labels, &level{at, unit, wander}, 0)
	}

	for _, operation := range []string{
		"container_status", "create_container", "exec_sync", "image_fs_info", "image_status", "list_containers", "list_images",
		"list_podsandbox", "podsandbox_status", "pull_image", "remove_container", "remove_podsandbox", "run_podsandbox",
		"start_container", "status", "stop_container", "stop_podsandbox", "update_runtime_config", "version",
	} {
		labels := fmt.Sprintf("operation_type=%q", operation)
		rate := 0.5 * p.rng.ExpFloat64()
		p.histogram("kubelet_runtime_operations_duration_seconds", labels, latency, rate, 0.004)
		count("kubelet_runtime_operations_total", labels, rate)
	}
	for _, host := range []string{"10.96.0.1:443", "127.0.0.1:6443"} {
		for _, verb := range []string{"DELETE", "GET", "LIST", "PATCH", "POST", "PUT", "WATCH"} {
			labels := fmt.Sprintf("host=%q,verb=%q", host, verb)
			p.histogram("rest_client_request_duration_seconds", labels, request, 0.3, 0.006)
			p.histogram("rest_client_request_size_bytes", labels, size, 0.3, 900)
			p.histogram("rest_client_response_size_bytes", labels, size, 0.3, 2200)
		}
		for _, code := range []string{"200", "201", "404", "409", "429"} {
			for _, method := range []string{"GET", "PATCH", "POST", "PUT"} {
				count("rest_client_requests_total", fmt.Sprintf("code=%q,host=%q,method=%q", code, host, method), 0.2)
			}
		}
	}
	for _, plugin := range []string{"kubernetes.io/configmap", "kubernetes.io/csi:ebs.csi.example", "kubernetes.io/empty-dir", "kubernetes.io/host-path", "kubernetes.io/projected", "kubernetes.io/secret"} {
		for _, operation := range []string{"verify_controller_attached_volume", "volume_attach", "volume_mount", "volume_unmount", "volume_detach"} {
			labels := fmt.Sprintf("migrated=%q,operation_name=%q,status=%q,volume_plugin=%q", "false", operation, "success", plugin)
			p.histogram("storage_operation_duration_seconds", labels, storage, 0.1, 0.05)
		}
		for _, state := range []string{"actual_state_of_world", "desired_state_of_world"} {
			gauge("volume_manager_total_volumes", fmt.Sprintf("plugin_name=%q,state=%q", plugin, state), float64(load.Pods), 1, 0)
		}
	}
	for _, path := range []string{"exec", "healthz", "logs", "metrics", "metrics/cadvisor", "metrics/probes", "metrics/resource", "pods", "stats/summary"} {
		labels := fmt.Sprintf("long_running=%q,method=%q,path=%q,server_type=%q", "false", "GET", path, "readwrite")
		p.histogram("kubelet_http_requests_duration_seconds", labels, latency, 0.05, 0.02)
		count("kubelet_http_requests_total", labels, 0.05)
		gauge("kubelet_http_inflight_requests", labels, 0, 1, 0)
	}
	for _, name := range []string{
		"kubelet_cgroup_manager_duration_seconds", "kubelet_pod_worker_duration_seconds", "kubelet_pod_status_sync_duration_seconds",
		"kubelet_pleg_relist_duration_seconds", "kubelet_pleg_relist_interval_seconds", "kubelet_pod_start_duration_seconds",
		"kubelet_pod_start_sli_duration_seconds", "kubelet_pod_worker_start_duration_seconds", "kubelet_run_podsandbox_duration_seconds",
		"kubelet_image_pull_duration_seconds", "kubelet_container_log_rotation_seconds", "kubelet_node_startup_duration_seconds",
	} {
		for _, kind := range []string{"create", "sync", "update"} {
			p.histogram(name, fmt.Sprintf("operation_type=%q", kind), latency, 0.4, 0.01)
		}
	}
	p.workqueues()
	p.volumes(load.Pods/4, gauge)
	p.runtime(gauge, count)
	gauge("kubelet_running_pods", "", float64(load.Pods), 1, 0)
	for _, state := range []string{"created", "exited", "running"} {
		gauge("kubelet_running_containers", fmt.Sprintf("container_state=%q", state), float64(load.Containers), 1, 0)
	}
	gauge("kubelet_node_name", `node="ip-10-42-3-17.eu-west-1.compute.internal"`, 1, 1, 0)
	return p
}

func (p *Page) workqueues() {
	for _, queue := range []string{"ClusterTrustBundle", "DynamicCABundle-client-ca-bundle", "RequestHeaderAuthRequestController", "certificate_manager"} {
		labels := fmt.Sprintf("name=%q", queue)
		p.histogram("workqueue_queue_duration_seconds", labels, latency, 0.02, 0.0001)
		p.histogram("workqueue_work_duration_seconds", labels, latency, 0.02, 0.0005)
	}
}

func (p *Page) volumes(n int, gauge func(name, labels string, at, unit, wander float64)) {
	for i := range n {
		labels := fmt.Sprintf("namespace=%q,persistentvolumeclaim=%q", fmt.Sprintf("team-%c", 'a'+i%8), fmt.Sprintf("data-%s-0", hex(p.rng, 6)))
		used := float64(p.rng.IntN(2_000_000))
		gauge("kubelet_volume_stats_available_bytes", labels, 2_560_000-used, 4096, 0.001)
		gauge("kubelet_volume_stats_capacity_bytes", labels, 2_560_000, 4096, 0)
		gauge("kubelet_volume_stats_inodes", labels, 655_360, 1, 0)
		gauge("kubelet_volume_stats_inodes_free", labels, 650_000, 1, 0.0001)
		gauge("kubelet_volume_stats_inodes_used", labels, 5360, 1, 0.001)
		gauge("kubelet_volume_stats_used_bytes", labels, used, 4096, 0.001)
	}
}

// runtime adds what Go's own collectors export.
func (p *Page) runtime(gauge func(name, labels string, at, unit, wander float64), count func(name, labels string, rate float64)) {
	for i, name := range []string{
		"alloc", "buck_hash_sys", "gc_sys", "heap_alloc", "heap_idle", "heap_inuse", "heap_released", "heap_sys", "mcache_inuse",
		"mcache_sys", "mspan_inuse", "mspan_sys", "next_gc", "other_sys", "stack_inuse", "stack_sys", "sys",
	} {
		gauge("go_memstats_"+name+"_bytes", "", 2_000_000/float64(i+1), 8, 0.03*float64(i%2))
	}
	for _, name := range []string{"alloc_bytes", "frees", "lookups", "mallocs"} {
		count("go_memstats_"+name+"_total", "", 40_000)
	}
	gauge("go_goroutines", "", 900, 1, 0.01)
	gauge("go_threads", "", 24, 1, 0)
	gauge("process_resident_memory_bytes", "", 30_000, 4096, 0.01)
	gauge("process_open_fds", "", 180, 1, 0.01)
	p.family("process_cpu_seconds_total", "counter").add("process_cpu_seconds_total", "", &seconds{units: 9_000_000, perSecond: 100, share: 0.08}, 0)
}
