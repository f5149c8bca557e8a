// SPDX-License-Identifier: Apache-2.0

//go:build linux

package nodeexporterreceiver

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// seriesOfOurs returns the number points by name and labels.
func seriesOfOurs(t testing.TB, md pmetric.Metrics) map[string]oneSeries {
	t.Helper()
	out := map[string]oneSeries{}
	require.Equal(t, 1, md.ResourceMetrics().Len())
	for _, m := range md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().All() {
		kind := dto.MetricType_GAUGE
		var points pmetric.NumberDataPointSlice
		switch m.Type() {
		case pmetric.MetricTypeSum:
			require.True(t, m.Sum().IsMonotonic())
			require.Equal(t, pmetric.AggregationTemporalityCumulative, m.Sum().AggregationTemporality())
			kind, points = dto.MetricType_COUNTER, m.Sum().DataPoints()
		case pmetric.MetricTypeGauge:
			points = m.Gauge().DataPoints()
		default:
			continue
		}
		for _, p := range points.All() {
			labels := []string{}
			for k, v := range p.Attributes().All() {
				labels = append(labels, fmt.Sprintf("%s=%q", k, v.Str()))
			}
			slices.Sort(labels)
			id := m.Name() + "{" + strings.Join(labels, ",") + "}"
			require.NotContains(t, out, id)
			out[id] = oneSeries{kind, p.DoubleValue()}
			require.NotZero(t, p.Timestamp())
			if kind == dto.MetricType_COUNTER {
				require.NotZero(t, p.StartTimestamp(), "since boot")
				require.Less(t, p.StartTimestamp(), p.Timestamp())
			}
		}
	}
	return out
}

// storedName is the name that the region exporter's remote write gives a metric, by the same library with the same settings.
func storedName(t testing.TB, m pmetric.Metric) string {
	t.Helper()
	var kind otlptranslator.MetricType = otlptranslator.MetricTypeGauge
	switch m.Type() {
	case pmetric.MetricTypeSum:
		kind = otlptranslator.MetricTypeMonotonicCounter
	case pmetric.MetricTypeSummary:
		kind = otlptranslator.MetricTypeSummary
	case pmetric.MetricTypeHistogram:
		kind = otlptranslator.MetricTypeHistogram
	}
	namer := otlptranslator.MetricNamer{WithMetricSuffixes: true}
	name, err := namer.Build(otlptranslator.Metric{Name: m.Name(), Unit: m.Unit(), Type: kind})
	require.NoError(t, err)
	return name
}

// TestNamesAreStoredAsTheyAre runs every collector that this machine has something for.
func TestNamesAreStoredAsTheyAre(t *testing.T) {
	c := createDefaultConfig().(*Config)
	c.Node, c.Collectors = "n1", map[string]CollectorConfig{}
	yes := true
	for name := range collectors {
		c.Collectors[name] = CollectorConfig{Enabled: &yes}
	}
	md := newTestReceiver(t, c).collect(t.Context(), time.Now())
	require.Equal(t, map[string]any{"service.name": "node-exporter", "service.instance.id": "n1", "k8s.node.name": "n1"},
		md.ResourceMetrics().At(0).Resource().Attributes().AsRaw())
	metrics := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	require.Greater(t, metrics.Len(), 200)
	for _, m := range metrics.All() {
		require.Equal(t, m.Name(), storedName(t, m))
	}
}

func TestConvert(t *testing.T) {
	registry := prometheus.NewRegistry()
	desc := func(name string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, "what it is", labels, nil)
	}
	registry.MustRegister(replay{
		prometheus.MustNewConstMetric(desc("a_total", "x", "b"), prometheus.CounterValue, 3, "1", ""),
		prometheus.MustNewConstMetric(desc("b_seconds"), prometheus.CounterValue, 4),
		prometheus.MustNewConstMetric(desc("c"), prometheus.UntypedValue, 5),
		prometheus.MustNewConstMetric(desc("d"), prometheus.GaugeValue, math.Inf(1)),
		prometheus.MustNewConstSummary(desc("e"), 10, 20, map[float64]float64{0.5: 1, 0.9: 2}),
		prometheus.MustNewConstHistogram(desc("f"), 10, 20, map[float64]uint64{1: 4, 2: 7, math.Inf(1): 10}),
	})
	families, err := registry.Gather()
	require.NoError(t, err)
	ms := pmetric.NewMetricSlice()
	convert(families, ms, 1, pcommon.Timestamp(2))
	require.Equal(t, 6, ms.Len())

	a := ms.At(0)
	require.Equal(t, "what it is", a.Description())
	require.Equal(t, pmetric.MetricTypeSum, a.Type())
	p := a.Sum().DataPoints().At(0)
	require.Equal(t, map[string]any{"x": "1", "b": ""}, p.Attributes().AsRaw())
	require.Equal(t, 3.0, p.DoubleValue())
	require.Equal(t, pcommon.Timestamp(1), p.StartTimestamp())
	require.Equal(t, pmetric.MetricTypeGauge, ms.At(1).Type(), "as a sum it would be stored as b_seconds_total")
	require.Equal(t, 4.0, ms.At(1).Gauge().DataPoints().At(0).DoubleValue())
	require.Zero(t, ms.At(2).Gauge().DataPoints().At(0).StartTimestamp())
	require.Equal(t, 5.0, ms.At(2).Gauge().DataPoints().At(0).DoubleValue())
	require.True(t, math.IsInf(ms.At(3).Gauge().DataPoints().At(0).DoubleValue(), 1))
	s := ms.At(4).Summary().DataPoints().At(0)
	require.Equal(t, []any{uint64(10), 20.0, 2}, []any{s.Count(), s.Sum(), s.QuantileValues().Len()})
	require.Equal(t, 2.0, s.QuantileValues().At(1).Value())
	h := ms.At(5).Histogram().DataPoints().At(0)
	require.Equal(t, []float64{1, 2}, h.ExplicitBounds().AsRaw())
	require.Equal(t, []uint64{4, 3, 3}, h.BucketCounts().AsRaw())
	for _, m := range ms.All() {
		require.Equal(t, m.Name(), storedName(t, m))
	}
}
