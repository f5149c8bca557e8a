// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSettleOutOfOrder(t *testing.T) {
	store := newMemStore()
	opts := testOptions()
	opts.BatchBytes = 1
	q := openT(t, store.client(), opts)
	putT(t, q, rec("a", 1), rec("b", 2), rec("c", 4))
	first, second, third := takeT(t, q), takeT(t, q), takeT(t, q)
	deliverT(t, q, third)
	deliverT(t, q, first)
	require.Len(t, store.records(), 1)

	// A crash now gives back what was not settled, and only that.
	crashed := openT(t, store.client(), testOptions())
	require.Equal(t, q.Totals(), crashed.Totals())
	require.Equal(t, texts(second), texts(takeT(t, crashed)))
	require.Empty(t, takeT(t, crashed))
}

func TestReturn(t *testing.T) {
	opts := testOptions()
	size := int(storedSize(t, rec("a", 1)))
	opts.BatchBytes = 2 * size
	q := openT(t, newMemStore().client(), opts)
	putT(t, q, rec("a", 1), rec("b", 2), rec("c", 4), rec("d", 8), rec("e", 16))
	held := append(takeT(t, q), takeT(t, q)...)
	require.Equal(t, []string{"a", "b", "c", "d"}, texts(held))
	before := q.Totals()

	// b is settled, the others come back, in their order.
	require.NoError(t, q.Settle(t.Context(), held[1:2], Outcome{Released: 2}))
	q.Return([]Record{held[3], held[0], held[2]})
	require.EqualValues(t, before.HeldItems-2, q.Totals().HeldItems)
	var got []string
	for {
		recs := takeT(t, q)
		if len(recs) == 0 {
			break
		}
		got = append(got, texts(recs)...)
		deliverT(t, q, recs)
	}
	require.Equal(t, []string{"a", "c", "d", "e"}, got)
	require.EqualValues(t, 1+4+8+16, q.Totals().DeliveredItems)
	require.Zero(t, q.Totals().HeldItems)
	require.Zero(t, q.Totals().HeldBytes)
}

// Records that were returned are waiting records: they may be the oldest that are dropped.
func TestReturnThenDropOldest(t *testing.T) {
	size := storedSize(t, rec("a", 1))
	opts := testOptions()
	opts.MaxBytes, opts.DropOldest = 2*size, true
	q := openT(t, newMemStore().client(), opts)
	putT(t, q, rec("a", 1), rec("b", 2))
	q.Return(takeT(t, q))
	putT(t, q, rec("c", 4))
	require.EqualValues(t, 1, q.Totals().DroppedItems[ReasonQueueFull])
	require.Equal(t, []string{"b", "c"}, texts(takeT(t, q)))
}

func TestPutOnFullDisk(t *testing.T) {
	for _, dropOldest := range []bool{false, true} {
		t.Run(fmt.Sprintf("drop_oldest=%v", dropOldest), func(t *testing.T) {
			size := storedSize(t, rec("a", 1))
			store := newMemStore()
			opts := testOptions()
			opts.MaxBytes, opts.DropOldest = 2*size, dropOldest
			q := openT(t, store.client(), opts)
			putT(t, q, rec("a", 1))
			store.set(true, false)
			before, stored := q.Totals(), store.clone()
			require.ErrorIs(t, q.Put(t.Context(), rec("b", 2), Dropped{}), errDiskFull)
			require.Equal(t, before, q.Totals())
			require.Equal(t, stored.data, store.clone().data)
			require.Equal(t, before.HeldBytes, opts.Budget.Used())

			store.set(false, false)
			putT(t, q, rec("b", 2))
			store.set(true, false)
			before, stored = q.Totals(), store.clone()
			for range 5 { // at the bound
				require.Error(t, q.Put(t.Context(), rec("c", 4), Dropped{}))
			}
			require.Equal(t, before, q.Totals(), "nothing is dropped for a record that the disk doesn't take")
			require.Equal(t, before.HeldBytes, opts.Budget.Used())
			require.Equal(t, stored.data, store.clone().data)
			store.set(false, false)
			require.Equal(t, []string{"a", "b"}, texts(takeT(t, q)))
		})
	}
}

func TestSettleOnFullDisk(t *testing.T) {
	store := newMemStore()
	opts := testOptions()
	opts.BatchBytes = 1
	q := openT(t, store.client(), opts)
	putT(t, q, rec("a", 1), rec("b", 2), rec("c", 4))
	first, second := takeT(t, q), takeT(t, q)
	store.set(true, false)
	require.ErrorIs(t, q.Settle(t.Context(), first, Outcome{Delivered: 1}), errDiskFull)
	require.ErrorIs(t, q.Settle(t.Context(), second, Outcome{Delivered: 2}), errDiskFull)
	total := q.Totals()
	require.EqualValues(t, 3, total.DeliveredItems, "what is delivered is so, whatever the disk says")
	require.EqualValues(t, 4, total.HeldItems)
	require.Zero(t, total.Residual())
	require.Equal(t, total.HeldBytes, opts.Budget.Used())
	require.Len(t, store.records(), 3)

	// A crash now repeats them, with the ledger of before.
	crashed := openT(t, store.clone().client(), testOptions())
	require.EqualValues(t, 7, crashed.Totals().HeldItems)
	require.Equal(t, []string{"a", "b", "c"}, texts(takeT(t, crashed)))

	// Without one, nothing is taken again, and the next change of any kind deletes them.
	store.set(false, false)
	putT(t, q, rec("d", 8))
	require.Len(t, store.records(), 2)
	require.Equal(t, []string{"c"}, texts(takeT(t, q)))
	require.Equal(t, []string{"d"}, texts(takeT(t, q)))
}

// Reads work on a full disk: the queue drains, and returned records don't bring back what was settled.
func TestReturnAfterSettleOnFullDisk(t *testing.T) {
	store := newMemStore()
	q := openT(t, store.client(), testOptions())
	putT(t, q, rec("a", 1), rec("b", 2), rec("c", 4))
	recs := takeT(t, q)
	store.set(true, false)
	require.Error(t, q.Settle(t.Context(), recs[1:2], Outcome{Released: 2}))
	q.Return([]Record{recs[0], recs[2]})
	require.Equal(t, []string{"a", "c"}, texts(takeT(t, q)), "b was settled")
	require.EqualValues(t, 5, q.Totals().HeldItems)
	store.set(false, false)
	deliverT(t, q, []Record{recs[0], recs[2]})
	require.Zero(t, q.Totals().HeldItems)
	require.Zero(t, q.Totals().HeldBytes)
	require.Empty(t, store.records())
}

// While the store deletes nothing, the lane delivers on only so far: a crash would repeat it all, and the deletes must not come to one
// giant change, which a disk with little room could refuse for ever.
func TestSettledOnFullDiskIsBounded(t *testing.T) {
	store := newMemStore()
	opts := testOptions()
	opts.BatchBytes = 1000
	q := openT(t, store.client(), opts)
	const n = 5000
	for range n {
		putT(t, q, rec("a", 1))
	}
	store.set(true, false)
	for {
		recs, err := q.TakeWaiting(t.Context())
		if err != nil {
			require.ErrorIs(t, err, errDiskFull)
			break
		}
		require.NotEmpty(t, recs)
		require.Error(t, q.Settle(t.Context(), recs, Outcome{Delivered: itemsOf(recs)}))
	}
	require.Less(t, q.Totals().DeliveredItems, int64(1100))
	require.Zero(t, q.Totals().Residual())

	store.set(false, false)
	store.largest = 0
	for {
		recs := takeT(t, q)
		if len(recs) == 0 {
			break
		}
		deliverT(t, q, recs)
	}
	require.EqualValues(t, n, q.Totals().DeliveredItems)
	require.Empty(t, store.records())
	require.Less(t, store.largest, 1100)
}

func TestUnreadableStore(t *testing.T) {
	store := newMemStore()
	q := openT(t, store.client(), testOptions())
	putT(t, q, rec("a", 1), rec("b", 2))
	store.set(false, true)
	_, err := q.TakeWaiting(t.Context())
	require.ErrorIs(t, err, errUnread)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = q.Take(ctx)
	require.ErrorIs(t, err, errUnread)
	require.EqualValues(t, 3, q.Totals().HeldItems)
	store.set(false, false)
	require.Equal(t, []string{"a", "b"}, texts(takeT(t, q)), "an error of the disk is not damage")
	_, _, err = Open(t.Context(), func() *memClient { store.set(true, true); return store.client().(*memClient) }(), testOptions())
	require.ErrorIs(t, err, errUnread)
}

// What a batch has already when a read fails is given back.
func TestReadFailsHalfWay(t *testing.T) {
	store := newMemStore()
	opts := testOptions()
	opts.BatchBytes = 8000
	q := openT(t, store.client(), opts)
	var put []string
	for i := range 40 {
		text := fmt.Sprintf("%02d", i)
		if i > 20 { // so that the mean misleads the first read
			text += strings.Repeat("x", 1000)
		}
		put = append(put, text)
		putT(t, q, rec(text, 1))
	}
	store.reads = 1
	_, err := q.TakeWaiting(t.Context())
	require.ErrorIs(t, err, errUnread)
	store.set(false, false)
	var got []string
	for {
		recs := takeT(t, q)
		if len(recs) == 0 {
			break
		}
		got = append(got, texts(recs)...)
		deliverT(t, q, recs)
	}
	require.Equal(t, put, got)
	require.Zero(t, q.Totals().HeldItems)
}
