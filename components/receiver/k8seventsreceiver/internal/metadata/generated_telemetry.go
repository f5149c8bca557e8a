// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/metric"
)

// TelemetryBuilder holds the instruments that metadata.yaml declares.
type TelemetryBuilder struct {
	K8sEventsDropped metric.Int64Counter
	K8sEventsErrors  metric.Int64Counter
	K8sEventsRecords metric.Int64Counter
	K8sEventsRelists metric.Int64Counter
}

// NewTelemetryBuilder makes the instruments.
func NewTelemetryBuilder(settings component.TelemetrySettings) (*TelemetryBuilder, error) {
	meter := settings.MeterProvider.Meter(ScopeName)
	b := &TelemetryBuilder{}
	var errs [4]error
	b.K8sEventsDropped, errs[0] = meter.Int64Counter("otelcol_k8s_events_dropped",
		metric.WithDescription("Records that the pipeline refused permanently."), metric.WithUnit("{record}"))
	b.K8sEventsErrors, errs[1] = meter.Int64Counter("otelcol_k8s_events_errors",
		metric.WithDescription("Tries that failed and are repeated, by what failed."), metric.WithUnit("{try}"))
	b.K8sEventsRecords, errs[2] = meter.Int64Counter("otelcol_k8s_events_records",
		metric.WithDescription("Records that the pipeline accepted."), metric.WithUnit("{record}"))
	b.K8sEventsRelists, errs[3] = meter.Int64Counter("otelcol_k8s_events_relists",
		metric.WithDescription("Lists of all events, at the first start and when the API server no longer had what followed the position."),
		metric.WithUnit("{list}"))
	return b, errors.Join(errs[:]...)
}
