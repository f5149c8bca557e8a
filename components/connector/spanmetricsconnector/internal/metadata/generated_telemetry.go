// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/otel/metric"

	"go.opentelemetry.io/collector/component"
)

// TelemetryBuilder holds the instruments that metadata.yaml declares.
type TelemetryBuilder struct {
	meter         metric.Meter
	mu            sync.Mutex
	registrations []metric.Registration

	SpanMetricsOverflowSpans  metric.Int64Counter
	SpanMetricsRefusedPoints  metric.Int64Counter
	SpanMetricsResources      metric.Int64ObservableGauge
	SpanMetricsSeries         metric.Int64ObservableGauge
	SpanMetricsSpans          metric.Int64Counter
	SpanMetricsUncountedSpans metric.Int64Counter
}

// NewTelemetryBuilder makes the instruments.
func NewTelemetryBuilder(settings component.TelemetrySettings) (*TelemetryBuilder, error) {
	b := &TelemetryBuilder{meter: settings.MeterProvider.Meter(ScopeName)}
	var errs [6]error
	b.SpanMetricsSpans, errs[0] = b.meter.Int64Counter("otelcol_span_metrics_spans",
		metric.WithDescription("Spans that were counted in a series."), metric.WithUnit("{span}"))
	b.SpanMetricsOverflowSpans, errs[1] = b.meter.Int64Counter("otelcol_span_metrics_overflow_spans",
		metric.WithDescription("Those of the spans counted for which a bound on series left no room, so that they are in one that has otel.metric.overflow=true."),
		metric.WithUnit("{span}"))
	b.SpanMetricsUncountedSpans, errs[2] = b.meter.Int64Counter("otelcol_span_metrics_uncounted_spans",
		metric.WithDescription("Spans that are in no series, as there are too many resources of different regions, tenants, clusters or nodes."),
		metric.WithUnit("{span}"))
	b.SpanMetricsRefusedPoints, errs[3] = b.meter.Int64Counter("otelcol_span_metrics_refused_points",
		metric.WithDescription("Data points that the pipeline refused. The next flush brings them again."), metric.WithUnit("{datapoint}"))
	b.SpanMetricsSeries, errs[4] = b.meter.Int64ObservableGauge("otelcol_span_metrics_series",
		metric.WithDescription("Series that are kept, but for the overflowing ones. Each is one of calls and one of durations."), metric.WithUnit("{series}"))
	b.SpanMetricsResources, errs[5] = b.meter.Int64ObservableGauge("otelcol_span_metrics_resources",
		metric.WithDescription("Resources that have series."), metric.WithUnit("{resource}"))
	return b, errors.Join(errs[:]...)
}

// RegisterCallback sets the callback that observes the asynchronous instruments.
func (b *TelemetryBuilder) RegisterCallback(cb func(context.Context, metric.Observer) error) error {
	reg, err := b.meter.RegisterCallback(cb, b.SpanMetricsSeries, b.SpanMetricsResources)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.registrations = append(b.registrations, reg)
	return nil
}

// Shutdown unregisters all callbacks.
func (b *TelemetryBuilder) Shutdown() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, reg := range b.registrations {
		_ = reg.Unregister()
	}
	b.registrations = nil
}
