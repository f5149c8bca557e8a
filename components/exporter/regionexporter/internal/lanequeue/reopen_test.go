// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// reopeners end a queue, in order or not, and open what its store holds.
func TestReopen(t *testing.T) {
	t.Run("closed", func(t *testing.T) {
		ext := fileStore(t, t.TempDir())
		testReopen(t, func(old *Queue, opts Options) *Queue {
			if old != nil {
				require.NoError(t, old.Close(t.Context()))
			}
			return openT(t, fileClient(t, ext), opts)
		})
	})
	t.Run("crashed", func(t *testing.T) {
		store := newMemStore()
		testReopen(t, func(_ *Queue, opts Options) *Queue { return openT(t, store.client(), opts) })
	})
	t.Run("copied while in use", func(t *testing.T) {
		// A copy of the file between two transactions is what a killed process leaves behind.
		dir := t.TempDir()
		ext := fileStore(t, dir)
		n := 0
		testReopen(t, func(old *Queue, opts Options) *Queue {
			if old != nil {
				n++
				next := filepath.Join(t.TempDir(), fmt.Sprint(n))
				require.NoError(t, os.CopyFS(next, os.DirFS(dir)))
				require.NoError(t, old.Close(t.Context()))
				dir, ext = next, fileStore(t, next)
			}
			return openT(t, fileClient(t, ext), opts)
		})
	})
}

func testReopen(t *testing.T, reopen func(*Queue, Options) *Queue) {
	opts := func() Options {
		o := testOptions()
		o.BatchBytes = 1
		return o
	}
	q := reopen(nil, opts())
	require.Equal(t, Totals{}, q.Totals())
	putT(t, q, rec("a", 1), rec("b", 2), rec("c", 4), rec("d", 8))
	deliverT(t, q, takeT(t, q))
	taken := takeT(t, q)
	require.Equal(t, []string{"b"}, texts(taken))
	before := q.Totals()

	o := opts()
	q = reopen(q, o)
	require.Equal(t, before, q.Totals())
	require.Equal(t, before.HeldBytes, o.Budget.Used())
	again := takeT(t, q)
	require.Equal(t, taken, again, "what was taken and not settled is there again, as it was")
	var out Outcome
	out.Dropped[ReasonRejected] = 2
	require.NoError(t, q.Settle(t.Context(), again, out))

	o = opts()
	q = reopen(q, o)
	putT(t, q, rec("e", 16))
	var got []string
	for {
		recs := takeT(t, q)
		if len(recs) == 0 {
			break
		}
		got = append(got, texts(recs)...)
		deliverT(t, q, recs)
	}
	require.Equal(t, []string{"c", "d", "e"}, got)

	o = opts()
	q = reopen(q, o)
	total := q.Totals()
	require.EqualValues(t, 31, total.AcceptedItems)
	require.EqualValues(t, 29, total.DeliveredItems)
	require.EqualValues(t, 2, total.DroppedItems[ReasonRejected])
	require.Zero(t, total.HeldItems)
	require.Zero(t, total.HeldBytes)
	require.Zero(t, total.Residual())
	require.Zero(t, o.Budget.Used())
}

// A lower bound than what is held refuses, and lets the queue drain.
func TestReopenWithLowerBound(t *testing.T) {
	store := newMemStore()
	opts := testOptions()
	putT(t, openT(t, store.client(), opts), rec("a", 1), rec("b", 2), rec("c", 4))
	opts.MaxBytes = storedSize(t, rec("a", 1))
	opts.Budget = NewBudget(opts.MaxBytes)
	q := openT(t, store.client(), opts)
	require.ErrorIs(t, q.Put(t.Context(), rec("d", 8), Dropped{}), ErrFull)
	recs := takeT(t, q)
	require.Equal(t, []string{"a", "b", "c"}, texts(recs))
	deliverT(t, q, recs)
	putT(t, q, rec("d", 8))

	// With drop_oldest the queue shrinks to the bound.
	store = newMemStore()
	opts.Budget, opts.MaxBytes = NewBudget(1<<30), 1<<30
	putT(t, openT(t, store.client(), opts), rec("a", 1), rec("b", 2), rec("c", 4))
	opts.Budget, opts.MaxBytes, opts.DropOldest = NewBudget(1<<30), storedSize(t, rec("a", 1)), true
	q = openT(t, store.client(), opts)
	putT(t, q, rec("d", 8))
	require.EqualValues(t, 7, q.Totals().DroppedItems[ReasonQueueFull])
	require.Equal(t, []string{"d"}, texts(takeT(t, q)))
}

func TestClosed(t *testing.T) {
	store := newMemStore()
	q := openT(t, store.client(), testOptions())
	putT(t, q, rec("a", 1))
	taken := takeT(t, q)
	require.NoError(t, q.Close(t.Context()))
	require.NoError(t, q.Close(t.Context()), "twice is fine")
	require.Error(t, q.Put(t.Context(), rec("b", 1), Dropped{}))
	_, err := q.Take(t.Context())
	require.Error(t, err)
	require.Error(t, q.Settle(t.Context(), taken, Outcome{Delivered: 1}))
	require.Equal(t, taken, takeT(t, openT(t, store.client(), testOptions())))
}
