// SPDX-License-Identifier: Apache-2.0

// Package logline reads lines of the log files that container runtimes write: the CRI format (containerd, CRI-O; described in the
// kubelet's kuberuntime/logs), and Docker's json-file format. It finds times, streams, partial lines and severities without
// regular expressions and without allocating.
package logline
