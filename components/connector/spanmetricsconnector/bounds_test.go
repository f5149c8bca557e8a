// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Spans belong to a region and a tenant, and so do the metrics of them: neither is left out or shared, whatever else is.
func TestResourcesStayApartWhereTheyBelongToOthers(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.ResourceAttributes = nil })
	base := map[string]any{"kof.region": "eu", "kof.tenant": "acme", "cloud.region": "eu-1", "k8s.cluster.name": "c", "k8s.cluster.uid": "u",
		"kof.cluster.namespace": "n", "k8s.node.name": "node-1"}
	resources := []map[string]any{base}
	for key := range base {
		resources = append(resources, with(base, map[string]any{key: "other"}))
	}
	// The same text in another type, or in another attribute, is not the same.
	resources = append(resources, with(base, map[string]any{"kof.tenant": true}), with(base, map[string]any{"kof.tenant": "true"}),
		map[string]any{"kof.region": "eu"}, map[string]any{"kof.tenant": "eu"})
	for _, r := range resources {
		w.take(spans(with(r, map[string]any{"k8s.pod.name": "p", "service.name": "s"}), span("a", 0)))
		w.take(spans(with(r, map[string]any{"k8s.pod.name": "q", "service.name": "s"}), span("a", 0)))
	}
	w.flushAfter(time.Minute)
	var got []map[string]any
	for _, p := range points(w.sink.take(), calls) {
		if p.count > 0 {
			require.EqualValues(t, 2, p.count, "pods are counted together")
			got = append(got, p.resource)
		}
	}
	require.ElementsMatch(t, resources, got)
}

// Services that share a resource, as configured, still have series of their own.
func TestServicesStayApart(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.ResourceAttributes = nil })
	for _, service := range []string{"shop", "shop", "cart"} {
		w.take(spans(map[string]any{"service.name": service, "k8s.node.name": "n"}, span("a", 0)))
	}
	w.flushAfter(time.Minute)
	found := map[any]uint64{}
	for _, p := range points(w.sink.take(), calls) {
		found[p.attrs[attrServiceName]] += p.count
	}
	require.Equal(t, map[any]uint64{"shop": 2, "cart": 1}, found)
}

// Two collectors that count spans of one service would write to one series, and each would seem to reset the other.
func TestWhoeverCountsIsNamed(t *testing.T) {
	for _, tt := range []struct {
		name, configured string
		resource         map[string]any
		want             func(id any) bool
	}{
		{"the node does", "", shop, func(id any) bool { return id == nil }},
		{"an ID of its own", "", map[string]any{"service.name": "shop"}, func(id any) bool { return len(id.(string)) > 10 }},
		{"as configured", "gateway-1", shop, func(id any) bool { return id == "gateway-1" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(cfg *Config) { cfg.CollectorInstanceID = tt.configured })
			w.take(spans(tt.resource, span("a", 0)))
			w.flushAfter(time.Minute)
			for _, p := range points(w.sink.take(), calls) {
				require.True(t, tt.want(p.attrs[attrInstanceID]), p.attrs)
			}
		})
	}
}

func named(n int, prefix string) (all []func(ptrace.Span)) {
	for i := range n {
		all = append(all, span(fmt.Sprint(prefix, i), time.Millisecond))
	}
	return all
}

// counts sums up spans by whether their series overflows.
func counts(all []point) (series int, inSeries, overflowed uint64) {
	for _, p := range all {
		switch {
		case p.count == 0:
		case p.attrs[attrOverflow] == true:
			overflowed += p.count
		default:
			series++
			inSeries += p.count
		}
	}
	return series, inSeries, overflowed
}

func TestSeriesOfAResourceAreBounded(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.AggregationCardinalityLimit = 10 })
	w.take(spans(shop, named(25, "a")...))
	w.take(spans(shop, named(25, "a")...))
	other := with(shop, map[string]any{"service.name": "cart"})
	w.take(spans(other, named(5, "a")...))
	w.flushAfter(time.Minute)
	got := points(w.sink.take(), calls)
	series, in, over := counts(got)
	require.Equal(t, 15, series, "each resource has a bound of its own")
	require.EqualValues(t, 25, in)
	require.EqualValues(t, 30, over, "every span is counted")
	for _, p := range got {
		if p.attrs[attrOverflow] == true {
			require.Equal(t, map[string]any{attrOverflow: true}, p.attrs)
			require.Equal(t, shop, p.resource)
		}
	}
	require.EqualValues(t, 55, w.internal(t, "otelcol_span_metrics_spans"))
	require.EqualValues(t, 30, w.internal(t, "otelcol_span_metrics_overflow_spans"))
	require.EqualValues(t, 15, w.internal(t, "otelcol_span_metrics_series"))
	require.EqualValues(t, 2, w.internal(t, "otelcol_span_metrics_resources"))
}

func TestSeriesOfAllResourcesAreBounded(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.MaxSeries = 12 })
	w.take(spans(shop, named(10, "a")...))
	w.take(spans(with(shop, map[string]any{"service.name": "cart"}), named(10, "a")...))
	w.flushAfter(time.Minute)
	series, in, over := counts(points(w.sink.take(), calls))
	require.Equal(t, 12, series)
	require.EqualValues(t, 12, in)
	require.EqualValues(t, 8, over)
}

// What is beyond the bound on resources is counted together, but never across regions or tenants.
func TestResourcesAreBounded(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.ResourceMetricsCacheSize = 2 })
	for i := range 10 {
		for _, tenant := range []string{"acme", "umbrella", "third"} {
			w.take(spans(map[string]any{"service.name": fmt.Sprint("s", i), "kof.tenant": tenant, "k8s.node.name": "n"}, named(3, "a")...))
		}
	}
	w.flushAfter(time.Minute)
	shared := map[any]uint64{}
	for _, p := range points(w.sink.take(), calls) {
		if p.attrs[attrOverflow] == true {
			require.NotContains(t, p.resource, "service.name")
			shared[p.resource["kof.tenant"]] += p.count
		}
	}
	// The first two resources had room; there are as many overflowing ones at most, and the rest is told of.
	require.Equal(t, map[any]uint64{"third": 30, "acme": 27}, shared)
	require.EqualValues(t, 27, w.internal(t, "otelcol_span_metrics_uncounted_spans"))
	require.EqualValues(t, 4, w.internal(t, "otelcol_span_metrics_resources"))
}

func TestSeriesExpire(t *testing.T) {
	w := newWorld(t, func(cfg *Config) {
		cfg.MetricsExpiration = 10 * time.Minute
		cfg.ResourceMetricsCacheSize = 1
		cfg.AggregationCardinalityLimit = 1
	})
	w.take(spans(shop, span("a", 0), span("b", 0)))
	w.take(spans(with(shop, map[string]any{"service.name": "cart"}), span("a", 0)))
	w.flushAfter(time.Minute)
	w.flushAfter(8 * time.Minute)
	require.NotEmpty(t, w.sink.take())
	w.flushAfter(time.Minute)
	require.Empty(t, w.sink.take())
	require.Zero(t, w.internal(t, "otelcol_span_metrics_series"))
	require.Zero(t, w.internal(t, "otelcol_span_metrics_resources"))

	// There is room again, and what returns begins with a zero.
	w.take(spans(with(shop, map[string]any{"service.name": "cart"}), span("b", 0)))
	w.flushAfter(time.Minute)
	got := points(w.sink.take(), calls)
	require.Len(t, got, 2)
	require.Equal(t, began.Add(10*time.Minute), got[0].at)
	require.Zero(t, got[0].count)
	require.Equal(t, "b", got[1].attrs[attrSpanName])
}

func TestNothingExpiresThatWasNotGivenOn(t *testing.T) {
	w := newWorld(t, func(cfg *Config) { cfg.MetricsExpiration = 2 * time.Minute })
	w.take(spans(shop, span("a", 0)))
	w.sink.refuses = true
	for range 5 {
		w.flushAfter(time.Minute)
	}
	w.sink.refuses = false
	w.flushAfter(time.Minute)
	require.Len(t, points(w.sink.take(), calls), 2)
	w.flushAfter(time.Minute)
	require.Empty(t, w.sink.take())
}

// 100,000 names, each as long as a sender likes, leave no more behind than the bounds say.
func TestMemoryIsBounded(t *testing.T) {
	w := newWorld(t, nil)
	before := heap()
	long := strings.Repeat("x", 100_000)
	for i := range 100 {
		w.take(spans(shop, named(1000, fmt.Sprint("GET /cart/", i, "/"))...))
		w.take(spans(shop, span(fmt.Sprint(i, long), 0)))
	}
	require.EqualValues(t, 1000, w.total.Load())
	require.Less(t, heap()-before, int64(2<<20))
	w.flushAfter(time.Minute)
	_, in, over := counts(points(w.sink.take(), calls))
	require.EqualValues(t, 100*1001, in+over)
	for _, p := range points(w.sink.take(), calls) {
		require.LessOrEqual(t, len(p.attrs[attrSpanName].(string)), maxValueBytes)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// What becomes many points is given on in several calls, since the exporter keeps each whole in memory.
func TestBatchesAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	for i := range 3 {
		w.take(spans(with(shop, map[string]any{"service.name": fmt.Sprint("s", i)}), named(700, "a")...))
	}
	w.flushAfter(time.Minute)
	got := w.sink.take()
	require.Len(t, got, 5)
	series, in, _ := counts(points(got, calls))
	require.Equal(t, 2100, series)
	require.EqualValues(t, 2100, in)
	for _, md := range got {
		require.LessOrEqual(t, md.DataPointCount(), 4*batchSeries)
	}
}

func TestCut(t *testing.T) {
	require.Equal(t, "short", cut("short"))
	require.Equal(t, strings.Repeat("a", maxValueBytes-1), cut(strings.Repeat("a", maxValueBytes-1)+"ü"))
	require.Len(t, cut(strings.Repeat("\x80", 2*maxValueBytes)), maxValueBytes-4)
}
