// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"context"
	"errors"
	"time"

	"github.com/k0rdent/kof/internal/segmentlog"
)

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

// Hurry makes Take return what waits without waiting for more.
func (q *Queue) Hurry() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.opts.BatchDelay = 0
	q.wake()
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
		rec, err := q.read(ctx, q.next)
		if err != nil {
			q.giveBack(batch)
			return nil, err
		}
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
	if err := q.reconcile(ctx); err != nil && len(batch) == 0 {
		return nil, err
	}
	return batch, nil
}

// read returns the record at seq; nil where there is none left to take, or a damaged one. It reads one at a time, since the store
// can't say beforehand how large they are: several large ones at once would take memory that the lane doesn't have.
func (q *Queue) read(ctx context.Context, seq uint64) (*Record, error) {
	if _, settled := q.debris[seq]; settled {
		return nil, nil
	}
	buf, err := q.client.Get(ctx, key(seq))
	rotten := errors.Is(err, segmentlog.ErrCorrupt)
	if err != nil && !rotten {
		return nil, err
	}
	if buf == nil && !rotten { // settled before a restart, or lost
		q.missing(seq)
		return nil, nil
	}
	rec, err := unmarshalRecord(buf)
	if err != nil || rotten {
		q.debris[seq] = struct{}{}
		q.missing(seq)
		return nil, nil
	}
	rec.seq = seq
	return &rec, nil
}
