// SPDX-License-Identifier: Apache-2.0

package load

import (
	"encoding/binary"
	"hash/fnv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// Signal is one of the three, as the region exporter's metrics call it.
type Signal string

const (
	Metrics Signal = "metrics"
	Logs    Signal = "logs"
	Traces  Signal = "traces"
)

// Signals returns all three.
func Signals() []Signal { return []Signal{Metrics, Logs, Traces} }

// MetricName is the name of the series whose values are the numbers of the records.
const MetricName = "chaos_record"

// Attributes of a record, beside its resource's service.name, which is the run.
const (
	SequenceAttribute = "seq"
	IntendedAttribute = "intended" // the region it was sent for, to compare with the region whose store has it
	regionAttribute   = "kof.region"
	padAttribute      = "pad"
)

// Poison is what a poisoned record contains.
const Poison = "refuse-this-record"

// Lane is where records of one signal and one region go.
type Lane struct {
	Region string
	Signal Signal
}

// Stream is the records of one lane in one run. Record n is the same whenever it is made.
type Stream struct {
	Lane
	// Run tells the records of one run from those of others in the same stores.
	Run string
	// Base is the time of record 0 (metrics, logs) and of request 0 (traces); each further one is a millisecond later.
	Base time.Time
	// PerRequest is how many records a request has.
	PerRequest int
	// Pad is how many bytes each record is larger than it need be.
	Pad int
	// PoisonEvery makes every so manieth record a poisoned one, from the first; 0: none.
	PoisonEvery int
}

// Poisoned says whether record n is poisoned.
func (s *Stream) Poisoned(n int) bool { return s.PoisonEvery > 0 && n%s.PoisonEvery == 0 }

// MinRecordSize is the least that a record takes in a request to a backend before compression, in bytes.
func (s *Stream) MinRecordSize() (int, error) {
	if s.Signal == Metrics {
		// A series of remote write: three labels and a sample, as Prometheus' prompb.TimeSeries has them.
		const label, sample = 6, 9
		text := len("__name__"+MetricName+"job"+IntendedAttribute) + len(s.Run) + len(s.Region) + s.Pad
		return text + 3*label + sample, nil
	}
	one, two := *s, *s
	one.PerRequest, two.PerRequest = 1, 2
	a, err := one.Request(1)
	if err != nil {
		return 0, err
	}
	b, err := two.Request(1)
	return len(b) - len(a), err
}

// Request returns request k as the protobuf of an OTLP export request.
func (s *Stream) Request(k int) ([]byte, error) {
	first := k * s.PerRequest
	switch s.Signal {
	case Metrics:
		return s.metrics(first)
	case Logs:
		return s.logs(first)
	default:
		return s.traces(k, first)
	}
}

// RequestTime is when the first record of request k happened.
func (s *Stream) RequestTime(k int) time.Time {
	if s.Signal == Traces {
		return s.Base.Add(time.Duration(k) * time.Millisecond)
	}
	return s.recordTime(k * s.PerRequest)
}

func (s *Stream) recordTime(n int) time.Time { return s.Base.Add(time.Duration(n) * time.Millisecond) }

func (s *Stream) resource(to pcommon.Resource) {
	to.Attributes().PutStr("service.name", s.Run)
	to.Attributes().PutStr(regionAttribute, s.Region)
}

func (s *Stream) record(n int, to pcommon.Map) {
	to.PutStr(IntendedAttribute, s.Region)
	switch {
	case s.Poisoned(n):
		to.PutStr(padAttribute, Poison+strings.Repeat("x", s.Pad))
	case s.Pad > 0:
		to.PutStr(padAttribute, strings.Repeat("x", s.Pad))
	}
}

func (s *Stream) metrics(first int) ([]byte, error) {
	r := pmetricotlp.NewExportRequest()
	rm := r.Metrics().ResourceMetrics().AppendEmpty()
	s.resource(rm.Resource())
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(MetricName)
	points := m.SetEmptyGauge().DataPoints()
	for n := first; n < first+s.PerRequest; n++ {
		p := points.AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(s.recordTime(n)))
		p.SetDoubleValue(float64(n))
		s.record(n, p.Attributes())
	}
	return r.MarshalProto()
}

func (s *Stream) logs(first int) ([]byte, error) {
	r := plogotlp.NewExportRequest()
	rl := r.Logs().ResourceLogs().AppendEmpty()
	s.resource(rl.Resource())
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for n := first; n < first+s.PerRequest; n++ {
		l := records.AppendEmpty()
		l.SetTimestamp(pcommon.NewTimestampFromTime(s.recordTime(n)))
		l.Body().SetStr(MetricName)
		l.Attributes().PutInt(SequenceAttribute, int64(n))
		s.record(n, l.Attributes())
	}
	return r.MarshalProto()
}

// traces makes one trace of each request, so that the store holds few of them.
func (s *Stream) traces(k, first int) ([]byte, error) {
	r := ptraceotlp.NewExportRequest()
	rs := r.Traces().ResourceSpans().AppendEmpty()
	s.resource(rs.Resource())
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.Run + "/" + s.Region))
	var trace pcommon.TraceID
	binary.BigEndian.PutUint64(trace[:], h.Sum64())
	binary.BigEndian.PutUint64(trace[8:], uint64(k)+1)
	start := pcommon.NewTimestampFromTime(s.RequestTime(k))
	for n := first; n < first+s.PerRequest; n++ {
		span := spans.AppendEmpty()
		var id pcommon.SpanID
		binary.BigEndian.PutUint64(id[:], uint64(n)+1)
		span.SetTraceID(trace)
		span.SetSpanID(id)
		span.SetName(MetricName)
		span.SetStartTimestamp(start)
		span.SetEndTimestamp(start + pcommon.Timestamp(time.Millisecond))
		span.Attributes().PutInt(SequenceAttribute, int64(n))
		s.record(n, span.Attributes())
	}
	return r.MarshalProto()
}
