// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"math"

	"github.com/prometheus/prometheus/model/value"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

var stale = math.Float64frombits(value.StaleNaN)

// setTimestamp prepares the sample for a point's time. There is no time to put in place of a missing one: points are
// encoded when they leave a queue, maybe hours after they were taken, and once more for each retry.
func (e *Encoder) setTimestamp(t pcommon.Timestamp) bool {
	const nanosPerMilli = 1e6
	ms := int64(uint64(t) / nanosPerMilli)
	if ms == 0 {
		return false
	}
	e.sample.setTimestamp(ms)
	return true
}

func (e *Encoder) numberPoint(dst []byte, m *metricName, p pmetric.NumberDataPoint) ([]byte, Reason) {
	var v float64
	switch typ := p.ValueType(); {
	case p.Flags().NoRecordedValue():
		v = stale
	case typ == pmetric.NumberDataPointValueTypeDouble:
		v = p.DoubleValue()
	case typ == pmetric.NumberDataPointValueTypeInt:
		v = float64(p.IntValue())
	default:
		return dst, ReasonEmpty
	}
	if !e.setTimestamp(p.Timestamp()) {
		return dst, ReasonNoTimestamp
	}
	if r := e.shape(m, p.Attributes(), ""); r != representable {
		return dst, r
	}
	start := len(dst)
	dst = beginSeries(dst)
	dst, _, _ = e.appendLabels(dst, &m.plan, m.plain)
	dst = e.sample.append(dst, v)
	e.result.Samples++
	return endSeries(dst, start), representable
}

func (e *Encoder) histogramPoint(dst []byte, m *metricName, p pmetric.HistogramDataPoint) ([]byte, Reason) {
	if !e.setTimestamp(p.Timestamp()) {
		return dst, ReasonNoTimestamp
	}
	if r := e.shape(m, p.Attributes(), leLabel); r != representable {
		return dst, r
	}
	e.beginPoint(&m.plan)
	bounds, counts := p.ExplicitBounds(), p.BucketCounts()
	n := bounds.Len()
	if e.series.tooLarge(n+3, m.bucket) {
		return dst, ReasonTooLarge
	}
	if p.Flags().NoRecordedValue() {
		// Every series that the histogram may have had ends here, whether this point has the numbers for it or not.
		dst = e.appendSeries(dst, m.sum, nil, stale)
		dst = e.appendSeries(dst, m.count, nil, stale)
		for i := range n {
			if b := bounds.At(i); !math.IsInf(b, 1) {
				dst = e.appendSeries(dst, m.bucket, e.bounds.le(i, b), stale)
			}
		}
		return e.appendSeries(dst, m.bucket, infLe, stale), representable
	}
	if p.HasSum() {
		dst = e.appendSeries(dst, m.sum, nil, p.Sum())
	}
	count := float64(p.Count())
	dst = e.appendSeries(dst, m.count, nil, count)
	var cumulative uint64
	for i := range min(n, counts.Len()) {
		b := bounds.At(i)
		if math.IsInf(b, 1) {
			break // the bucket of all is the last one, and its value the count
		}
		cumulative += counts.At(i)
		dst = e.appendSeries(dst, m.bucket, e.bounds.le(i, b), float64(cumulative))
	}
	return e.appendSeries(dst, m.bucket, infLe, count), representable
}

func (e *Encoder) summaryPoint(dst []byte, m *metricName, p pmetric.SummaryDataPoint) ([]byte, Reason) {
	if !e.setTimestamp(p.Timestamp()) {
		return dst, ReasonNoTimestamp
	}
	if r := e.shape(m, p.Attributes(), quantileLabel); r != representable {
		return dst, r
	}
	e.beginPoint(&m.plan)
	quantiles := p.QuantileValues()
	n := quantiles.Len()
	if e.series.tooLarge(n+2, m.plain) {
		return dst, ReasonTooLarge
	}
	noValue := p.Flags().NoRecordedValue()
	or := func(v float64) float64 {
		if noValue {
			return stale
		}
		return v
	}
	dst = e.appendSeries(dst, m.sum, nil, or(p.Sum()))
	dst = e.appendSeries(dst, m.count, nil, or(float64(p.Count())))
	for i := range n {
		q := quantiles.At(i)
		dst = e.appendSeries(dst, m.plain, e.bounds.quantile(i, q.Quantile()), or(q.Value()))
	}
	return dst, representable
}
