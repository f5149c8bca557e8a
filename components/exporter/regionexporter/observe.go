// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
)

// observe reports the ledger of each lane.
func (e *regionExporter) observe(ctx context.Context, o metric.Observer) error {
	for _, l := range *e.visible.Load() {
		e.observeLane(ctx, o, l)
	}
	return nil
}

func (e *regionExporter) observeLane(ctx context.Context, o metric.Observer, l *lane) {
	t := l.queue.Totals()
	o.ObserveInt64(e.telemetry.KofRegionAcceptedItems, t.AcceptedItems, l.attrs)
	o.ObserveInt64(e.telemetry.KofRegionDeliveredItems, t.DeliveredItems, l.attrs)
	o.ObserveInt64(e.telemetry.KofRegionReleasedItems, t.ReleasedItems, l.attrs)
	o.ObserveInt64(e.telemetry.KofRegionHeldItems, t.HeldItems, l.attrs)
	o.ObserveInt64(e.telemetry.KofRegionHeldBytes, t.HeldBytes, l.attrs)
	o.ObserveInt64(e.telemetry.KofRegionLedgerResidualItems, t.Residual(), l.attrs)
	for _, reason := range lanequeue.Reasons() {
		o.ObserveInt64(e.telemetry.KofRegionDroppedItems, t.DroppedItems[reason], l.attrs,
			metric.WithAttributes(attribute.String("reason", reason.String())))
	}
	l.usage.each(func(items, bytes int64, attrs metric.MeasurementOption) {
		o.ObserveInt64(e.telemetry.KofRegionNamespaceItems, items, attrs)
		o.ObserveInt64(e.telemetry.KofRegionNamespaceBytes, bytes, attrs)
	})
	age := 0.0
	if oldest := l.queue.OldestAccepted(ctx); !oldest.IsZero() {
		age = max(0, time.Since(oldest).Seconds())
	}
	o.ObserveFloat64(e.telemetry.KofRegionOldestHeldAge, age, l.attrs)
}
