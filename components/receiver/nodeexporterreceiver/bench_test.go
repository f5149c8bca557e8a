// SPDX-License-Identifier: Apache-2.0

//go:build linux

package nodeexporterreceiver

import (
	"testing"
	"time"
)

// BenchmarkCollect is a collection of the default collectors: all that the receiver does between two intervals.
func BenchmarkCollect(b *testing.B) {
	r := newTestReceiver(b, createDefaultConfig().(*Config))
	points := 0
	b.ReportAllocs()
	for b.Loop() {
		points = r.collect(b.Context(), time.Now()).DataPointCount()
	}
	b.ReportMetric(float64(points), "points")
}
