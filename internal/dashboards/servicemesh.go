// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/units"

const meshNeeds = "istiod and sidecars as Istio annotates them for scraping (`prometheus.io/scrape`, port 15014 and 15020)"

var serviceMesh = []Board{mesh, meshControlPlane, meshPerformance}

var mesh = Board{
	Folder: "service-mesh", Name: "istio-mesh", Title: "Istio: mesh",
	Answers:   "Which services call which, how often does that fail, and how long does it take?",
	Needs:     meshNeeds,
	variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("Requests", units.RequestsPerSecond, `sum(rate(istio_requests_total{@cluster,reporter="destination"}[$__rate_interval]))`),
			stat("Succeed", units.PercentUnit, `sum(rate(istio_requests_total{@cluster,reporter="destination",response_code!~"5.."}[$__rate_interval])) / sum(rate(istio_requests_total{@cluster,reporter="destination"}[$__rate_interval]))`).below(0.99, 0.95),
			stat("Server errors", units.RequestsPerSecond, `sum(rate(istio_requests_total{@cluster,reporter="destination",response_code=~"5.."}[$__rate_interval]))`).above(0.1, 1),
			stat("95 % within", units.Milliseconds, `histogram_quantile(0.95, sum by (le) (rate(istio_request_duration_milliseconds_bucket{@cluster,reporter="destination"}[$__rate_interval])))`),
			stat("Encrypted", units.PercentUnit, `sum(rate(istio_requests_total{@cluster,reporter="destination",connection_security_policy="mutual_tls"}[$__rate_interval])) / sum(rate(istio_requests_total{@cluster,reporter="destination"}[$__rate_interval]))`).below(1, 0.99),
			stat("TCP", units.BytesPerSecondIEC, `sum(rate(istio_tcp_sent_bytes_total{@cluster,reporter="destination"}[$__rate_interval])) + sum(rate(istio_tcp_received_bytes_total{@cluster,reporter="destination"}[$__rate_interval]))`),
		}},
		{"", []panel{
			table("Who calls whom", []string{"cluster", "source_workload", "destination_service_namespace", "destination_service_name"},
				col("Requests a second", units.RequestsPerSecond, `sum by (cluster, source_workload, destination_service_namespace, destination_service_name) (rate(istio_requests_total{@cluster,reporter="destination"}[$__rate_interval]))`),
				col("Server errors", units.PercentUnit, `sum by (cluster, source_workload, destination_service_namespace, destination_service_name) (rate(istio_requests_total{@cluster,reporter="destination",response_code=~"5.."}[$__rate_interval]))
  / sum by (cluster, source_workload, destination_service_namespace, destination_service_name) (rate(istio_requests_total{@cluster,reporter="destination"}[$__rate_interval]))`).above(0.01, 0.05),
				col("95 % within", units.Milliseconds, `histogram_quantile(0.95, sum by (cluster, source_workload, destination_service_namespace, destination_service_name, le) (rate(istio_request_duration_milliseconds_bucket{@cluster,reporter="destination"}[$__rate_interval])))`),
			),
			graph("Requests by code", units.RequestsPerSecond, q(`sum by (cluster, response_code) (rate(istio_requests_total{@cluster,reporter="destination"}[$__rate_interval]))`, "{{cluster}} {{response_code}}")).stack(),
			graph("Requests by service", units.RequestsPerSecond, q(`sum by (destination_service_namespace, destination_service_name) (rate(istio_requests_total{@cluster,reporter="destination"}[$__rate_interval]))`, "{{destination_service_namespace}}/{{destination_service_name}}")),
			graph("95 % within, by service", units.Milliseconds, q(`histogram_quantile(0.95, sum by (destination_service_namespace, destination_service_name, le) (rate(istio_request_duration_milliseconds_bucket{@cluster,reporter="destination"}[$__rate_interval])))`, "{{destination_service_namespace}}/{{destination_service_name}}")),
			graph("TCP connections", units.Short,
				q(`sum by (destination_service_namespace, destination_service_name) (rate(istio_tcp_connections_opened_total{@cluster,reporter="destination"}[$__rate_interval]))`, "{{destination_service_namespace}}/{{destination_service_name}} opened"),
				q(`sum by (destination_service_namespace, destination_service_name) (rate(istio_tcp_connections_closed_total{@cluster,reporter="destination"}[$__rate_interval]))`, "{{destination_service_namespace}}/{{destination_service_name}} closed")).says("A second."),
		}},
	},
}

var meshControlPlane = Board{
	Folder: "service-mesh", Name: "istio-control-plane", Title: "Istio: control plane",
	Answers:   "Do proxies get their configuration in time, and is it right?",
	Needs:     meshNeeds,
	variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("Istiods", units.Short, `count(istio_build{@cluster,component="pilot"})`),
			stat("Proxies connected", units.Short, `sum(pilot_xds{@cluster})`),
			stat("Services", units.Short, `max(pilot_services{@cluster})`),
			stat("99 % configured within", units.Seconds, `histogram_quantile(0.99, sum by (le) (rate(pilot_proxy_convergence_time_bucket{@cluster}[$__rate_interval])))`).above(1, 10),
			stat("Rejected configurations", units.Short, `sum(increase(pilot_xds_rejects_total{@cluster}[$__range]))`).above(1, 10),
			stat("Invalid objects", units.Short, `sum(increase(galley_validation_failed_total{@cluster}[$__range]))`).above(1, 10),
		}},
		{"", []panel{
			graph("Pushes", units.OpsPerSecond, q(`sum by (cluster, type) (rate(pilot_xds_pushes_total{@cluster}[$__rate_interval]))`, "{{cluster}} {{type}}")),
			graph("Why it pushes", units.OpsPerSecond, q(`sum by (cluster, type) (rate(pilot_push_triggers_total{@cluster}[$__rate_interval]))`, "{{cluster}} {{type}}")),
			graph("Time until proxies are configured", units.Seconds,
				q(`histogram_quantile(0.5, sum by (cluster, le) (rate(pilot_proxy_convergence_time_bucket{@cluster}[$__rate_interval])))`, "{{cluster}} 50 %"),
				q(`histogram_quantile(0.99, sum by (cluster, le) (rate(pilot_proxy_convergence_time_bucket{@cluster}[$__rate_interval])))`, "{{cluster}} 99 %")).above(1, 10),
			graph("Conflicts", units.Short,
				q(`sum by (cluster) (pilot_conflict_inbound_listener{@cluster})`, "{{cluster}} inbound listeners"),
				q(`sum by (cluster) (pilot_conflict_outbound_listener_tcp_over_current_tcp{@cluster})`, "{{cluster}} outbound TCP over TCP"),
				q(`sum by (cluster) (pilot_no_ip{@cluster})`, "{{cluster}} pods not in the endpoints")).above(1, 10),
			graph("Certificates", units.OpsPerSecond,
				q(`sum by (cluster) (rate(citadel_server_success_cert_issuance_count_total{@cluster}[$__rate_interval]))`, "{{cluster}} issued"),
				q(`sum by (cluster) (rate(citadel_server_csr_count_total{@cluster}[$__rate_interval]))`, "{{cluster}} asked for")),
			graph("Memory", units.BytesIEC, q(`sum by (cluster, pod) (process_resident_memory_bytes{@cluster,job="istiod"})`, "{{cluster}} {{pod}}")),
			graph("CPU", "cores", q(`sum by (cluster, pod) (rate(process_cpu_seconds_total{@cluster,job="istiod"}[$__rate_interval]))`, "{{cluster}} {{pod}}")),
			graph("Goroutines", units.Short, q(`sum by (cluster, pod) (go_goroutines{@cluster,job="istiod"})`, "{{cluster}} {{pod}}")),
		}},
	},
}

var meshPerformance = Board{
	Folder: "service-mesh", Name: "istio-performance", Title: "Istio: performance",
	Answers:   "What does the mesh itself cost in CPU, memory and time?",
	Needs:     meshNeeds,
	variables: byCluster,
	rows: []row{
		{"", []panel{
			stat("CPU of sidecars", "cores", `sum(rate(container_cpu_usage_seconds_total{@cluster,container="istio-proxy"}[$__rate_interval]))`).digits(2),
			stat("CPU per 1,000 requests", "cores", `1000 * sum(rate(container_cpu_usage_seconds_total{@cluster,container="istio-proxy"}[$__rate_interval])) / sum(rate(istio_requests_total{@cluster}[$__rate_interval]))`).digits(2),
			stat("Memory of sidecars", units.BytesIEC, `sum(container_memory_working_set_bytes{@cluster,container="istio-proxy"})`),
			stat("Memory of a sidecar", units.BytesIEC, `avg(container_memory_working_set_bytes{@cluster,container="istio-proxy"})`),
			stat("CPU requested by sidecars", "cores", `sum(kof_container_requested{@cluster,container="istio-proxy",resource="cpu"})`).digits(2),
			stat("Time in the server's proxy", units.Milliseconds, `sum(rate(istio_request_duration_milliseconds_sum{@cluster,reporter="source"}[$__rate_interval])) / sum(rate(istio_request_duration_milliseconds_count{@cluster,reporter="source"}[$__rate_interval]))
  - sum(rate(istio_request_duration_milliseconds_sum{@cluster,reporter="destination"}[$__rate_interval])) / sum(rate(istio_request_duration_milliseconds_count{@cluster,reporter="destination"}[$__rate_interval]))`).
				says("Mean time that the caller's proxy sees, less what the called one's sees: network and proxies."),
		}},
		{"", []panel{
			graph("CPU of sidecars", "cores", q(`sum by (cluster, namespace) (rate(container_cpu_usage_seconds_total{@cluster,container="istio-proxy"}[$__rate_interval]))`, "{{cluster}} {{namespace}}")).stack(),
			graph("Memory of sidecars", units.BytesIEC, q(`sum by (cluster, namespace) (container_memory_working_set_bytes{@cluster,container="istio-proxy"})`, "{{cluster}} {{namespace}}")).stack(),
			graph("Sent by services", units.BytesPerSecondIEC, q(`sum by (cluster, destination_service_name) (rate(istio_response_bytes_sum{@cluster,reporter="destination"}[$__rate_interval]))`, "{{cluster}} {{destination_service_name}}")),
			graph("Cost of sidecars", units.Dollars, q(`sum by (cluster, namespace) (increase(kof_container_cost_total{@cluster,container="istio-proxy"}[1h])) * 730`, "{{cluster}} {{namespace}}")).says("A month at the pace of the last hour."),
		}},
	},
}
