// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Return gives records back that were taken, so that they are taken again.
func (q *Queue) Return(recs []Record) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(recs) == 0 {
		return
	}
	q.giveBack(recs)
	q.waiting = time.Time{} // they have waited already
	q.wake()
}

func (q *Queue) giveBack(recs []Record) {
	for _, rec := range recs {
		q.forget(rec)
		q.next = min(q.next, rec.seq)
	}
}

// forget ends the taker's hold on a record.
func (q *Queue) forget(rec Record) {
	if h, ok := q.inFlight[rec.seq]; ok {
		q.inFlightBytes -= h.bytes
		delete(q.inFlight, rec.seq)
	}
}

// Settle books what became of records that were taken, deletes them, and keeps what of them the server refused, all in one change. The
// outcome's items are those of the records. It returns the store's error; the records are settled all the same, and deleted with the
// next change that the store takes. After [Queue.Close] it does nothing but return an error.
func (q *Queue) Settle(ctx context.Context, recs []Record, out Outcome) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed() {
		return errClosed
	}
	changed := q.state
	ops := make([]*storage.Operation, 0, len(recs)+1)
	var bytes int64
	for _, rec := range recs {
		bytes += int64(rec.stored)
		ops = append(ops, storage.DeleteOperation(key(rec.seq)))
		q.forget(rec)
	}
	q.audit.settled(recs)
	changed.totals.HeldBytes -= bytes
	changed.totals.apply(out)
	changed.head = q.firstHeld(q.next)
	q.opts.Budget.add(q.change(-bytes))
	keep, refusals := q.keepRefused(out.Refused)
	err := q.commit(ctx, changed, append(keep, ops...))
	if err != nil && len(keep) > 0 { // where there is no room for a look at what was refused, there may be for the books
		refusals = q.refusals
		err = q.commit(ctx, changed, ops)
	}
	if err != nil {
		q.state = changed
		for _, rec := range recs {
			q.debris[rec.seq] = struct{}{}
		}
		return err
	}
	q.refusals = refusals
	return q.reconcile(ctx)
}

// firstHeld returns the first record that is not settled, given the first that no taker has.
func (q *Queue) firstHeld(next uint64) uint64 {
	first := next
	for seq := range q.inFlight {
		first = min(first, seq)
	}
	return first
}

// OldestAccepted returns when the oldest record that the queue holds was accepted; zero when it holds none.
func (q *Queue) OldestAccepted(ctx context.Context) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.inFlight) > 0 {
		var oldest time.Time
		for _, h := range q.inFlight {
			if oldest.IsZero() || h.accepted.Before(oldest) {
				oldest = h.accepted
			}
		}
		return oldest
	}
	if q.next == q.state.tail || q.isClosed() {
		return time.Time{}
	}
	if q.first == nil || q.first.seq != q.next { // read once, not at each look
		rec, err := q.read(ctx, q.next)
		if err != nil || rec == nil {
			return time.Time{}
		}
		q.first = rec
		q.first.Payload = nil
	}
	return q.first.Accepted
}
