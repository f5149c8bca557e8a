// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// resourceSeries are the series of one resource. All but attrs is guarded by mu: batches of different resources don't wait for each other.
type resourceSeries struct {
	attrs pcommon.Map
	// instanceID is the value of collector.instance.id, "" for none.
	instanceID string

	mu       sync.Mutex
	series   map[string]*series
	overflow *series
	// removed says that the resource is no longer looked up; whoever still has it looks it up anew.
	removed bool
}

// series is one set of dimensions: a count and a histogram.
type series struct {
	attrs pcommon.Map
	// start is when there was nothing yet: the flush before the first span.
	start pcommon.Timestamp
	// last is when there last was a span.
	last time.Time
	// delivered is the count that was last given on with success, 0 for none. Until then the point is preceded by a zero at start, since
	// rate() and increase() take the first value of a counter for where it began. Cumulative series only.
	delivered atomic.Uint64

	count   uint64
	sum     float64
	buckets []uint64 // per bucket, the last one without an upper bound; nil: no histogram

	exemplars []exemplar
	drawnFrom int // spans that exemplars were drawn from
}

type exemplar struct {
	traceID pcommon.TraceID
	spanID  pcommon.SpanID
	value   float64
	time    pcommon.Timestamp
}

// observe counts a span.
func (s *series) observe(c *spanMetrics, span ptrace.Span, now time.Time) {
	s.last = now
	s.count++
	if s.buckets == nil {
		return
	}
	var nanos uint64 // a span that ends before it starts took no time
	if start, end := uint64(span.StartTimestamp()), uint64(span.EndTimestamp()); end > start {
		nanos = end - start
	}
	value := float64(nanos) / c.nanosPerUnit
	bucket, _ := slices.BinarySearch(c.bounds, value)
	s.buckets[bucket]++
	s.sum += value
	if most := c.maxExemplars; most > 0 && !span.TraceID().IsEmpty() {
		s.draw(exemplar{span.TraceID(), span.SpanID(), value, span.EndTimestamp()}, most)
	}
}

// draw keeps most of the exemplars it is given, each with the same probability (reservoir sampling, algorithm R), as OpenTelemetry's
// SimpleFixedSizeExemplarReservoir does.
func (s *series) draw(e exemplar, most int) {
	s.drawnFrom++
	if len(s.exemplars) < most {
		s.exemplars = append(s.exemplars, e)
	} else if i := rand.IntN(s.drawnFrom); i < most {
		s.exemplars[i] = e
	}
}

// restart begins a new interval; delta series begin at zero again.
func (s *series) restart(delta bool, now pcommon.Timestamp) {
	s.exemplars, s.drawnFrom = s.exemplars[:0], 0
	if delta {
		s.start, s.count, s.sum = now, 0, 0
		clear(s.buckets)
	}
}

// appendTo appends the series' points to the two metrics.
func (s *series) appendTo(calls, durations pmetric.Metric, c *spanMetrics, now pcommon.Timestamp) {
	if !c.delta && s.delivered.Load() == 0 {
		s.appendPoint(calls.Sum(), s.start, 0)
		if s.buckets != nil {
			p := s.appendHistogram(durations.Histogram(), c, s.start)
			p.SetCount(0)
			p.SetSum(0)
			p.BucketCounts().FromRaw(make([]uint64, len(s.buckets)))
		}
	}
	s.appendPoint(calls.Sum(), now, s.count)
	if s.buckets == nil {
		return
	}
	p := s.appendHistogram(durations.Histogram(), c, now)
	p.SetCount(s.count)
	p.SetSum(s.sum)
	p.BucketCounts().FromRaw(s.buckets)
	for _, e := range s.exemplars {
		to := p.Exemplars().AppendEmpty()
		to.SetTraceID(e.traceID)
		to.SetSpanID(e.spanID)
		to.SetDoubleValue(e.value)
		to.SetTimestamp(e.time)
	}
}

func (s *series) appendPoint(sum pmetric.Sum, at pcommon.Timestamp, value uint64) {
	p := sum.DataPoints().AppendEmpty()
	s.attrs.CopyTo(p.Attributes())
	p.SetStartTimestamp(s.start)
	p.SetTimestamp(at)
	p.SetIntValue(int64(value))
}

func (s *series) appendHistogram(h pmetric.Histogram, c *spanMetrics, at pcommon.Timestamp) pmetric.HistogramDataPoint {
	p := h.DataPoints().AppendEmpty()
	s.attrs.CopyTo(p.Attributes())
	p.SetStartTimestamp(s.start)
	p.SetTimestamp(at)
	p.ExplicitBounds().FromRaw(c.bounds)
	return p
}
