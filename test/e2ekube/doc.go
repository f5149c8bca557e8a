// SPDX-License-Identifier: Apache-2.0

// Package e2ekube tests the chart kof-collectors on a real Kubernetes of one node (package test/kube), with real backends of
// two regions outside the cluster: what a workload says has to be in the stores of its region, record by record, whatever
// happens to pods, logs, agents and backends meanwhile. At the end, it installs stores and agents in pods by the commands of the pages
// under docs/, with the charts' own defaults, looks for the data through VMAuth, and takes all away again.
//
//	make e2e-kubernetes
//
// It needs root and bin/kof-otelcol (`make build`); a machine that can't run a cluster skips the test with the reason.
package e2ekube
