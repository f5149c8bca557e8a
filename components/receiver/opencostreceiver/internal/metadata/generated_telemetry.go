// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/metric"
)

// TelemetryBuilder holds the instruments that metadata.yaml declares.
type TelemetryBuilder struct {
	OpencostCollectionDuration metric.Float64Histogram
	OpencostCollectionErrors   metric.Int64Counter
	OpencostPriceProblems      metric.Int64Gauge
}

// NewTelemetryBuilder makes the instruments.
func NewTelemetryBuilder(settings component.TelemetrySettings) (*TelemetryBuilder, error) {
	meter := settings.MeterProvider.Meter(ScopeName)
	b := &TelemetryBuilder{}
	var errs [3]error
	b.OpencostCollectionDuration, errs[0] = meter.Float64Histogram("otelcol_opencost_collection_duration",
		metric.WithDescription("How long a collection took, requests to the kubelet included."), metric.WithUnit("s"))
	b.OpencostCollectionErrors, errs[1] = meter.Int64Counter("otelcol_opencost_collection_errors",
		metric.WithDescription("Collections that failed, by reason. A failed collection leaves a gap, never zeros."), metric.WithUnit("{collection}"))
	b.OpencostPriceProblems, errs[2] = meter.Int64Gauge("otelcol_opencost_price_problems",
		metric.WithDescription("Rows of the price files that can't be used, files that can't be read and overrides of the node that are no prices."), metric.WithUnit("{problem}"))
	return b, errors.Join(errs[:]...)
}
