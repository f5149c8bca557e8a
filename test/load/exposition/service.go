// SPDX-License-Identifier: Apache-2.0

package exposition

import "fmt"

// ServicePrefix is what all names of a Service's page begin with.
const ServicePrefix = "shop_"

// Service returns a page as a service's /metrics has it, of so many series: latencies by route, method and status, and of calls to other
// services.
func Service(seed uint64, series int) *Page {
	p := newPage(seed)
	statuses := []string{"200", "204", "400", "404", "500"}
	methods := []string{"GET", "POST", "PUT", "DELETE"}
	each := len(latency) + 3 // buckets with +Inf, sum and count
	n := 0
	for i := 0; n+each <= series; i++ {
		labels := fmt.Sprintf("code=%q,method=%q,route=%q", statuses[i%len(statuses)], methods[i/len(statuses)%len(methods)], fmt.Sprintf("/api/v1/resource-%d/{id}", i/20))
		// Few routes get most of the requests.
		p.histogram(ServicePrefix+"http_server_request_duration_seconds", labels, latency, 20/float64(1+i), 0.02)
		n += each
	}
	for i := 0; n < series; i++ {
		labels := fmt.Sprintf("upstream=%q", fmt.Sprintf("service-%d", i))
		p.family(ServicePrefix+"upstream_calls_total", "counter").add(ServicePrefix+"upstream_calls_total", labels, &counter{total: 1000, rate: 2}, 0)
		n++
	}
	return p
}
