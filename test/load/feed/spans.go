// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// spansPerTrace is how many spans each trace has, all of one service.
const spansPerTrace = 10

// Spans makes the spans of one service. It is for one goroutine.
type Spans struct {
	service string
	rng     *rand.Rand
	n       uint64
}

// NewSpans returns a maker of spans; seed tells its traces from those of others.
func NewSpans(service string, seed uint64) *Spans {
	return &Spans{service: service, rng: rand.New(rand.NewPCG(seed, seed))}
}

// Request returns the protobuf of an export request with so many spans that began at a time, with the attributes that instrumentation of
// HTTP servers and databases sets.
func (s *Spans) Request(spans int, at time.Time) ([]byte, error) {
	traces := ptrace.NewTraces()
	r := traces.ResourceSpans().AppendEmpty()
	r.Resource().Attributes().PutStr("service.name", s.service)
	r.Resource().Attributes().PutStr("telemetry.sdk.language", "go")
	r.Resource().Attributes().PutStr("telemetry.sdk.name", "opentelemetry")
	to := r.ScopeSpans().AppendEmpty()
	to.Scope().SetName("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp")
	var trace pcommon.TraceID
	var parent pcommon.SpanID
	for range spans {
		var id pcommon.SpanID
		binary.BigEndian.PutUint64(id[:], s.rng.Uint64()|1)
		root := s.n%spansPerTrace == 0
		if root {
			binary.BigEndian.PutUint64(trace[:], s.rng.Uint64()|1)
			binary.BigEndian.PutUint64(trace[8:], s.rng.Uint64())
			parent = pcommon.SpanID{}
		}
		s.fill(to.Spans().AppendEmpty(), trace, id, parent, at)
		if root {
			parent = id
		}
		s.n++
	}
	return ptraceotlp.NewExportRequestFromTraces(traces).MarshalProto()
}

func (s *Spans) fill(span ptrace.Span, trace pcommon.TraceID, id, parent pcommon.SpanID, at time.Time) {
	span.SetTraceID(trace)
	span.SetSpanID(id)
	span.SetParentSpanID(parent)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(at))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(time.Duration(1+s.rng.IntN(200_000)) * time.Microsecond)))
	attributes := span.Attributes()
	if parent.IsEmpty() {
		span.SetName("GET /api/v1/items/{id}")
		span.SetKind(ptrace.SpanKindServer)
		attributes.PutStr("http.request.method", "GET")
		attributes.PutStr("http.route", "/api/v1/items/{id}")
		attributes.PutStr("url.path", fmt.Sprintf("/api/v1/items/%d", s.rng.IntN(100_000)))
		attributes.PutInt("http.response.status_code", 200)
		attributes.PutStr("server.address", "shop.example.com")
		attributes.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36")
		return
	}
	span.SetName("SELECT shop.items")
	span.SetKind(ptrace.SpanKindClient)
	attributes.PutStr("db.system.name", "postgresql")
	attributes.PutStr("db.namespace", "shop")
	attributes.PutStr("db.operation.name", "SELECT")
	attributes.PutStr("db.query.text", "SELECT id, name, price FROM items WHERE id = $1 AND tenant = $2")
	attributes.PutStr("server.address", "postgres.shop.svc")
	attributes.PutInt("server.port", 5432)
}
