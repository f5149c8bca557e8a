// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/metric"
)

// TelemetryBuilder holds the instruments that metadata.yaml declares.
type TelemetryBuilder struct {
	KofIdentityRefusedItems metric.Int64Counter
}

// NewTelemetryBuilder makes the instruments.
func NewTelemetryBuilder(settings component.TelemetrySettings) (*TelemetryBuilder, error) {
	var b TelemetryBuilder
	var err error
	b.KofIdentityRefusedItems, err = settings.MeterProvider.Meter(ScopeName).Int64Counter("otelcol_kof_identity_refused_items",
		metric.WithDescription("Data points, log records or spans that were refused, as it isn't known whose they are."), metric.WithUnit("{item}"))
	return &b, err
}
