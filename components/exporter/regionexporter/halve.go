// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
)

// halve cuts a payload into two of about as many units: series of remote write, data points, log records or spans of OTLP. A payload
// of a single unit comes back alone.
func halve(s signal, format lanequeue.Format, payload []byte) ([][]byte, error) {
	if format == lanequeue.FormatRemoteWrite {
		return halveSeries(payload)
	}
	b, err := unmarshalOTLP(s, payload)
	if err != nil {
		return nil, err
	}
	n := b.items()
	if n < 2 {
		return [][]byte{payload}, nil
	}
	// Each half is what remains of a copy of the whole.
	first, err := keep(s, payload, 0, n/2)
	if err != nil {
		return nil, err
	}
	second, err := keep(s, payload, n/2, n)
	return [][]byte{first, second}, err
}

// halveSeries cuts between two of the top-level fields of a remote write request.
func halveSeries(payload []byte) ([][]byte, error) {
	var ends []int
	for at := 0; at < len(payload); {
		_, _, n := protowire.ConsumeField(payload[at:])
		if n < 0 {
			return nil, protowire.ParseError(n)
		}
		at += n
		ends = append(ends, at)
	}
	if len(ends) < 2 {
		return [][]byte{payload}, nil
	}
	middle := ends[len(ends)/2-1]
	return [][]byte{payload[:middle], payload[middle:]}, nil
}

// keep returns the items of an OTLP payload whose position is in [from, to).
func keep(s signal, payload []byte, from, to int) ([]byte, error) {
	b, err := unmarshalOTLP(s, payload)
	if err != nil {
		return nil, err
	}
	w := window{from: from, to: to}
	switch b := b.(type) {
	case metrics:
		b.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
			rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool {
				sm.Metrics().RemoveIf(w.cutMetric)
				return sm.Metrics().Len() == 0
			})
			return rm.ScopeMetrics().Len() == 0
		})
	case logs:
		b.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
			rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool {
				sl.LogRecords().RemoveIf(func(plog.LogRecord) bool { return w.outside() })
				return sl.LogRecords().Len() == 0
			})
			return rl.ScopeLogs().Len() == 0
		})
	case traces:
		b.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
			rs.ScopeSpans().RemoveIf(func(ss ptrace.ScopeSpans) bool {
				ss.Spans().RemoveIf(func(ptrace.Span) bool { return w.outside() })
				return ss.Spans().Len() == 0
			})
			return rs.ScopeSpans().Len() == 0
		})
	}
	return b.otlp()
}

// window counts items as they go by.
type window struct{ from, to, at int }

// outside says whether the next item lies outside the window.
func (w *window) outside() bool {
	at := w.at
	w.at++
	return at < w.from || at >= w.to
}

// cutMetric removes the data points of a metric that lie outside, and says whether none is left.
func (w *window) cutMetric(m pmetric.Metric) bool {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		m.Gauge().DataPoints().RemoveIf(func(pmetric.NumberDataPoint) bool { return w.outside() })
		return m.Gauge().DataPoints().Len() == 0
	case pmetric.MetricTypeSum:
		m.Sum().DataPoints().RemoveIf(func(pmetric.NumberDataPoint) bool { return w.outside() })
		return m.Sum().DataPoints().Len() == 0
	case pmetric.MetricTypeHistogram:
		m.Histogram().DataPoints().RemoveIf(func(pmetric.HistogramDataPoint) bool { return w.outside() })
		return m.Histogram().DataPoints().Len() == 0
	case pmetric.MetricTypeExponentialHistogram:
		m.ExponentialHistogram().DataPoints().RemoveIf(func(pmetric.ExponentialHistogramDataPoint) bool { return w.outside() })
		return m.ExponentialHistogram().DataPoints().Len() == 0
	case pmetric.MetricTypeSummary:
		m.Summary().DataPoints().RemoveIf(func(pmetric.SummaryDataPoint) bool { return w.outside() })
		return m.Summary().DataPoints().Len() == 0
	default:
		return true
	}
}
