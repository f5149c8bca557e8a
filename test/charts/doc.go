// SPDX-License-Identifier: Apache-2.0

// Package charts tests the charts under deploy/charts with the real helm, the real kube-apiserver, and the collector itself:
// what they render, what they refuse, and that it is what the examples committed beside them say.
//
// `go test ./test/charts -update` writes the examples anew.
package charts
