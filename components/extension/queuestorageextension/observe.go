// SPDX-License-Identifier: Apache-2.0

package queuestorageextension

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/k0rdent/kof/internal/segmentlog"
)

// observe registers what the metrics read when they are collected.
func (q *queueStorage) observe() error {
	perClient := func(value func(segmentlog.Stats) int64, attrs ...attribute.KeyValue) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			for _, c := range q.open() {
				set := attribute.NewSet(append(attrs[:len(attrs):len(attrs)], attribute.String("client", c.name))...)
				o.Observe(value(c.log.Stats()), metric.WithAttributeSet(set))
			}
			return nil
		}
	}
	reason := func(r string) attribute.KeyValue { return attribute.String("reason", r) }
	t := q.telemetry
	return errors.Join(
		t.RegisterKofQueueStorageDiskBytesCallback(perClient(func(s segmentlog.Stats) int64 { return s.DiskBytes })),
		t.RegisterKofQueueStorageLiveBytesCallback(perClient(func(s segmentlog.Stats) int64 { return s.LiveBytes })),
		t.RegisterKofQueueStorageSegmentsCallback(perClient(func(s segmentlog.Stats) int64 { return int64(s.Segments) })),
		t.RegisterKofQueueStorageDamagedSegmentsCallback(perClient(func(s segmentlog.Stats) int64 { return s.DamagedSegments })),
		t.RegisterKofQueueStorageSyncFailuresCallback(perClient(func(s segmentlog.Stats) int64 { return s.SyncFailures })),
		t.RegisterKofQueueStorageLostBytesCallback(perClient(func(s segmentlog.Stats) int64 { return s.TruncatedBytes }, reason("half_written"))),
		t.RegisterKofQueueStorageLostBytesCallback(perClient(func(s segmentlog.Stats) int64 { return s.CorruptBytes }, reason("corrupt"))),
		t.RegisterKofQueueStorageRefusedBatchesCallback(perClient(func(s segmentlog.Stats) int64 { return s.RefusedClient }, reason("client_quota"))),
		t.RegisterKofQueueStorageRefusedBatchesCallback(perClient(func(s segmentlog.Stats) int64 { return s.RefusedTotal }, reason("total_quota"))),
		t.RegisterKofQueueStorageRefusedBatchesCallback(perClient(func(s segmentlog.Stats) int64 { return s.RefusedDisk }, reason("disk_full"))),
		t.RegisterKofQueueStorageUnclaimedBytesCallback(func(_ context.Context, o metric.Int64Observer) error {
			q.mu.Lock()
			defer q.mu.Unlock()
			var sum int64
			for _, n := range q.unclaimed {
				sum += n
			}
			o.Observe(sum)
			return nil
		}),
	)
}

func (q *queueStorage) observeSync(took time.Duration, _ error) {
	q.telemetry.KofQueueStorageSyncDuration.Record(context.Background(), took.Seconds())
}
