// SPDX-License-Identifier: Apache-2.0

// Package dashboards holds KOF's Grafana dashboards as code. Each is a Board: a question that it answers, variables, and rows of
// panels with their queries. Files turns them into the files of the chart kof-dashboards, through Grafana's own typed builders.
//
// # Queries
//
// Metrics are asked in plain PromQL, without MetricsQL's extensions: Grafana asks Promxy, which is Prometheus' engine over the stores of all
// regions. Logs are asked in LogsQL. In both, an @NAME inside of the braces of a selector stands for the filters by the variables that a
// dashboard has:
//
//	@region     the region whose store has the series; the label promxyCluster is Promxy's, not the series' own
//	@cluster    region and cluster
//	@tenant     region, cluster and tenant
//	@namespace  region, cluster, tenant and namespace
//	@workload   the same and workload_kind and workload, for metrics that have them
//	@node       region, cluster and node
//	@detail     region and the cluster that is looked at in detail; also @detailNamespace, @detailWorkload
//
// Variables take several values or all. "All" is .*, which series without the label fit too: a dashboard works in a region's own
// Grafana, without Promxy and tenants. A variable without "All" keeps queries of single nodes, containers and volumes to a cluster or namespace.
//
// # Conventions
//
// Every panel has a unit and says by its title what it shows. Rates are over $__rate_interval. Costs over $__range are read of the
// hours that regions record (finops_hours.go), or of counters of what is chosen. Thresholds are only where a value is good or bad by itself. Every query is run against real data by test/dashboards.
package dashboards
