// SPDX-License-Identifier: Apache-2.0

// Package k8seventsreceiver watches Kubernetes Events and turns each, and each update of one, into a log record that a person can
// read: once, also over restarts and changes of the leader, as long as the API server has it.
package k8seventsreceiver
