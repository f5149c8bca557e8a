// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/k0rdent/kof/internal/segmentlog"
)

// ErrFull says that a record doesn't fit into the queue's bounds. The record was not taken; the caller may try again later.
var ErrFull = errors.New("the queue is full")

// ErrTooLarge says that a record is larger than the queue may ever hold.
var ErrTooLarge = errors.New("the data is larger than the queue's bound")

var errClosed = errors.New("the queue is closed")

// Options are the bounds of a queue.
type Options struct {
	MaxBytes   int64         // records held, in bytes of the store; must be positive
	Budget     *Budget       // bound shared with other queues
	Reserve    int64         // bytes that the queue may hold without counting in the budget, so that others can't take all room
	DropOldest bool          // at the bound: drop the oldest records instead of refusing the new one
	BatchBytes int           // a batch ends before it would pass this size; a larger record is a batch of its own
	BatchDelay time.Duration // a smaller batch is given out when its first record has waited this long
	Now        func() time.Time
}

// Queue is safe for concurrent use.
type Queue struct {
	client storage.Client
	opts   Options

	// gather holds a token while one taker collects its batch, so that batches are made of neighbouring records.
	gather chan struct{}
	// arrived wakes the gathering taker.
	arrived chan struct{}
	closed  chan struct{}

	mu       sync.Mutex
	state    state
	next     uint64          // the first record that no taker has; head <= next <= tail
	waiting  time.Time       // since when records from next on wait for a taker
	inFlight map[uint64]held // by sequence number: the records that takers hold
	// debris are keys to delete with the next change: those of settled records that the store failed to delete, and of damaged ones.
	debris map[uint64]struct{}
	audit  audit
	// refusals is what is kept of what the server refused.
	refusals refusals

	inFlightBytes int64
	first         *Record // the one at next, without its payload, once OldestAccepted has read it
}

type held struct {
	bytes    int64
	accepted time.Time
}

// Open opens the queue that the client's store holds, or a new one. It returns an error for a queue of a newer version.
// Records that were taken and not settled before are there again. A damaged state is not an error: the queue begins anew, and
// damaged reports it.
func Open(ctx context.Context, client storage.Client, opts Options) (q *Queue, damaged bool, err error) {
	q = &Queue{
		client:   client,
		opts:     opts,
		gather:   make(chan struct{}, 1),
		arrived:  make(chan struct{}, 1),
		closed:   make(chan struct{}),
		inFlight: map[uint64]held{},
		debris:   map[uint64]struct{}{},
	}
	buf, err := client.Get(ctx, metaKey)
	rotten := errors.Is(err, segmentlog.ErrCorrupt)
	if err != nil && !rotten {
		return nil, false, fmt.Errorf("read the queue's state: %w", err)
	}
	if buf != nil || rotten {
		q.state, err = unmarshalState(buf)
		if errors.Is(err, errMetaDamaged) {
			// Records of the lost sequence may still be in the store; a sequence far from theirs can't meet them.
			first := uint64(opts.Now().UnixMicro())
			q.state, damaged, err = state{head: first, tail: first}, true, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	q.next = q.state.head
	q.waiting = opts.Now()
	opts.Budget.add(q.charged(q.state.totals.HeldBytes))
	q.startAudit() // for what the store lost before
	q.findRefused(ctx)
	return q, damaged, nil
}

// commit writes a new state and what goes with it, and makes it the current one. q.mu is held.
func (q *Queue) commit(ctx context.Context, changed state, ops []*storage.Operation) error {
	for seq := range q.debris {
		ops = append(ops, storage.DeleteOperation(key(seq)))
	}
	ops = append(ops, storage.SetOperation(metaKey, changed.marshal()))
	if err := q.client.Batch(ctx, ops...); err != nil {
		return err
	}
	q.state = changed
	clear(q.debris)
	return nil
}

// Totals returns the ledger as of now.
func (q *Queue) Totals() Totals {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.state.totals
}

// Close ends all takers and closes the storage client. Records that takers hold stay in the store.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed() {
		return nil
	}
	close(q.closed)
	q.opts.Budget.add(-q.charged(q.state.totals.HeldBytes))
	return q.client.Close(ctx)
}

// charged is what held bytes count in the budget.
func (q *Queue) charged(held int64) int64 { return max(0, held-q.opts.Reserve) }

// change returns how the queue's charge changes when it holds n bytes more. q.mu is held.
func (q *Queue) change(n int64) int64 {
	held := q.state.totals.HeldBytes
	return q.charged(held+n) - q.charged(held)
}

func (q *Queue) isClosed() bool {
	select {
	case <-q.closed:
		return true
	default:
		return false
	}
}

func (q *Queue) wake() {
	select {
	case q.arrived <- struct{}{}:
	default:
	}
}

func key(seq uint64) string { return strconv.FormatUint(seq, 10) }
