// SPDX-License-Identifier: Apache-2.0

// Package finops answers what Kubernetes costs, from the counters of the opencost receiver in a Prometheus-compatible store: by cluster, region,
// tenant, namespace, workload, pod or label; with idle and shared cost spread or not; efficiency, forecast, right-sizing; and as
// a FOCUS dataset. The formulae are in docs/finops.md.
package finops
