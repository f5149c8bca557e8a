// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/k0rdent/kof/test/demo/samples"
	"github.com/k0rdent/kof/test/demo/truth"
)

// metricRecorder notes every sample that the SDK exports and passes it on.
type metricRecorder struct {
	sdkmetric.Exporter
	source  truth.Source
	samples *samples.Recorder
}

func (r *metricRecorder) Export(ctx context.Context, rm *metricdata.ResourceMetrics) error {
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			r.note(m)
		}
	}
	return r.Exporter.Export(ctx, rm)
}

func (r *metricRecorder) note(m metricdata.Metrics) {
	base := strings.ReplaceAll(m.Name, ".", "_") + unitSuffix(m.Unit)
	switch data := m.Data.(type) {
	case metricdata.Gauge[int64]:
		points(r, base, data.DataPoints)
	case metricdata.Gauge[float64]:
		points(r, base, data.DataPoints)
	case metricdata.Sum[int64]:
		points(r, base+totalSuffix(data.IsMonotonic), data.DataPoints)
	case metricdata.Sum[float64]:
		points(r, base+totalSuffix(data.IsMonotonic), data.DataPoints)
	case metricdata.Histogram[int64]:
		histograms(r, base, data.DataPoints)
	case metricdata.Histogram[float64]:
		histograms(r, base, data.DataPoints)
	}
}

func points[N int64 | float64](r *metricRecorder, name string, data []metricdata.DataPoint[N]) {
	for _, p := range data {
		r.sample(name, labels(p.Attributes), float64(p.Value), p.Time)
	}
}

// histograms notes the series that a classic histogram has in Prometheus: _count, _sum, and one _bucket for each bound
// with the count of all observations up to it.
func histograms[N int64 | float64](r *metricRecorder, name string, data []metricdata.HistogramDataPoint[N]) {
	for _, p := range data {
		own := labels(p.Attributes)
		r.sample(name+"_count", own, float64(p.Count), p.Time)
		r.sample(name+"_sum", own, float64(p.Sum), p.Time)
		var cumulative uint64
		for i, bound := range p.Bounds {
			cumulative += p.BucketCounts[i]
			r.bucket(name, own, strconv.FormatFloat(bound, 'g', -1, 64), cumulative, p.Time)
		}
		r.bucket(name, own, "+Inf", p.Count, p.Time)
	}
}

func (r *metricRecorder) bucket(name string, own map[string]string, bound string, count uint64, at time.Time) {
	r.sample(name+"_bucket", withBound(own, bound), float64(count), at)
}

func withBound(own map[string]string, bound string) map[string]string {
	out := maps.Clone(own)
	out["le"] = bound
	return out
}

func (r *metricRecorder) sample(name string, own map[string]string, value float64, at time.Time) {
	r.samples.Timed(r.source, samples.Sample{Name: name, Labels: own, Value: value}, at)
}

func labels(set attribute.Set) map[string]string {
	out := map[string]string{}
	for _, kv := range set.ToSlice() {
		out[strings.ReplaceAll(string(kv.Key), ".", "_")] = kv.Value.Emit()
	}
	return out
}

// unitSuffix returns what the unit adds to a name in Prometheus ("Prometheus and OpenMetrics Compatibility" of the
// OpenTelemetry specification), for the units that this service and its HTTP instrumentation use.
func unitSuffix(unit string) string {
	switch unit {
	case "s":
		return "_seconds"
	case "By":
		return "_bytes"
	case "g":
		return "_grams"
	default: // none, or an annotation such as {order}
		return ""
	}
}

func totalSuffix(monotonic bool) string {
	if monotonic {
		return "_total"
	}
	return ""
}
