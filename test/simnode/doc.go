// SPDX-License-Identifier: Apache-2.0

// Package simnode puts the agent on a node that there is only in an API server: the configuration that the chart gives it, made to run
// on loopback, the rights that the chart gives it, and a kubelet to ask.
//
//	chart, err := simnode.FromChart(repository)
//	err = chart.Config.Fit(node)
//	kubelet, err := simnode.StartKubelet(client, node.Name, nil)
package simnode
