// SPDX-License-Identifier: Apache-2.0

// Package backends runs the real storage servers of KOF's regions (single-node
// VictoriaMetrics, VictoriaLogs and Jaeger) on free loopback ports, for tests
// and for the demo, and reads back what they hold. The programs are built once
// per version by package toolcache.
//
//	region := backends.StartRegionT(t, "eu-west-1")
//	// … send to region.Metrics.URL, region.Logs.URL, region.Traces.OTLPURL …
//	samples, err := region.Metrics.Query(ctx, `up`)
//
// Data is visible soon after it was accepted (a new series in VictoriaMetrics
// after nearly 4 seconds), and at once after a Flush: poll, and flush where the
// wait matters. What a server accepted in the last seconds before a Kill (up to
// 6, the write interval of VictoriaMetrics' index of new series) may be lost by
// it, as VictoriaMetrics and VictoriaLogs have no write-ahead log. A test that
// compares counts across an outage of a backend takes Shutdown.
//
// The query methods need no more than Name and URL, so that a Server literal
// with these two also reads from a server that something else runs.
//
// The package needs a Unix system. Only on Linux do servers die with a process
// that is killed while it runs them.
package backends
