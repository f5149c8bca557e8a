// SPDX-License-Identifier: Apache-2.0

// Package opencostreceiver computes Kubernetes costs where the data is, with OpenCost's formulae and metric names. In node
// mode it prices its own node and the node's pods from what the kubelet tells; in cluster mode one elected replica adds
// what exists once per cluster. Prices and arithmetic are in internal/cost.
package opencostreceiver
