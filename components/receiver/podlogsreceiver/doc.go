// SPDX-License-Identifier: Apache-2.0

// Package podlogsreceiver reads the container logs of a Kubernetes node from the file system, at line rate: what runtimes write
// below /var/log/pods becomes log records, one resource per container and batch. Each line is passed on at least once; how far a
// file was read is stored only after the pipeline has taken its lines.
//
// A discoverer watches the directories and tells workers which containers changed. Each container belongs to one worker, a
// goroutine that owns all its state: it lists the container's files, reads them in the order in which they were written, in turns
// of bounded size, and gives batches of several containers to the pipeline.
package podlogsreceiver
