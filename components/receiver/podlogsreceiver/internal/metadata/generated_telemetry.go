// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/metric"
)

// TelemetryBuilder holds the instruments that metadata.yaml declares.
type TelemetryBuilder struct {
	meter        metric.Meter
	registration metric.Registration

	KofPodLogsReadBytes          metric.Int64Counter
	KofPodLogsRecords            metric.Int64Counter
	KofPodLogsJoinedLines        metric.Int64Counter
	KofPodLogsTruncatedRecords   metric.Int64Counter
	KofPodLogsTruncatedBytes     metric.Int64Counter
	KofPodLogsMalformedLines     metric.Int64Counter
	KofPodLogsDroppedRecords     metric.Int64Counter
	KofPodLogsGapBytes           metric.Int64Counter
	KofPodLogsGaps               metric.Int64Counter
	KofPodLogsCheckpointFailures metric.Int64Counter
	KofPodLogsOpenFiles          metric.Int64ObservableGauge
	KofPodLogsContainers         metric.Int64ObservableGauge
	KofPodLogsRefusedContainers  metric.Int64ObservableGauge
	KofPodLogsLagBytes           metric.Int64ObservableGauge
}

// NewTelemetryBuilder makes the instruments.
func NewTelemetryBuilder(settings component.TelemetrySettings) (*TelemetryBuilder, error) {
	b := &TelemetryBuilder{meter: settings.MeterProvider.Meter(ScopeName)}
	var errs []error
	counter := func(name, unit, description string) metric.Int64Counter {
		c, err := b.meter.Int64Counter("otelcol_kof_pod_logs_"+name, metric.WithDescription(description), metric.WithUnit(unit))
		errs = append(errs, err)
		return c
	}
	gauge := func(name, unit, description string) metric.Int64ObservableGauge {
		g, err := b.meter.Int64ObservableGauge("otelcol_kof_pod_logs_"+name, metric.WithDescription(description), metric.WithUnit(unit))
		errs = append(errs, err)
		return g
	}
	b.KofPodLogsReadBytes = counter("read_bytes", "By", "Bytes of log files whose lines the pipeline has taken.")
	b.KofPodLogsRecords = counter("records", "{record}", "Records that the pipeline has taken.")
	b.KofPodLogsJoinedLines = counter("joined_lines", "{line}", "Lines of files that became part of the record of an earlier line.")
	b.KofPodLogsTruncatedRecords = counter("truncated_records", "{record}", "Records that lack a part of their lines: beyond max_line_bytes, or not there yet at incomplete_timeout.")
	b.KofPodLogsTruncatedBytes = counter("truncated_bytes", "By", "Bytes of lines that are in no record: beyond max_line_bytes, or too late.")
	b.KofPodLogsMalformedLines = counter("malformed_lines", "{line}", "Lines in the format of no runtime. They are passed on as they are.")
	b.KofPodLogsDroppedRecords = counter("dropped_records", "{record}", "Records that were given up, by reason.")
	b.KofPodLogsGapBytes = counter("gap_bytes", "By", "Bytes of log files that were known to be there and could not be read, by reason.")
	b.KofPodLogsGaps = counter("gaps", "{file}", "Files of which a part that was known to be there could not be read, by reason.")
	b.KofPodLogsCheckpointFailures = counter("checkpoint_failures", "{checkpoint}", "Checkpoints that the storage did not take. The next one holds the same and more.")
	b.KofPodLogsOpenFiles = gauge("open_files", "{file}", "Log files that are open.")
	b.KofPodLogsContainers = gauge("containers", "{container}", "Containers that are read.")
	b.KofPodLogsRefusedContainers = gauge("refused_containers", "{container}", "Containers that are not read because of max_containers.")
	b.KofPodLogsLagBytes = gauge("lag_bytes", "By", "Bytes of log files that are not read yet.")
	return b, errors.Join(errs...)
}

// RegisterGaugesCallback sets the callback that observes all gauges at once.
func (b *TelemetryBuilder) RegisterGaugesCallback(cb func(context.Context, metric.Observer) error) error {
	var err error
	b.registration, err = b.meter.RegisterCallback(cb, b.KofPodLogsOpenFiles, b.KofPodLogsContainers, b.KofPodLogsRefusedContainers, b.KofPodLogsLagBytes)
	return err
}

// Shutdown unregisters the callback.
func (b *TelemetryBuilder) Shutdown() {
	if b.registration != nil {
		_ = b.registration.Unregister()
		b.registration = nil
	}
}
