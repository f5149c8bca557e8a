// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"context"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/k0rdent/kof/test/demo/truth"
)

// spanRecorder notes every span that ends.
type spanRecorder struct {
	source truth.Source
	truth  *truth.Set
}

func (r *spanRecorder) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

func (r *spanRecorder) OnEnd(s sdktrace.ReadOnlySpan) {
	c := s.SpanContext()
	r.truth.Sent(r.source, truth.Item{ID: SpanID(c.TraceID().String(), c.SpanID().String()), At: s.StartTime()})
}

func (r *spanRecorder) Shutdown(context.Context) error { return nil }

func (r *spanRecorder) ForceFlush(context.Context) error { return nil }

// SpanID names a span by the hexadecimal forms of its trace's and its own identifier.
func SpanID(trace, span string) string { return trace + "/" + span }
