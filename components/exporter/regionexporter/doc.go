// SPDX-License-Identifier: Apache-2.0

// Package regionexporter sends metrics, logs and traces to the backends of the region that each record belongs to. Records go
// through one lane per region and signal, each with a durable queue, senders and connections of its own; none is ever sent to an
// endpoint outside its residency zone.
package regionexporter
