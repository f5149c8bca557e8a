// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/remotewrite"
)

// piece is a payload, whole or a part of one, with the number of its items.
type piece struct {
	payload []byte
	items   int64
}

// halve cuts a payload into two of about as many units: data points of remote write with all their series (where these can't be told
// apart, single series), data points, log records or spans of OTLP. A payload of a single unit comes back alone.
func halve(s signal, format lanequeue.Format, whole piece) ([]piece, error) {
	if format == lanequeue.FormatRemoteWrite {
		return halveSeries(whole)
	}
	b, err := unmarshalOTLP(s, whole.payload)
	if err != nil {
		return nil, err
	}
	n := b.items()
	if n < 2 {
		return []piece{whole}, nil
	}
	// Each half is what remains of a copy of the whole.
	first, err := keep(s, whole.payload, 0, n/2)
	if err != nil {
		return nil, err
	}
	second, err := keep(s, whole.payload, n/2, n)
	return []piece{{first, int64(n / 2)}, {second, whole.items - int64(n/2)}}, err
}

func halveSeries(whole piece) ([]piece, error) {
	units, err := remotewrite.Units(whole.payload, whole.items)
	if err != nil {
		return nil, err
	}
	if len(units) < 2 {
		return []piece{whole}, nil
	}
	first, second := units[:len(units)/2], units[len(units)/2:]
	cut := first[len(first)-1].End
	return []piece{{whole.payload[:cut], pointsOf(first)}, {whole.payload[cut:], pointsOf(second)}}, nil
}

func pointsOf(units []remotewrite.Unit) (n int64) {
	for _, u := range units {
		n += int64(u.Points)
	}
	return n
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
