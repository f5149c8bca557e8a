// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/k0rdent/kof/internal/segmentlog"
)

// maxReadAhead bounds the records that one read of the store asks for.
const maxReadAhead = 64

// maxDebris is how many records may be settled that the store fails to delete. A crash would repeat them all; and they are deleted in
// one change, which must not grow so large that a disk with little room refuses it for ever.
const maxDebris = 1000

// Take returns the oldest records that no one has taken yet, up to a batch, and waits for them. The caller settles each record
// later. It returns an error when ctx ends, when the queue is closed or when the store fails.
func (q *Queue) Take(ctx context.Context) ([]Record, error) {
	select {
	case q.gather <- struct{}{}:
		defer func() { <-q.gather }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-q.closed:
		return nil, errClosed
	}
	for {
		if err := q.awaitBatch(ctx); err != nil {
			return nil, err
		}
		recs, err := q.collect(ctx)
		if err != nil || len(recs) > 0 {
			return recs, err
		}
	}
}

// TakeWaiting is Take for the records that are there now; it returns none rather than wait.
func (q *Queue) TakeWaiting(ctx context.Context) ([]Record, error) {
	q.gather <- struct{}{}
	defer func() { <-q.gather }()
	return q.collect(ctx)
}

// awaitBatch returns when a full batch waits, or a smaller one for long enough.
func (q *Queue) awaitBatch(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		delay, ready := q.readyIn()
		if ready && delay <= 0 {
			return nil
		}
		var due <-chan time.Time
		if ready {
			timer.Reset(delay)
			due = timer.C
		}
		select {
		case <-due:
		case <-q.arrived:
		case <-ctx.Done():
			return ctx.Err()
		case <-q.closed:
			return errClosed
		}
	}
}

// readyIn returns how long the waiting records may still wait for company; ready is false when there are none.
func (q *Queue) readyIn() (delay time.Duration, ready bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.next == q.state.tail {
		return 0, false
	}
	if q.waitingBytes() >= int64(q.opts.BatchBytes) {
		return 0, true
	}
	return q.opts.BatchDelay - q.opts.Now().Sub(q.waiting), true
}

func (q *Queue) waitingBytes() int64 {
	return q.state.totals.HeldBytes - q.inFlightBytes
}

// collect reads records from next on until the batch is full. It holds the lock while it reads: the store's reads are short, and
// a record must not be dropped as the oldest while it is being taken.
func (q *Queue) collect(ctx context.Context) ([]Record, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.debris) >= maxDebris {
		if err := q.commit(ctx, q.state, nil); err != nil {
			return nil, err
		}
	}
	var (
		batch []Record
		bytes int
	)
	for q.next < q.state.tail && bytes < q.opts.BatchBytes {
		read, err := q.read(ctx, q.next, q.readAhead(q.opts.BatchBytes-bytes))
		if err != nil {
			q.giveBack(batch)
			return nil, err
		}
		for _, rec := range read {
			if _, taken := q.inFlight[q.next]; rec != nil && !taken {
				if bytes > 0 && bytes+rec.stored > q.opts.BatchBytes {
					q.waiting = time.Time{} // the rest has waited already
					return batch, nil
				}
				batch = append(batch, *rec)
				bytes += rec.stored
				q.inFlight[rec.seq] = held{int64(rec.stored), rec.Accepted}
				q.inFlightBytes += int64(rec.stored)
			}
			q.next++
		}
	}
	if err := q.reconcile(ctx); err != nil && len(batch) == 0 {
		return nil, err
	}
	return batch, nil
}

// readAhead estimates how many of the next records are room bytes.
func (q *Queue) readAhead(room int) int {
	waiting := int64(q.state.tail - q.next)
	mean := max(1, q.waitingBytes()/waiting)
	return int(min(waiting, maxReadAhead, 1+int64(room)/mean))
}

// read returns the n records from seq on; nil where there is none left to take, or a damaged one.
func (q *Queue) read(ctx context.Context, seq uint64, n int) ([]*Record, error) {
	ops := make([]*storage.Operation, n)
	for i := range ops {
		ops[i] = storage.GetOperation(key(seq + uint64(i)))
	}
	err := q.client.Batch(ctx, ops...)
	if errors.Is(err, segmentlog.ErrCorrupt) && n > 1 {
		return q.readEach(ctx, seq, n)
	}
	rotten := errors.Is(err, segmentlog.ErrCorrupt)
	if err != nil && !rotten {
		return nil, err
	}
	recs := make([]*Record, n)
	for i, op := range ops {
		at := seq + uint64(i)
		if _, settled := q.debris[at]; settled {
			continue
		}
		if op.Value == nil && !rotten { // settled before a restart, or lost
			q.missing(at)
			continue
		}
		rec, err := unmarshalRecord(op.Value)
		if err != nil || rotten {
			q.debris[at] = struct{}{}
			q.missing(at)
			continue
		}
		rec.seq = at
		recs[i] = &rec
	}
	return recs, nil
}

// readEach reads one record after the other, since the store says that one of them is damaged, but not which.
func (q *Queue) readEach(ctx context.Context, seq uint64, n int) ([]*Record, error) {
	recs := make([]*Record, 0, n)
	for i := range n {
		one, err := q.read(ctx, seq+uint64(i), 1)
		if err != nil {
			return nil, err
		}
		recs = append(recs, one...)
	}
	return recs, nil
}
