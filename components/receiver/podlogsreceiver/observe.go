// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/metadata"
)

// The values of the attribute reason.
const (
	reasonRateLimit  = "rate_limit"
	reasonRefused    = "refused"
	reasonDeleted    = "deleted"    // a file before it could be opened
	reasonTruncated  = "truncated"  // a file was cut, and no copy of it was made
	reasonLost       = "lost"       // a file while the receiver didn't run
	reasonUnreadable = "unreadable" // a file that is damaged or can't be read
	reasonBeyond     = "beyond"     // a file of a container that has more than maxListed newer ones
)

// Measurement options are made once: making them allocates.
var byReason = func() map[string]metric.MeasurementOption {
	m := map[string]metric.MeasurementOption{}
	for _, r := range []string{reasonRateLimit, reasonRefused, reasonDeleted, reasonTruncated, reasonLost, reasonUnreadable, reasonBeyond} {
		m[r] = metric.WithAttributeSet(attribute.NewSet(attribute.String("reason", r)))
	}
	return m
}()

// counts is what happened since the last batch.
type counts struct{ joined, truncated, leftOut, malformed, limited, refused int }

// add adds what a batch that was dealt with had to the metrics.
func (c *counts) add(ctx context.Context, t *metadata.TelemetryBuilder, b *batch) {
	for _, one := range []struct {
		counter metric.Int64Counter
		n       int
		options []metric.AddOption
	}{
		{t.KofPodLogsReadBytes, b.bytes, nil},
		{t.KofPodLogsRecords, b.records - c.refused, nil},
		{t.KofPodLogsJoinedLines, c.joined, nil},
		{t.KofPodLogsTruncatedRecords, c.truncated, nil},
		{t.KofPodLogsTruncatedBytes, c.leftOut, nil},
		{t.KofPodLogsMalformedLines, c.malformed, nil},
		{t.KofPodLogsDroppedRecords, c.limited, []metric.AddOption{byReason[reasonRateLimit]}},
		{t.KofPodLogsDroppedRecords, c.refused, []metric.AddOption{byReason[reasonRefused]}},
	} {
		if one.n > 0 {
			one.counter.Add(ctx, int64(one.n), one.options...)
		}
	}
	*c = counts{}
}

// gap counts bytes that were known to be there and can't be read.
func (w *worker) gap(c *container, reason string, bytes int64) {
	w.telemetry.KofPodLogsGaps.Add(w.consuming, 1, byReason[reason])
	w.telemetry.KofPodLogsGapBytes.Add(w.consuming, max(0, bytes), byReason[reason])
	w.warn("gap "+reason, "A part of a container's log can't be read; otelcol_kof_pod_logs_gap_bytes counts.",
		zap.String("namespace", c.id.namespace), zap.String("pod", c.id.pod), zap.String("container", c.id.container),
		zap.String("reason", reason), zap.Int64("bytes", bytes))
}

// warnEvery is how often the same kind of problem is logged.
const warnEvery = 30 * time.Second

// warn logs a kind of problem at most once in a while.
func (w *worker) warn(kind, message string, fields ...zap.Field) {
	now := time.Now()
	if last, ok := w.warned[kind]; ok && now.Sub(last) < warnEvery {
		return
	}
	w.warned[kind] = now
	w.logger.Warn(message, fields...)
}
