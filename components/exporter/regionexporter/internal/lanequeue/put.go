// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"context"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Put stores a record, and returns when the store has it. It returns [ErrFull] at the bounds, or the store's error; the record is
// not taken then. dropped are items that were accepted with the record but can't be stored in it; they are booked at once.
func (q *Queue) Put(ctx context.Context, rec Record, dropped Dropped) error {
	buf, err := rec.marshal()
	if err != nil {
		return err
	}
	size := int64(len(buf))

	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed() {
		return errClosed
	}
	changed := q.state
	if rec.Items == 0 {
		changed.totals.accept(0, dropped)
		return q.commit(ctx, changed, nil)
	}
	victims, next, err := q.makeRoom(ctx, size)
	if err != nil {
		return err
	}
	changed = q.state // making room may have booked losses
	changed.totals.accept(rec.Items, dropped)
	ops := make([]*storage.Operation, 0, len(victims)+2)
	var out Outcome
	freed := int64(0)
	for _, v := range victims {
		ops = append(ops, storage.DeleteOperation(key(v.seq)))
		out.Dropped[ReasonQueueFull] += int64(v.Items)
		freed += int64(v.stored)
	}
	ops = append(ops, storage.SetOperation(key(q.state.tail), buf))
	changed.totals.apply(out)
	changed.totals.AcceptedBytes += size
	changed.totals.HeldBytes += size - freed
	changed.head = q.firstHeld(next)
	changed.tail++
	if err := q.commit(ctx, changed, ops); err != nil {
		q.opts.Budget.add(-q.change(size - freed))
		return err
	}
	q.next = next
	q.audit.settled(victims)
	if q.next == q.state.tail-1 {
		q.waiting = q.opts.Now()
	}
	q.wake()
	_ = q.reconcile(ctx) // the record is stored; what was lost is booked later where the store refuses now
	return nil
}

// makeRoom reserves size bytes. Where the options say so, it names the oldest waiting records that have to go for it, and what is
// then the first that no taker has; they go together with the change that needs the room, or not at all.
func (q *Queue) makeRoom(ctx context.Context, size int64) (victims []Record, next uint64, err error) {
	next = q.next
	spare := int64(0) // what can be dropped
	if q.opts.DropOldest {
		spare = q.waitingBytes()
	}
	if size > q.opts.MaxBytes {
		return nil, 0, ErrTooLarge
	}
	if q.state.totals.HeldBytes+size-spare > q.opts.MaxBytes || q.opts.Budget.Used()+q.change(size-spare) > q.opts.Budget.max {
		return nil, 0, ErrFull
	}
	freed := int64(0)
	for q.state.totals.HeldBytes+size-freed > q.opts.MaxBytes || !q.opts.Budget.reserve(q.change(size-freed)) {
		if !q.opts.DropOldest || next == q.state.tail {
			return nil, 0, ErrFull
		}
		if _, taken := q.inFlight[next]; taken {
			next++
			continue
		}
		rec, err := q.read(ctx, next)
		if err != nil {
			return nil, 0, err
		}
		next++
		switch {
		case rec != nil:
			rec.Payload = nil
			victims = append(victims, *rec)
			freed += int64(rec.stored)
		case len(victims) == 0: // gone already, and maybe its room can be had
			q.next = next
			if err := q.reconcile(ctx); err != nil {
				return nil, 0, err
			}
		}
	}
	return victims, next, nil
}
