// SPDX-License-Identifier: Apache-2.0

// Package scalekube tests that an agent costs the same in a large cluster as in a small one: a real control plane (package kubeapi) with
// nodes and pods that kwok plays, and the agent's binary with the configuration that the chart gives it, on a node with ten pods. Compared are
// its memory, its requests by the API server's audit log, and the bytes that it gets from there.
//
//	go test ./test/scalekube     20 and 200 nodes
//	make scale-kubernetes        20 and 2,000 nodes with 20,000 pods, then 2,000 namespaces (NODES=2000)
//
// It needs bin/kof-otelcol (`make build`). The programs of the control plane and kwok are built once, into the user's cache.
package scalekube
