// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

var propagator = propagation.TraceContext{}

// retryFor is how long the SDK offers one batch to the agent; long, because a batch that the SDK gives up is one that
// the agent never had.
const retryFor = 2 * time.Minute

// spanQueue is how many spans the SDK holds before it drops: a minute of the demo's rate and more.
const spanQueue = 16384

type telemetry struct {
	traces  *sdktrace.TracerProvider
	metrics *sdkmetric.MeterProvider
}

func newTelemetry(ctx context.Context, cfg Config) (*telemetry, error) {
	res := resource.NewSchemaless(slices.Concat([]attribute.KeyValue{
		attribute.String("service.name", cfg.Service),
		attribute.String("service.instance.id", cfg.PushedSource().Name),
	}, cfg.Resource)...)
	spans, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpoint(cfg.OTLP), otlptracehttp.WithInsecure(),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
			Enabled: true, InitialInterval: 200 * time.Millisecond, MaxInterval: 2 * time.Second, MaxElapsedTime: retryFor,
		}))
	if err != nil {
		return nil, fmt.Errorf("shop: trace exporter: %w", err)
	}
	points, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpoint(cfg.OTLP), otlpmetrichttp.WithInsecure(),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{
			Enabled: true, InitialInterval: 200 * time.Millisecond, MaxInterval: 2 * time.Second, MaxElapsedTime: retryFor,
		}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("shop: metric exporter: %w", err), spans.Shutdown(ctx))
	}
	return &telemetry{
		traces: sdktrace.NewTracerProvider(
			sdktrace.WithResource(res),
			sdktrace.WithSampler(sdktrace.AlwaysSample()),
			// The recorder comes first, so that no span is in a backend before it is known to have been sent.
			sdktrace.WithSpanProcessor(&spanRecorder{source: cfg.TraceSource(), truth: cfg.Truth}),
			sdktrace.WithBatcher(spans, sdktrace.WithBatchTimeout(time.Second), sdktrace.WithMaxQueueSize(spanQueue)),
		),
		metrics: sdkmetric.NewMeterProvider(
			sdkmetric.WithResource(res),
			sdkmetric.WithReader(sdkmetric.NewPeriodicReader(
				&metricRecorder{Exporter: points, source: cfg.PushedSource(), samples: cfg.Samples},
				sdkmetric.WithInterval(cfg.MetricsInterval), sdkmetric.WithTimeout(retryFor))),
		),
	}, nil
}

// shutdown sends what is left.
func (t *telemetry) shutdown(ctx context.Context) error {
	return errors.Join(t.traces.Shutdown(ctx), t.metrics.Shutdown(ctx))
}
