// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Encoder turns metrics into the protobuf of a remote-write 1.0 WriteRequest. It keeps buffers and bounded caches of
// names between calls, so an encoder is for one goroutine at a time. What it holds does not grow beyond a few megabytes,
// and none of it refers to metrics of earlier calls.
type Encoder struct {
	targetInfo bool
	maxLabels  int

	names    names
	resource resource
	bounds   bounds
	sample   sample
	series   seriesTemplate
	info     plan // of the last target_info
	infoKeys []string
	items    []planItem // of the plan being built

	values []string // of the point at hand, in the order of its attributes
	join   []byte   // a label value of several attributes
	exp    expBuckets

	newest int64 // timestamp in milliseconds of the resource's newest encoded point
	result Result
}

// NewEncoder returns an encoder, or all problems of the options joined.
func NewEncoder(opts Options) (*Encoder, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	e := &Encoder{targetInfo: opts.TargetInfo, maxLabels: opts.MaxLabels}
	if e.maxLabels == 0 {
		e.maxLabels = DefaultMaxLabels
	}
	e.names.init()
	e.bounds.init()
	e.exp.init()
	e.resource.init(opts.ResourceLabels, &e.names)
	return e, nil
}

// Append appends the WriteRequest for all of md to dst and returns the extended slice. md is only read.
// The outputs of several calls appended to one another are again one valid WriteRequest.
func (e *Encoder) Append(dst []byte, md pmetric.Metrics) ([]byte, Result) {
	return e.AppendRange(dst, md, 0, math.MaxInt)
}

// AppendRange is Append for the data points from (inclusive) to to (exclusive) in the order in which md holds them, where
// md has md.DataPointCount() of them. Metrics outside of the range cost next to nothing: this serves to split a request
// that the server refused, by halves, without copying any data.
func (e *Encoder) AppendRange(dst []byte, md pmetric.Metrics, from, to int) ([]byte, Result) {
	e.result = Result{}
	w := window{from: from, to: to}
	rms := md.ResourceMetrics()
	for i := range rms.Len() {
		rm := rms.At(i)
		prepared := false
		e.newest = math.MinInt64
		sms := rm.ScopeMetrics()
		for j := range sms.Len() {
			metrics := sms.At(j).Metrics()
			for k := range metrics.Len() {
				m := metrics.At(k)
				lo, hi := w.next(PointCount(m))
				if lo >= hi {
					continue
				}
				if !prepared {
					e.prepareResource(rm.Resource().Attributes())
					prepared = true
				}
				dst = e.metric(dst, m, lo, hi)
			}
		}
		if e.targetInfo && e.newest != math.MinInt64 {
			dst = e.appendTargetInfo(dst, rm.Resource().Attributes())
		}
	}
	clear(e.values[:cap(e.values)]) // the strings are the caller's
	return dst, e.result
}

// window follows which of the data points of one metric after the other lie in a range.
type window struct{ from, to, seen int }

// next returns the range of a metric's own n points that lies in the window; empty if lo >= hi.
func (w *window) next(n int) (lo, hi int) {
	lo, hi = max(w.from-w.seen, 0), min(w.to-w.seen, n)
	w.seen += n
	return lo, hi
}

// PointCount returns how many data points a metric has.
func PointCount(m pmetric.Metric) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len()
	default:
		return 0
	}
}

// metric appends the points lo to hi of m.
func (e *Encoder) metric(dst []byte, m pmetric.Metric, lo, hi int) []byte {
	if r := temporalityReason(m); r != representable {
		e.result.Dropped[r] += hi - lo
		return dst
	}
	name := e.names.metric(m)
	if name == nil {
		e.result.Dropped[ReasonInvalidName] += hi - lo
		return dst
	}
	for i := lo; i < hi; i++ {
		var reason Reason
		switch m.Type() {
		case pmetric.MetricTypeGauge:
			dst, reason = e.numberPoint(dst, name, m.Gauge().DataPoints().At(i))
		case pmetric.MetricTypeSum:
			dst, reason = e.numberPoint(dst, name, m.Sum().DataPoints().At(i))
		case pmetric.MetricTypeHistogram:
			dst, reason = e.histogramPoint(dst, name, m.Histogram().DataPoints().At(i))
		case pmetric.MetricTypeExponentialHistogram:
			dst, reason = e.expHistogramPoint(dst, name, m.ExponentialHistogram().DataPoints().At(i))
		case pmetric.MetricTypeSummary:
			dst, reason = e.summaryPoint(dst, name, m.Summary().DataPoints().At(i))
		}
		if reason != representable {
			e.result.Dropped[reason]++
			continue
		}
		e.result.Points++
		e.newest = max(e.newest, e.sample.timestamp)
	}
	return dst
}

// temporalityReason tells metrics apart that a Prometheus-shaped store would misread: it takes every counter for a
// cumulative one.
func temporalityReason(m pmetric.Metric) Reason {
	var t pmetric.AggregationTemporality
	switch m.Type() {
	case pmetric.MetricTypeSum:
		t = m.Sum().AggregationTemporality()
	case pmetric.MetricTypeHistogram:
		t = m.Histogram().AggregationTemporality()
	case pmetric.MetricTypeExponentialHistogram:
		t = m.ExponentialHistogram().AggregationTemporality()
	default:
		return representable
	}
	switch t {
	case pmetric.AggregationTemporalityCumulative:
		return representable
	case pmetric.AggregationTemporalityDelta:
		return ReasonDeltaTemporality
	default:
		return ReasonUnspecifiedTemporality
	}
}
