// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// model says what a queue must do, in the simplest form: lists of records, and a copy of them as of the last change that the store
// took, to which a crash goes back.
type model struct {
	t     *testing.T
	rng   *rand.Rand
	store *memStore
	opts  Options
	q     *Queue

	now, durable books
	delivered    map[string]bool // ever settled as such: a server has it, whatever the ledger forgets in a crash
	accepted     map[string]int  // records that Put took, with their items
	taken        []Record        // by the one taker
	bad          map[string]bool // records that were damaged
	lastSeq      int64           // order within one taker
	full, broken bool            // the store refuses; something was damaged
	crashes      int
	changes      int
}

// books is what the queue must hold and have booked.
type books struct {
	live  []string // waiting and taken records, in order
	total Totals   // without bytes
}

func (b books) clone() books { return books{slices.Clone(b.live), b.total} }

func TestModel(t *testing.T) {
	seeds, steps := 30, 1500
	if testing.Short() {
		seeds = 10
	}
	for seed := range seeds {
		for _, dropOldest := range []bool{false, true} {
			for _, damage := range []bool{false, true} {
				t.Run(fmt.Sprintf("seed=%d,drop_oldest=%v,damage=%v", seed, dropOldest, damage), func(t *testing.T) {
					t.Parallel()
					m := &model{
						t: t, rng: rand.New(rand.NewPCG(uint64(seed), 1)), store: newMemStore(), opts: testOptions(),
						delivered: map[string]bool{}, accepted: map[string]int{}, bad: map[string]bool{}, broken: damage,
					}
					m.opts.MaxBytes, m.opts.DropOldest, m.opts.BatchBytes = 2000, dropOldest, 300
					m.open()
					for range steps {
						m.step()
						m.check()
					}
					m.finish()
				})
			}
		}
	}
}

func (m *model) open() {
	m.opts.Budget = NewBudget(1500 + m.rng.Int64N(1000))
	m.q = openT(m.t, m.store.client(), m.opts)
	m.taken, m.lastSeq = nil, -1
}

func (m *model) step() {
	switch n := m.rng.IntN(100); {
	case n < 40:
		m.put()
	case n < 65:
		m.take()
	case n < 85:
		m.settle()
	case n < 88:
		m.q.Return(m.taken)
		m.taken, m.lastSeq = nil, -1
	case n < 94:
		m.full = !m.full
		m.store.set(m.full, false)
	case n < 97:
		m.crash(m.rng.IntN(2) == 0)
	case m.broken:
		m.damage()
	}
}

func (m *model) check() {
	if m.store.changes != m.changes { // each change carries all that came before
		m.changes, m.durable = m.store.changes, m.now.clone()
	}
	got := m.q.Totals()
	require.Zero(m.t, got.Residual())
	require.GreaterOrEqual(m.t, got.HeldItems, int64(0))
	require.GreaterOrEqual(m.t, got.HeldBytes, int64(0))
	require.Equal(m.t, got.HeldBytes, m.opts.Budget.Used())
	require.LessOrEqual(m.t, m.q.inFlightBytes, got.HeldBytes)
	if !m.broken {
		got.HeldBytes, got.AcceptedBytes = 0, 0
		require.Equal(m.t, m.now.total, got)
	}
}

// finish drains the queue and checks that every accepted record is accounted for.
func (m *model) finish() {
	m.full = false
	m.store.set(false, false)
	m.q.Return(m.taken)
	m.taken, m.lastSeq = nil, -1
	for {
		m.take()
		if len(m.taken) == 0 {
			break
		}
		out := Outcome{Delivered: itemsOf(m.taken)}
		m.gone(m.taken)
		require.NoError(m.t, m.q.Settle(m.t.Context(), m.taken, out))
		m.now.total.apply(out)
		m.taken = nil
		m.check()
	}
	got := m.q.Totals()
	require.Zero(m.t, got.HeldItems)
	require.Zero(m.t, got.HeldBytes)
	for _, text := range m.now.live {
		require.True(m.t, m.bad[text], "record %q is neither delivered nor dropped", text)
	}
	if !m.broken {
		require.Zero(m.t, got.DroppedItems[ReasonDamaged])
		require.Empty(m.t, m.now.live)
		missing := slices.SortedFunc(maps.Keys(m.accepted), cmp.Compare[string])
		missing = slices.DeleteFunc(missing, func(text string) bool { return m.delivered[text] })
		require.True(m.t, m.opts.DropOldest || len(missing) == 0, "lost %d records", len(missing))
		lost := int64(0)
		for _, text := range missing {
			lost += int64(m.accepted[text])
		}
		require.LessOrEqual(m.t, lost, got.DroppedItems[ReasonQueueFull])
	}
	require.Positive(m.t, m.crashes)
	putT(m.t, m.q, rec("last", 1)) // with it go the keys of damaged records
	for i := 0; len(m.q.debris) > 0; i++ {
		deliverT(m.t, m.q, takeT(m.t, m.q))
	}
	deliverT(m.t, m.q, takeT(m.t, m.q))
	if !m.broken { // a damaged record beyond a restart is known to no one
		require.Empty(m.t, m.store.records())
	}
}
