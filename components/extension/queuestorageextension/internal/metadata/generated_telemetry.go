// SPDX-License-Identifier: Apache-2.0

package metadata

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/embedded"

	"go.opentelemetry.io/collector/component"
)

// TelemetryBuilder holds the instruments that metadata.yaml declares.
type TelemetryBuilder struct {
	meter         metric.Meter
	mu            sync.Mutex
	registrations []metric.Registration

	KofQueueStorageDamagedSegments metric.Int64ObservableCounter
	KofQueueStorageDiskBytes       metric.Int64ObservableGauge
	KofQueueStorageLiveBytes       metric.Int64ObservableGauge
	KofQueueStorageLostBytes       metric.Int64ObservableCounter
	KofQueueStorageRefusedBatches  metric.Int64ObservableCounter
	KofQueueStorageSegments        metric.Int64ObservableGauge
	KofQueueStorageSyncDuration    metric.Float64Histogram
	KofQueueStorageSyncFailures    metric.Int64ObservableCounter
	KofQueueStorageUnclaimedBytes  metric.Int64ObservableGauge
}

// RegisterKofQueueStorageDamagedSegmentsCallback sets a callback for the observable KofQueueStorageDamagedSegments metric.
func (b *TelemetryBuilder) RegisterKofQueueStorageDamagedSegmentsCallback(cb metric.Int64Callback) error {
	return b.register(b.KofQueueStorageDamagedSegments, cb)
}

// RegisterKofQueueStorageDiskBytesCallback sets a callback for the observable KofQueueStorageDiskBytes metric.
func (b *TelemetryBuilder) RegisterKofQueueStorageDiskBytesCallback(cb metric.Int64Callback) error {
	return b.register(b.KofQueueStorageDiskBytes, cb)
}

// RegisterKofQueueStorageLiveBytesCallback sets a callback for the observable KofQueueStorageLiveBytes metric.
func (b *TelemetryBuilder) RegisterKofQueueStorageLiveBytesCallback(cb metric.Int64Callback) error {
	return b.register(b.KofQueueStorageLiveBytes, cb)
}

// RegisterKofQueueStorageLostBytesCallback sets a callback for the observable KofQueueStorageLostBytes metric.
func (b *TelemetryBuilder) RegisterKofQueueStorageLostBytesCallback(cb metric.Int64Callback) error {
	return b.register(b.KofQueueStorageLostBytes, cb)
}

// RegisterKofQueueStorageRefusedBatchesCallback sets a callback for the observable KofQueueStorageRefusedBatches metric.
func (b *TelemetryBuilder) RegisterKofQueueStorageRefusedBatchesCallback(cb metric.Int64Callback) error {
	return b.register(b.KofQueueStorageRefusedBatches, cb)
}

// RegisterKofQueueStorageSegmentsCallback sets a callback for the observable KofQueueStorageSegments metric.
func (b *TelemetryBuilder) RegisterKofQueueStorageSegmentsCallback(cb metric.Int64Callback) error {
	return b.register(b.KofQueueStorageSegments, cb)
}

// RegisterKofQueueStorageSyncFailuresCallback sets a callback for the observable KofQueueStorageSyncFailures metric.
func (b *TelemetryBuilder) RegisterKofQueueStorageSyncFailuresCallback(cb metric.Int64Callback) error {
	return b.register(b.KofQueueStorageSyncFailures, cb)
}

// RegisterKofQueueStorageUnclaimedBytesCallback sets a callback for the observable KofQueueStorageUnclaimedBytes metric.
func (b *TelemetryBuilder) RegisterKofQueueStorageUnclaimedBytesCallback(cb metric.Int64Callback) error {
	return b.register(b.KofQueueStorageUnclaimedBytes, cb)
}

func (b *TelemetryBuilder) register(inst metric.Int64Observable, cb metric.Int64Callback) error {
	reg, err := b.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		return cb(ctx, &observerInt64{inst: inst, obs: o})
	}, inst)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.registrations = append(b.registrations, reg)
	return nil
}

type observerInt64 struct {
	embedded.Int64Observer
	inst metric.Int64Observable
	obs  metric.Observer
}

func (o *observerInt64) Observe(value int64, opts ...metric.ObserveOption) {
	o.obs.ObserveInt64(o.inst, value, opts...)
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

// NewTelemetryBuilder makes the instruments.
func NewTelemetryBuilder(settings component.TelemetrySettings) (*TelemetryBuilder, error) {
	b := &TelemetryBuilder{meter: settings.MeterProvider.Meter(ScopeName)}
	var err, errs error
	b.KofQueueStorageDamagedSegments, err = b.meter.Int64ObservableCounter(
		"otelcol_kof_queue_storage_damaged_segments",
		metric.WithDescription("Segments that were set aside since the client was opened, because they were damaged."),
		metric.WithUnit("{segment}"),
	)
	errs = errors.Join(errs, err)
	b.KofQueueStorageDiskBytes, err = b.meter.Int64ObservableGauge(
		"otelcol_kof_queue_storage_disk_bytes",
		metric.WithDescription("Bytes on disk, with garbage, reserve and segments set aside."),
		metric.WithUnit("By"),
	)
	errs = errors.Join(errs, err)
	b.KofQueueStorageLiveBytes, err = b.meter.Int64ObservableGauge(
		"otelcol_kof_queue_storage_live_bytes",
		metric.WithDescription("Bytes that the live keys and their values need."),
		metric.WithUnit("By"),
	)
	errs = errors.Join(errs, err)
	b.KofQueueStorageLostBytes, err = b.meter.Int64ObservableCounter(
		"otelcol_kof_queue_storage_lost_bytes",
		metric.WithDescription("Bytes lost since the client was opened. Half-written bytes were never acknowledged, unless the power was lost."),
		metric.WithUnit("By"),
	)
	errs = errors.Join(errs, err)
	b.KofQueueStorageRefusedBatches, err = b.meter.Int64ObservableCounter(
		"otelcol_kof_queue_storage_refused_batches",
		metric.WithDescription("Batches refused since the client was opened, because there was no room for what they set."),
		metric.WithUnit("{batch}"),
	)
	errs = errors.Join(errs, err)
	b.KofQueueStorageSegments, err = b.meter.Int64ObservableGauge(
		"otelcol_kof_queue_storage_segments",
		metric.WithDescription("Segment files."),
		metric.WithUnit("{segment}"),
	)
	errs = errors.Join(errs, err)
	b.KofQueueStorageSyncDuration, err = b.meter.Float64Histogram(
		"otelcol_kof_queue_storage_sync_duration",
		metric.WithDescription("How long making a segment durable took."),
		metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
	)
	errs = errors.Join(errs, err)
	b.KofQueueStorageSyncFailures, err = b.meter.Int64ObservableCounter(
		"otelcol_kof_queue_storage_sync_failures",
		metric.WithDescription("Syncs that failed since the client was opened."),
		metric.WithUnit("{sync}"),
	)
	errs = errors.Join(errs, err)
	b.KofQueueStorageUnclaimedBytes, err = b.meter.Int64ObservableGauge(
		"otelcol_kof_queue_storage_unclaimed_bytes",
		metric.WithDescription("Bytes in folders that no client has open, as components leave behind that are not configured any more."),
		metric.WithUnit("By"),
	)
	errs = errors.Join(errs, err)
	return b, errs
}
