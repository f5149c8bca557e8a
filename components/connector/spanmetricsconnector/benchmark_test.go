// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

// node returns batches as a node's services send them: 100 spans of a pod with its 20 attributes each, over 20 operations.
func node(services int) (batches []ptrace.Traces) {
	for i := range services {
		resource := map[string]any{"service.name": fmt.Sprint("service-", i), "k8s.node.name": "node-1", "k8s.cluster.name": "prod-1", "kof.tenant": "acme"}
		for j := range 16 {
			resource[fmt.Sprint("k8s.pod.label.", j)] = "value"
		}
		var many []func(ptrace.Span)
		for j := range 100 {
			many = append(many, span(fmt.Sprint("GET /operation/", j%20), time.Duration(j)*time.Millisecond, func(s ptrace.Span) {
				s.Attributes().PutStr("http.request.method", "GET")
				s.Attributes().PutStr("url.path", "/")
				s.Attributes().PutInt("http.response.status_code", 200)
			}))
		}
		batches = append(batches, spans(resource, many...))
	}
	return batches
}

// BenchmarkConsume counts spans of 20 known services; an operation is a span.
func BenchmarkConsume(b *testing.B) {
	w, batches := newWorld(b, func(cfg *Config) { cfg.Dimensions = []DimensionConfig{{Name: "http.response.status_code"}} }), node(20)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%100 == 0 {
			w.consume(context.Background(), batches[n/100%len(batches)], w.at)
		}
	}
}

// BenchmarkConsumeParallel does so from as many senders as there are cores.
func BenchmarkConsumeParallel(b *testing.B) {
	w, batches := newWorld(b, nil), node(20)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for n := 0; pb.Next(); n++ {
			if n%100 == 0 {
				w.consume(context.Background(), batches[n/100%len(batches)], w.at)
			}
		}
	})
}

// BenchmarkClone is what a second consumer of the spans costs by itself: the Collector copies them for the one that changes them; an
// operation is a span.
func BenchmarkClone(b *testing.B) {
	batches := node(20)
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%100 == 0 {
			batches[n/100%len(batches)].CopyTo(ptrace.NewTraces())
		}
	}
}

// BenchmarkFlush gives on 10,000 series.
func BenchmarkFlush(b *testing.B) {
	w := newWorld(b, nil)
	for i := range 10 {
		w.take(spans(with(shop, map[string]any{"service.name": fmt.Sprint("s", i)}), named(1000, "a")...))
	}
	b.ReportAllocs()
	for b.Loop() {
		w.flushAfter(time.Minute)
		w.sink.take()
		b.StopTimer()
		for i := range 10 {
			w.take(spans(with(shop, map[string]any{"service.name": fmt.Sprint("s", i)}), named(1000, "a")...))
		}
		b.StartTimer()
	}
}
