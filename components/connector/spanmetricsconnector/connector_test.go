// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// The names, attributes, unit and buckets are those of OpenTelemetry's connector: dashboards for it work.
func TestMetricsAreThoseOfTheStockConnector(t *testing.T) {
	w := newWorld(t, nil)
	w.take(spans(shop, span("GET /cart", 3*time.Millisecond), span("GET /cart", 2*time.Millisecond), span("GET /cart", time.Minute), span("GET /cart", 20*time.Millisecond, failed)))
	w.flushAfter(time.Minute)
	got := w.sink.take()
	require.Len(t, got, 1)

	metrics := got[0].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	require.Equal(t, 2, metrics.Len())
	require.True(t, metrics.At(0).Sum().IsMonotonic())
	require.Equal(t, pmetric.AggregationTemporalityCumulative, metrics.At(0).Sum().AggregationTemporality())
	require.Equal(t, "ms", metrics.At(1).Unit())
	require.Equal(t, pmetric.AggregationTemporalityCumulative, metrics.At(1).Histogram().AggregationTemporality())
	require.Equal(t, []float64{2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10000, 15000},
		metrics.At(1).Histogram().DataPoints().At(0).ExplicitBounds().AsRaw())

	good := map[string]any{"service.name": "shop", "span.name": "GET /cart", "span.kind": "SPAN_KIND_SERVER", "status.code": "STATUS_CODE_UNSET"}
	bad := with(good, map[string]any{"status.code": "STATUS_CODE_ERROR"})
	now := began.Add(time.Minute)
	// Each series begins with a zero, so that rate() sees its first spans.
	require.ElementsMatch(t, []point{
		{resource: shop, attrs: good, start: began, at: began}, {resource: shop, attrs: good, start: began, at: now, count: 3},
		{resource: shop, attrs: bad, start: began, at: began}, {resource: shop, attrs: bad, start: began, at: now, count: 1},
	}, points(got, calls))
	none := make([]uint64, 17)
	require.ElementsMatch(t, []point{
		{resource: shop, attrs: good, start: began, at: began, buckets: none},
		{resource: shop, attrs: good, start: began, at: now, count: 3, sum: 60_005, buckets: []uint64{1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
		{resource: shop, attrs: bad, start: began, at: began, buckets: none},
		{resource: shop, attrs: bad, start: began, at: now, count: 1, sum: 20, buckets: []uint64{0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
	}, points(got, duration))
}

func TestSeriesGoOnFromFlushToFlush(t *testing.T) {
	w := newWorld(t, nil)
	w.take(spans(shop, span("a", time.Millisecond)))
	w.flushAfter(time.Minute)
	w.sink.take()
	w.take(spans(shop, span("a", time.Millisecond), span("b", time.Millisecond)))
	w.flushAfter(time.Minute)

	var a, b []point
	for _, p := range points(w.sink.take(), calls) {
		if p.attrs[attrSpanName] == "a" {
			a = append(a, p)
		} else {
			b = append(b, p)
		}
	}
	require.Len(t, a, 1)
	require.EqualValues(t, 2, a[0].count)
	require.Equal(t, began, a[0].start)
	// What is new began at the flush before.
	require.Len(t, b, 2)
	require.Equal(t, began.Add(time.Minute), b[0].at)
	require.Zero(t, b[0].count)
	require.EqualValues(t, 1, b[1].count)
	require.Equal(t, began.Add(time.Minute), b[1].start)

	w.flushAfter(time.Minute)
	require.Len(t, points(w.sink.take(), calls), 2, "series without new spans go on")
}

func TestNoTwoPointsOfASeriesHaveTheSameTime(t *testing.T) {
	w := newWorld(t, nil)
	w.take(spans(shop, span("a", time.Millisecond)))
	seen := map[time.Time]bool{}
	for range 3 {
		w.flushAfter(0) // such as the one at shutdown, just after another
		for _, p := range points(w.sink.take(), calls) {
			require.False(t, seen[p.at], p.at)
			seen[p.at] = true
		}
	}
	require.Len(t, seen, 4)
}

// A series that comes while a flush is under way can't have its zero and its first value at the time of that flush.
func TestSeriesThatComesDuringAFlushWaitsForTheNext(t *testing.T) {
	w := newWorld(t, nil)
	now := began.Add(time.Minute)
	w.began.Store(uint64(milliseconds(now)))
	w.take(spans(shop, span("a", time.Millisecond)))
	b := &batch{md: pmetric.NewMetrics()}
	for _, r := range w.resources {
		for _, s := range r.series {
			w.appendSeries(r, []*series{s}, milliseconds(now), b)
		}
	}
	require.Zero(t, b.md.ResourceMetrics().Len())
	w.at = now
	w.flushAfter(time.Minute)
	require.Len(t, points(w.sink.take(), calls), 2)
}

func TestRefusedMetricsComeAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.take(spans(shop, span("a", time.Millisecond)))
	w.sink.refuses = true
	w.flushAfter(time.Minute)
	require.EqualValues(t, 4, w.internal(t, "otelcol_span_metrics_refused_points"))
	w.sink.refuses = false
	w.take(spans(shop, span("a", time.Millisecond)))
	w.flushAfter(time.Minute)
	got := points(w.sink.take(), calls)
	require.Len(t, got, 2)
	require.Equal(t, point{resource: shop, attrs: got[0].attrs, start: began, at: began}, got[0], "the zero as well")
	require.EqualValues(t, 2, got[1].count)
}

func TestDelta(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.AggregationTemporality = temporalityDelta })
	w.take(spans(shop, span("a", time.Millisecond)))
	w.flushAfter(time.Minute)
	got := points(w.sink.take(), duration)
	require.Len(t, got, 1)
	require.EqualValues(t, 1, got[0].count)

	w.flushAfter(time.Minute)
	require.Empty(t, w.sink.take(), "nothing new")

	// What is refused is kept as it is, and what comes meanwhile is added up: each span is told of once.
	w.sink.refuses = true
	w.take(spans(shop, span("a", time.Millisecond)))
	w.flushAfter(time.Minute)
	w.take(spans(shop, span("a", time.Millisecond), span("a", time.Millisecond)))
	w.flushAfter(time.Minute)
	require.Empty(t, w.sink.take())
	w.sink.refuses = false
	w.flushAfter(time.Minute)
	got = points(w.sink.take(), calls)
	require.Len(t, got, 2)
	require.EqualValues(t, 1, got[0].count)
	require.Equal(t, began.Add(time.Minute), got[0].start, "since the last point")
	require.Equal(t, began.Add(3*time.Minute), got[0].at)
	require.EqualValues(t, 2, got[1].count)
	require.Equal(t, began.Add(3*time.Minute), got[1].start)
	require.Equal(t, began.Add(5*time.Minute), got[1].at)
}

func TestDimensions(t *testing.T) {
	get := "GET"
	w := newWorld(t, func(cfg *Config) {
		cfg.Dimensions = []DimensionConfig{{Name: "http.request.method", Default: &get}, {Name: "http.response.status_code"}, {Name: "zone"}}
		cfg.ExcludeDimensions = []string{attrSpanKind, attrSpanName}
		cfg.Histogram.Disable = true
	})
	w.take(spans(with(shop, map[string]any{"zone": "a"}),
		span("x", 0), span("y", 0, func(s ptrace.Span) {
			s.Attributes().PutInt("http.response.status_code", 503)
			s.Attributes().PutStr("http.request.method", "PUT")
			s.Attributes().PutStr("zone", "b")
		})))
	w.flushAfter(time.Minute)
	got := w.sink.take()
	require.Empty(t, points(got, duration))
	found := map[string]map[string]any{}
	for _, p := range points(got, calls) {
		found[p.attrs["zone"].(string)] = p.attrs
	}
	require.Equal(t, map[string]map[string]any{
		"a": {"service.name": "shop", "status.code": "STATUS_CODE_UNSET", "http.request.method": "GET", "zone": "a"},
		"b": {"service.name": "shop", "status.code": "STATUS_CODE_UNSET", "http.request.method": "PUT", "http.response.status_code": int64(503), "zone": "b"},
	}, found)
}

func TestUnitOfSeconds(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.Histogram.Unit = "s"; cfg.Namespace = "" })
	w.take(spans(shop, span("a", 2*time.Millisecond)))
	w.flushAfter(time.Minute)
	got := points(w.sink.take(), "duration")
	require.InDelta(t, 0.002, got[1].sum, 1e-12)
	require.EqualValues(t, 1, got[1].buckets[0], "an upper bound belongs to its bucket")
}

// A clock that was set back between a span's start and end makes no duration of centuries.
func TestSpanThatEndsBeforeItStarts(t *testing.T) {
	w := newWorld(t, nil)
	w.take(spans(shop, span("a", -time.Hour)))
	w.flushAfter(time.Minute)
	got := points(w.sink.take(), duration)
	require.Zero(t, got[1].sum)
	require.EqualValues(t, 1, got[1].buckets[0])
}

func TestExemplars(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.Exemplars = ExemplarsConfig{Enabled: true, MaxPerDataPoint: 3} })
	var many []func(ptrace.Span)
	for i := range 100 {
		many = append(many, span("a", time.Duration(i)*time.Millisecond, func(s ptrace.Span) { s.SetSpanID([8]byte{1, byte(i)}) }))
	}
	w.take(spans(shop, many...))
	w.flushAfter(time.Minute)
	md := w.sink.take()
	got := points(md, duration)
	require.Equal(t, []int{0, 3}, []int{got[0].exemplars, got[1].exemplars})
	exemplars := md[0].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(1).Histogram().DataPoints().At(1).Exemplars()
	for _, e := range exemplars.All() {
		require.Equal(t, [16]byte{15: 1}, [16]byte(e.TraceID()))
		require.InDelta(t, float64(e.SpanID()[1]), e.DoubleValue(), 1e-9, "the value is that span's duration")
	}

	w.flushAfter(time.Minute)
	require.Zero(t, points(w.sink.take(), duration)[0].exemplars, "they are of the interval")
	w.take(spans(shop, span("a", 0, func(s ptrace.Span) { s.SetTraceID([16]byte{}) })))
	w.flushAfter(time.Minute)
	require.Zero(t, points(w.sink.take(), duration)[0].exemplars, "no trace to point at")
}
