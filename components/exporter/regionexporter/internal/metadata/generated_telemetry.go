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

	KofRegionAcceptedItems       metric.Int64ObservableCounter
	KofRegionDeliveredItems      metric.Int64ObservableCounter
	KofRegionDirectoryReloads    metric.Int64Counter
	KofRegionDroppedItems        metric.Int64ObservableCounter
	KofRegionFailedAttempts      metric.Int64Counter
	KofRegionFailovers           metric.Int64Counter
	KofRegionHeldBytes           metric.Int64ObservableGauge
	KofRegionHeldItems           metric.Int64ObservableGauge
	KofRegionLedgerResidualItems metric.Int64ObservableGauge
	KofRegionNamespaceBytes      metric.Int64ObservableCounter
	KofRegionNamespaceItems      metric.Int64ObservableCounter
	KofRegionOldestHeldAge       metric.Float64ObservableGauge
	KofRegionRefusedItems        metric.Int64Counter
	KofRegionReleasedItems       metric.Int64ObservableCounter
	KofRegionWireBytes           metric.Int64Counter
}

// NewTelemetryBuilder makes the instruments.
func NewTelemetryBuilder(settings component.TelemetrySettings) (*TelemetryBuilder, error) {
	b := &TelemetryBuilder{meter: settings.MeterProvider.Meter(ScopeName)}
	var errs [15]error
	b.KofRegionAcceptedItems, errs[0] = b.meter.Int64ObservableCounter("otelcol_kof_region_accepted_items",
		metric.WithDescription("Data points, log records or spans that the lane took and stored, since the queue was made."), metric.WithUnit("{item}"))
	b.KofRegionDeliveredItems, errs[1] = b.meter.Int64ObservableCounter("otelcol_kof_region_delivered_items",
		metric.WithDescription("Items that the region's backend took."), metric.WithUnit("{item}"))
	b.KofRegionReleasedItems, errs[2] = b.meter.Int64ObservableCounter("otelcol_kof_region_released_items",
		metric.WithDescription("Items of an unknown region that moved into their region's lane when the directory learned it."), metric.WithUnit("{item}"))
	b.KofRegionDroppedItems, errs[3] = b.meter.Int64ObservableCounter("otelcol_kof_region_dropped_items",
		metric.WithDescription("Items that were given up, by reason."), metric.WithUnit("{item}"))
	b.KofRegionHeldItems, errs[4] = b.meter.Int64ObservableGauge("otelcol_kof_region_held_items",
		metric.WithDescription("Items on disk that are not delivered yet."), metric.WithUnit("{item}"))
	b.KofRegionHeldBytes, errs[5] = b.meter.Int64ObservableGauge("otelcol_kof_region_held_bytes",
		metric.WithDescription("Bytes of the stored records that are not delivered yet."), metric.WithUnit("By"))
	b.KofRegionOldestHeldAge, errs[6] = b.meter.Float64ObservableGauge("otelcol_kof_region_oldest_held_age",
		metric.WithDescription("How long ago the oldest held record was accepted; 0 when none is held."), metric.WithUnit("s"))
	b.KofRegionLedgerResidualItems, errs[7] = b.meter.Int64ObservableGauge("otelcol_kof_region_ledger_residual_items",
		metric.WithDescription("Accepted minus delivered, released, dropped and held items. Anything but 0 is a defect."), metric.WithUnit("{item}"))
	b.KofRegionRefusedItems, errs[8] = b.meter.Int64Counter("otelcol_kof_region_refused_items",
		metric.WithDescription("Items that the lane did not take, because its queue was full or its store failed. The receiver was told."), metric.WithUnit("{item}"))
	b.KofRegionFailedAttempts, errs[9] = b.meter.Int64Counter("otelcol_kof_region_failed_attempts",
		metric.WithDescription("Requests that did not deliver, by what came back."), metric.WithUnit("{request}"))
	b.KofRegionWireBytes, errs[10] = b.meter.Int64Counter("otelcol_kof_region_wire_bytes",
		metric.WithDescription("Bytes of request bodies as sent, compressed, failed attempts included."), metric.WithUnit("By"))
	b.KofRegionFailovers, errs[11] = b.meter.Int64Counter("otelcol_kof_region_failovers",
		metric.WithDescription("Switches of a lane from one region's endpoint to another's, the way back included."), metric.WithUnit("{switch}"))
	b.KofRegionDirectoryReloads, errs[12] = b.meter.Int64Counter("otelcol_kof_region_directory_reloads",
		metric.WithDescription("Changed region directories, by whether they were applied or refused."), metric.WithUnit("{reload}"))
	b.KofRegionNamespaceItems, errs[13] = b.meter.Int64ObservableCounter("otelcol_kof_region_namespace_items",
		metric.WithDescription("Data points, log records or spans that the lane took, by the Kubernetes namespace they belong to, since the lane was opened."),
		metric.WithUnit("{item}"))
	b.KofRegionNamespaceBytes, errs[14] = b.meter.Int64ObservableCounter("otelcol_kof_region_namespace_bytes",
		metric.WithDescription("Bytes of these as stored, before compression."), metric.WithUnit("By"))
	return b, errors.Join(errs[:]...)
}

// RegisterLedgerCallback sets the callback that observes all asynchronous instruments at once, so that a lane's figures are of
// one moment.
func (b *TelemetryBuilder) RegisterLedgerCallback(cb func(context.Context, metric.Observer) error) error {
	reg, err := b.meter.RegisterCallback(cb, b.KofRegionAcceptedItems, b.KofRegionDeliveredItems, b.KofRegionReleasedItems,
		b.KofRegionDroppedItems, b.KofRegionHeldItems, b.KofRegionHeldBytes, b.KofRegionOldestHeldAge, b.KofRegionLedgerResidualItems,
		b.KofRegionNamespaceItems, b.KofRegionNamespaceBytes)
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
