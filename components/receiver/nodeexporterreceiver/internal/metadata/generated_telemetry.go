// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/metric"
)

// TelemetryBuilder holds the instruments that metadata.yaml declares.
type TelemetryBuilder struct {
	NodeExporterCollectionDuration metric.Float64Histogram
	NodeExporterCollectorErrors    metric.Int64Counter
	NodeExporterDroppedSeries      metric.Int64Counter
	NodeExporterInconsistent       metric.Int64Counter
}

// NewTelemetryBuilder makes the instruments.
func NewTelemetryBuilder(settings component.TelemetrySettings) (*TelemetryBuilder, error) {
	meter := settings.MeterProvider.Meter(ScopeName)
	b := &TelemetryBuilder{}
	var errs [4]error
	b.NodeExporterCollectionDuration, errs[0] = meter.Float64Histogram("otelcol_node_exporter_collection_duration",
		metric.WithDescription("How long a collection of all collectors took."), metric.WithUnit("s"))
	b.NodeExporterCollectorErrors, errs[1] = meter.Int64Counter("otelcol_node_exporter_collector_errors",
		metric.WithDescription("Collections of a collector that failed, by reason. Its metrics are missing, those of the others are not."),
		metric.WithUnit("{collection}"))
	b.NodeExporterDroppedSeries, errs[2] = meter.Int64Counter("otelcol_node_exporter_dropped_series",
		metric.WithDescription("Series that were left out of collections because there were more than max_series."), metric.WithUnit("{series}"))
	b.NodeExporterInconsistent, errs[3] = meter.Int64Counter("otelcol_node_exporter_inconsistent",
		metric.WithDescription("Collections in which collectors contradicted one another, so that metrics were left out."), metric.WithUnit("{collection}"))
	return b, errors.Join(errs[:]...)
}
