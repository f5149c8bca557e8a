// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	cumulative  = pmetric.AggregationTemporalityCumulative
	delta       = pmetric.AggregationTemporalityDelta
	unspecified = pmetric.AggregationTemporalityUnspecified
)

var noRecordedValue = pmetric.DefaultDataPointFlags.WithNoRecordedValue(true)

func TestPoints(t *testing.T) {
	gauge := func(set func(pmetric.NumberDataPoint)) func(pmetric.Metric) {
		return func(m pmetric.Metric) {
			dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
			dp.SetTimestamp(testTime)
			set(dp)
		}
	}
	sum := func(monotonic bool, temporality pmetric.AggregationTemporality) func(pmetric.Metric) {
		return func(m pmetric.Metric) {
			s := m.SetEmptySum()
			s.SetIsMonotonic(monotonic)
			s.SetAggregationTemporality(temporality)
			dp := s.DataPoints().AppendEmpty()
			dp.SetTimestamp(testTime)
			dp.SetIntValue(7)
		}
	}
	histogram := func(temporality pmetric.AggregationTemporality, set func(pmetric.HistogramDataPoint)) func(pmetric.Metric) {
		return func(m pmetric.Metric) {
			h := m.SetEmptyHistogram()
			h.SetAggregationTemporality(temporality)
			dp := h.DataPoints().AppendEmpty()
			dp.SetTimestamp(testTime)
			dp.ExplicitBounds().FromRaw([]float64{0.005, 2.5})
			dp.BucketCounts().FromRaw([]uint64{1, 2, 3})
			dp.SetCount(6)
			dp.SetSum(9.5)
			set(dp)
		}
	}
	summary := func(set func(pmetric.SummaryDataPoint)) func(pmetric.Metric) {
		return func(m pmetric.Metric) {
			dp := m.SetEmptySummary().DataPoints().AppendEmpty()
			dp.SetTimestamp(testTime)
			dp.SetCount(4)
			dp.SetSum(8)
			for _, q := range []float64{0.5, 1} {
				qv := dp.QuantileValues().AppendEmpty()
				qv.SetQuantile(q)
				qv.SetValue(q * 10)
			}
			set(dp)
		}
	}
	tests := []struct {
		name   string
		unit   string
		fill   func(pmetric.Metric)
		want   []string
		reason Reason
	}{
		{name: "double", fill: gauge(func(p pmetric.NumberDataPoint) { p.SetDoubleValue(1.25) }), want: []string{"m{} 1.25"}},
		{name: "int", fill: gauge(func(p pmetric.NumberDataPoint) { p.SetIntValue(-3) }), want: []string{"m{} -3"}},
		{name: "zero", fill: gauge(func(p pmetric.NumberDataPoint) { p.SetIntValue(0) }), want: []string{"m{} 0"}},
		{name: "-0", fill: gauge(func(p pmetric.NumberDataPoint) { p.SetDoubleValue(math.Copysign(0, -1)) }), want: []string{"m{} -0"}},
		{name: "+Inf", fill: gauge(func(p pmetric.NumberDataPoint) { p.SetDoubleValue(math.Inf(1)) }), want: []string{"m{} +Inf"}},
		{name: "NaN", fill: gauge(func(p pmetric.NumberDataPoint) { p.SetDoubleValue(math.NaN()) }), want: []string{"m{} NaN"}},
		{name: "unit", unit: "By", fill: gauge(func(p pmetric.NumberDataPoint) { p.SetIntValue(1) }), want: []string{"m_bytes{} 1"}},
		{name: "ratio", unit: "1", fill: gauge(func(p pmetric.NumberDataPoint) { p.SetIntValue(1) }), want: []string{"m_ratio{} 1"}},
		{name: "stale", fill: gauge(func(p pmetric.NumberDataPoint) { p.SetIntValue(1); p.SetFlags(noRecordedValue) }), want: []string{"m{} stale"}},
		{name: "stale without value", fill: gauge(func(p pmetric.NumberDataPoint) { p.SetFlags(noRecordedValue) }), want: []string{"m{} stale"}},
		{name: "no value", fill: gauge(func(pmetric.NumberDataPoint) {}), reason: ReasonEmpty},
		{name: "no time", fill: gauge(func(p pmetric.NumberDataPoint) { p.SetIntValue(1); p.SetTimestamp(0) }), reason: ReasonNoTimestamp},
		{name: "counter", fill: sum(true, cumulative), want: []string{"m_total{} 7"}},
		{name: "counter's unit", unit: "s", fill: sum(true, cumulative), want: []string{"m_seconds_total{} 7"}},
		{name: "sum that can fall", unit: "1", fill: sum(false, cumulative), want: []string{"m{} 7"}},
		{name: "delta sum", fill: sum(true, delta), reason: ReasonDeltaTemporality},
		{name: "delta sum that can fall", fill: sum(false, delta), reason: ReasonDeltaTemporality},
		{name: "sum of unknown temporality", fill: sum(true, unspecified), reason: ReasonUnspecifiedTemporality},
		{
			name: "histogram", unit: "s", fill: histogram(cumulative, func(pmetric.HistogramDataPoint) {}),
			want: []string{
				`m_seconds_bucket{le="+Inf"} 6`, `m_seconds_bucket{le="0.005"} 1`, `m_seconds_bucket{le="2.5"} 3`, "m_seconds_count{} 6",
				"m_seconds_sum{} 9.5",
			},
		},
		{
			name: "histogram's own le", fill: histogram(cumulative, func(p pmetric.HistogramDataPoint) {
				p.RemoveSum()
				p.ExplicitBounds().FromRaw(nil)
				p.BucketCounts().FromRaw(nil)
				p.Attributes().PutStr("le", "x")
			}),
			want: []string{`m_bucket{exported_le="x",le="+Inf"} 6`, `m_count{exported_le="x"} 6`},
		},
		{
			name: "histogram with a bound of +Inf", fill: histogram(cumulative, func(p pmetric.HistogramDataPoint) {
				p.ExplicitBounds().FromRaw([]float64{1, math.Inf(1)})
			}),
			want: []string{`m_bucket{le="+Inf"} 6`, `m_bucket{le="1"} 1`, "m_count{} 6", "m_sum{} 9.5"},
		},
		{
			name: "histogram with counts missing", fill: histogram(cumulative, func(p pmetric.HistogramDataPoint) {
				p.BucketCounts().FromRaw([]uint64{1})
			}),
			want: []string{`m_bucket{le="+Inf"} 6`, `m_bucket{le="0.005"} 1`, "m_count{} 6", "m_sum{} 9.5"},
		},
		{
			name: "stale histogram", fill: histogram(cumulative, func(p pmetric.HistogramDataPoint) {
				p.SetFlags(noRecordedValue)
				p.RemoveSum()
				p.BucketCounts().FromRaw(nil)
			}),
			want: []string{
				`m_bucket{le="+Inf"} stale`, `m_bucket{le="0.005"} stale`, `m_bucket{le="2.5"} stale`, "m_count{} stale", "m_sum{} stale",
			},
		},
		{
			name: "huge histogram", fill: histogram(cumulative, func(p pmetric.HistogramDataPoint) {
				bounds := make([]float64, 100_000)
				for i := range bounds {
					bounds[i] = float64(i)
				}
				p.ExplicitBounds().FromRaw(bounds)
			}), reason: ReasonTooLarge,
		},
		{name: "histogram without time", fill: histogram(cumulative, func(p pmetric.HistogramDataPoint) { p.SetTimestamp(999_999) }), reason: ReasonNoTimestamp},
		{name: "delta histogram", fill: histogram(delta, func(pmetric.HistogramDataPoint) {}), reason: ReasonDeltaTemporality},
		{name: "histogram of unknown temporality", fill: histogram(unspecified, func(pmetric.HistogramDataPoint) {}), reason: ReasonUnspecifiedTemporality},
		{
			name: "summary", fill: summary(func(p pmetric.SummaryDataPoint) { p.Attributes().PutStr("quantile", "q") }),
			want: []string{
				`m_count{exported_quantile="q"} 4`, `m_sum{exported_quantile="q"} 8`, `m{exported_quantile="q",quantile="0.5"} 5`,
				`m{exported_quantile="q",quantile="1"} 10`,
			},
		},
		{
			name: "stale summary", fill: summary(func(p pmetric.SummaryDataPoint) { p.SetFlags(noRecordedValue) }),
			want: []string{`m_count{} stale`, `m_sum{} stale`, `m{quantile="0.5"} stale`, `m{quantile="1"} stale`},
		},
		{name: "summary without time", fill: summary(func(p pmetric.SummaryDataPoint) { p.SetTimestamp(0) }), reason: ReasonNoTimestamp},
		{
			name: "huge summary", fill: summary(func(p pmetric.SummaryDataPoint) {
				for range 100_000 {
					p.QuantileValues().AppendEmpty()
				}
			}), reason: ReasonTooLarge,
		},
		{name: "no type", fill: func(pmetric.Metric) {}, want: nil},
		{name: "no points", fill: func(m pmetric.Metric) { m.SetEmptyGauge() }, want: nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			md, _, m := oneMetric("m", tt.unit)
			tt.fill(m)
			series, result := encode(t, newEncoder(t, Options{}), md)
			require.Equal(t, tt.want, lines(series))
			for _, ts := range series {
				require.Equal(t, int64(testTime/1_000_000), ts.Samples[0].Timestamp)
			}
			if tt.want == nil && md.DataPointCount() > 0 {
				require.Equal(t, 1, result.Dropped[tt.reason], "%v", result)
			}
		})
	}
}

func TestMetricNames(t *testing.T) {
	for name, want := range map[string]string{
		"http.server.duration":                 "http_server_duration{} 1",
		"9lives":                               "_9lives{} 1",
		"recorded:rule":                        "recorded:rule{} 1",
		"node_memory_MemFree_bytes":            "node_memory_MemFree_bytes{} 1",
		string(make([]byte, 10)):               "",
		"":                                     "",
		"日本":                                   "",
		"a" + string(make([]byte, 2000)) + "b": "",
	} {
		md, _, m := oneMetric(name, "")
		dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
		dp.SetTimestamp(testTime)
		dp.SetIntValue(1)
		e := newEncoder(t, Options{})
		for range 2 {
			series, result := encode(t, e, md)
			if want == "" {
				require.Equal(t, 1, result.Dropped[ReasonInvalidName], name)
				continue
			}
			require.Equal(t, []string{want}, lines(series))
		}
	}
}

// The last millisecond of the scale and one long ago are encoded like any other.
func TestTimestamps(t *testing.T) {
	for _, ts := range []pcommon.Timestamp{1_000_000, testTime, math.MaxInt64, math.MaxUint64} {
		md := gaugePoint(nil, nil)
		md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0).SetTimestamp(ts)
		series, _ := encode(t, newEncoder(t, Options{}), md)
		require.Equal(t, int64(uint64(ts)/1_000_000), series[0].Samples[0].Timestamp)
	}
}

// A series is framed by a length of one, two or three bytes.
func TestSeriesOfAllSizes(t *testing.T) {
	e := newEncoder(t, Options{})
	for size := range 300 {
		md := gaugePoint(nil, attrs{"v": string(make([]byte, size+1))})
		series, _ := encode(t, e, md)
		require.Len(t, series[0].Labels[1].Value, size+1)
	}
	for size := MaxLabelValueLength - 200; size <= MaxLabelValueLength; size++ {
		long := string(make([]byte, MaxLabelValueLength))
		md := gaugePoint(nil, attrs{"a": long, "b": long, "c": long, "v": string(make([]byte, size))})
		series, _ := encode(t, e, md)
		require.Len(t, series[0].Labels[4].Value, size)
	}
}
