// SPDX-License-Identifier: Apache-2.0

package nodeexporterreceiver

import (
	"math"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// convert appends the families as metrics of the same names. Metrics have no unit: writers of remote write would put it into
// the name, where it is already.
func convert(families []*dto.MetricFamily, to pmetric.MetricSlice, start, now pcommon.Timestamp) {
	to.EnsureCapacity(to.Len() + len(families))
	for _, f := range families {
		m := to.AppendEmpty()
		m.SetName(f.GetName())
		m.SetDescription(f.GetHelp())
		switch f.GetType() {
		case dto.MetricType_COUNTER:
			numbers(f, counterPoints(m), start, now)
		case dto.MetricType_SUMMARY:
			summaries(f, m.SetEmptySummary().DataPoints(), start, now)
		case dto.MetricType_HISTOGRAM:
			histograms(f, m.SetEmptyHistogram(), start, now)
		default: // gauge, untyped
			numbers(f, m.SetEmptyGauge().DataPoints(), 0, now)
		}
	}
}

// counterPoints makes the metric a monotonic sum, unless writers of remote write would then change its name: they take "total"
// out and put it at the end.
func counterPoints(m pmetric.Metric) pmetric.NumberDataPointSlice {
	if name, ok := strings.CutSuffix(m.Name(), "_total"); !ok || strings.Contains(name, "_total") {
		return m.SetEmptyGauge().DataPoints()
	}
	s := m.SetEmptySum()
	s.SetIsMonotonic(true)
	s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	return s.DataPoints()
}

// point is what points of all types have.
type point interface {
	Attributes() pcommon.Map
	SetTimestamp(pcommon.Timestamp)
	SetStartTimestamp(pcommon.Timestamp)
}

func describe(p point, m *dto.Metric, start, now pcommon.Timestamp) {
	p.SetStartTimestamp(start)
	p.SetTimestamp(now)
	attrs := p.Attributes()
	attrs.EnsureCapacity(len(m.Label))
	for _, l := range m.Label {
		attrs.PutStr(l.GetName(), l.GetValue())
	}
}

func numbers(f *dto.MetricFamily, to pmetric.NumberDataPointSlice, start, now pcommon.Timestamp) {
	to.EnsureCapacity(len(f.Metric))
	for _, m := range f.Metric {
		p := to.AppendEmpty()
		describe(p, m, start, now)
		switch f.GetType() {
		case dto.MetricType_COUNTER:
			p.SetDoubleValue(m.GetCounter().GetValue())
		case dto.MetricType_GAUGE:
			p.SetDoubleValue(m.GetGauge().GetValue())
		default:
			p.SetDoubleValue(m.GetUntyped().GetValue())
		}
	}
}

func summaries(f *dto.MetricFamily, to pmetric.SummaryDataPointSlice, start, now pcommon.Timestamp) {
	for _, m := range f.Metric {
		p := to.AppendEmpty()
		describe(p, m, start, now)
		s := m.GetSummary()
		p.SetCount(s.GetSampleCount())
		p.SetSum(s.GetSampleSum())
		for _, q := range s.Quantile {
			v := p.QuantileValues().AppendEmpty()
			v.SetQuantile(q.GetQuantile())
			v.SetValue(q.GetValue())
		}
	}
}

// histograms takes classic buckets; none of node_exporter's collectors has native ones.
func histograms(f *dto.MetricFamily, to pmetric.Histogram, start, now pcommon.Timestamp) {
	to.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	for _, m := range f.Metric {
		p := to.DataPoints().AppendEmpty()
		describe(p, m, start, now)
		h := m.GetHistogram()
		p.SetCount(h.GetSampleCount())
		p.SetSum(h.GetSampleSum())
		before := uint64(0)
		for _, b := range h.Bucket {
			if !math.IsInf(b.GetUpperBound(), 1) {
				p.ExplicitBounds().Append(b.GetUpperBound())
				p.BucketCounts().Append(b.GetCumulativeCount() - before)
				before = b.GetCumulativeCount()
			}
		}
		p.BucketCounts().Append(h.GetSampleCount() - before)
	}
}
