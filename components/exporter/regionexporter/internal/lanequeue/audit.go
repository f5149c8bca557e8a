// SPDX-License-Identifier: Apache-2.0

package lanequeue

import "context"

// audit finds out how much the store lost. The count of a damaged record is lost with it; but when all other records of before
// some moment are settled, what the ledger then still holds of that time is what was lost. This needs no queue that runs empty.
type audit struct {
	end          uint64 // records before it are audited; 0 while no audit is under way
	again        bool   // a record from end on was found missing meanwhile
	items, bytes int64  // of the ledger, less what was settled since
}

// missing notes that the store has no good record at seq.
func (q *Queue) missing(seq uint64) {
	switch {
	case q.audit.end == 0:
		q.startAudit()
	case seq >= q.audit.end:
		q.audit.again = true
	}
}

// startAudit audits what the queue holds now.
func (q *Queue) startAudit() {
	t := &q.state.totals
	q.audit = audit{end: q.state.tail, items: t.HeldItems, bytes: t.HeldBytes}
}

// settled takes records that left the queue off what is looked for.
func (a *audit) settled(recs []Record) {
	for _, rec := range recs {
		if rec.seq < a.end {
			a.items -= int64(rec.Items)
			a.bytes -= int64(rec.stored)
		}
	}
}

// reconcile ends the audit when all records of its time are settled, and books what the store lost of them.
func (q *Queue) reconcile(ctx context.Context) error {
	for q.audit.end != 0 && q.firstHeld(q.next) >= q.audit.end {
		if lost := q.audit; lost.items != 0 || lost.bytes != 0 {
			change := q.change(-lost.bytes)
			changed := q.state
			var out Outcome
			out.Dropped[ReasonDamaged] = lost.items
			changed.totals.apply(out)
			changed.totals.HeldBytes -= lost.bytes
			changed.head = q.firstHeld(q.next)
			if err := q.commit(ctx, changed, nil); err != nil {
				return err
			}
			q.opts.Budget.add(change)
		}
		again := q.audit.again
		q.audit = audit{}
		if again {
			q.startAudit()
		}
	}
	return nil
}
