// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"
)

// dataFormat is the format that the collector's own metrics and spans of the receiver name.
const dataFormat = "pod_logs"

// deliver gives the batch to the pipeline until it takes or permanently refuses it, and stores how far files were read. Meanwhile
// nothing is read. When ctx has ended, it tries once; what isn't taken then is read again after the next start.
func (w *worker) deliver(ctx context.Context) {
	if w.batch.records > 0 && !w.consume(ctx) {
		return
	}
	w.counts.add(w.consuming, w.telemetry, &w.batch)
	w.batch.reset()
	w.checkpoint()
}

// consume says whether the batch is dealt with; false means that ctx has ended first.
func (w *worker) consume(ctx context.Context) bool {
	wait := backoff.ExponentialBackOff{
		InitialInterval: w.cfg.Retry.InitialInterval, MaxInterval: w.cfg.Retry.MaxInterval, Multiplier: 2, RandomizationFactor: 0.2,
	}
	wait.Reset()
	logs := w.batch.logs
	for {
		n := logs.LogRecordCount()
		op := w.obs.StartLogsOp(w.consuming)
		err := w.next.ConsumeLogs(op, logs)
		w.obs.EndLogsOp(op, dataFormat, n, err)
		switch {
		case err == nil:
			return true
		case consumererror.IsPermanent(err):
			w.counts.refused += n
			w.warn("refused", "Dropped a batch that the pipeline refuses for good.", zap.Int("records", n), zap.Error(err))
			return true
		}
		// What the pipeline has taken of it isn't to be sent again.
		var rest consumererror.Logs
		if errors.As(err, &rest) {
			logs = rest.Data()
		}
		w.batch.logs = logs
		w.batch.number++ // what comes meanwhile goes where the pipeline hasn't been
		if ctx.Err() != nil || w.consuming.Err() != nil {
			return false
		}
		w.warn("wait", "The pipeline doesn't take logs; reading pauses.", zap.Error(err))
		if !w.pause(ctx, wait.NextBackOff()) {
			return false
		}
	}
}

// pause waits, and goes on looking for new files, so that they are open when they are deleted. It returns false when ctx ends.
func (w *worker) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	tick := time.NewTicker(w.cfg.PollInterval)
	defer tick.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case <-tick.C:
			w.poll(time.Now())
		case <-ctx.Done():
			return false
		}
	}
}

// checkpoint stores how far the files of changed containers were read. The batch is empty: all that was read has been taken.
func (w *worker) checkpoint() {
	if len(w.dirty) == 0 && len(w.removed) == 0 {
		return
	}
	updates := make([]update, 0, len(w.dirty)+len(w.removed))
	updates = append(updates, w.removed...) // first: a container's directory may have been made again
	for _, c := range w.dirty {
		if c.dirty = false; w.containers[c.id] == c {
			updates = append(updates, update{c.key, c.checkpoints()})
		}
	}
	w.dirty, w.removed = w.dirty[:0], w.removed[:0]
	if err := w.store.save(w.consuming, updates); err != nil {
		// The store keeps the newest in memory, and writes it with the next change.
		w.telemetry.KofPodLogsCheckpointFailures.Add(w.consuming, 1)
		w.warn("checkpoint", "Can't store how far logs were read; after a restart they would be read again from the last checkpoint.", zap.Error(err))
	}
}
