// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFirstInFirstOut(t *testing.T) {
	for name, client := range clients(t) {
		t.Run(name, func(t *testing.T) {
			q := openT(t, client, testOptions())
			putT(t, q, rec("a", 1), rec("b", 2), rec("c", 3))

			recs := takeT(t, q)
			require.Equal(t, []string{"a", "b", "c"}, texts(recs))
			require.Empty(t, takeT(t, q), "what a taker holds is given to no other")
			require.EqualValues(t, 6, q.Totals().HeldItems, "taken is not delivered")

			want := rec("b", 2)
			require.Equal(t, want.Format, recs[1].Format)
			require.Equal(t, want.Accepted, recs[1].Accepted)
			require.Equal(t, want.Items, recs[1].Items)
			require.Equal(t, want.Region, recs[1].Region)
			require.Equal(t, want.Zone, recs[1].Zone)

			deliverT(t, q, recs)
			total := q.Totals()
			require.EqualValues(t, 6, total.AcceptedItems)
			require.EqualValues(t, 6, total.DeliveredItems)
			require.Zero(t, total.HeldItems)
			require.Zero(t, total.HeldBytes)
			require.Zero(t, q.opts.Budget.Used())
			require.Zero(t, total.Residual())
		})
	}
}

func TestLedgerOfOutcomes(t *testing.T) {
	q := openT(t, newMemStore().client(), testOptions())
	var unsupported Dropped
	unsupported[ReasonUnsupported] = 4
	require.NoError(t, q.Put(t.Context(), rec("a", 10), unsupported))
	require.EqualValues(t, 14, q.Totals().AcceptedItems, "what can't be stored was accepted too")
	require.EqualValues(t, 10, q.Totals().HeldItems)

	out := Outcome{Delivered: 3, Released: 2}
	out.Dropped[ReasonRejected], out.Dropped[ReasonTooLarge] = 4, 1
	require.NoError(t, q.Settle(t.Context(), takeT(t, q), out))
	want := Totals{AcceptedItems: 14, AcceptedBytes: storedSize(t, rec("a", 10)), DeliveredItems: 3, ReleasedItems: 2}
	want.DroppedItems[ReasonUnsupported], want.DroppedItems[ReasonRejected], want.DroppedItems[ReasonTooLarge] = 4, 4, 1
	require.Equal(t, want, q.Totals())
	require.Zero(t, q.Totals().Residual())
}

func TestNothingToStore(t *testing.T) {
	store := newMemStore()
	opts := testOptions()
	q := openT(t, store.client(), opts)
	var unsupported Dropped
	unsupported[ReasonUnsupported] = 4
	require.NoError(t, q.Put(t.Context(), rec("", 0), unsupported))
	require.EqualValues(t, 4, q.Totals().AcceptedItems)
	require.Zero(t, q.Totals().HeldItems)
	require.Zero(t, q.Totals().HeldBytes)
	require.Zero(t, opts.Budget.Used())
	require.Empty(t, store.records())
	require.Empty(t, takeT(t, q))
}

// What can't be stored anyway must not push out data that is, nor be refused for want of room.
func TestNothingToStoreNeedsNoRoom(t *testing.T) {
	for _, dropOldest := range []bool{false, true} {
		opts := testOptions()
		opts.MaxBytes, opts.DropOldest = storedSize(t, rec("a", 1)), dropOldest
		q := openT(t, newMemStore().client(), opts)
		putT(t, q, rec("a", 1))
		var unsupported Dropped
		unsupported[ReasonUnsupported] = 4
		require.NoError(t, q.Put(t.Context(), rec("", 0), unsupported))
		require.Equal(t, []string{"a"}, texts(takeT(t, q)))
		require.EqualValues(t, 5, q.Totals().AcceptedItems)
	}
}

func TestFull(t *testing.T) {
	size := storedSize(t, rec("a", 1))
	t.Run("own bound", func(t *testing.T) {
		opts := testOptions()
		opts.MaxBytes = 2 * size
		testFull(t, opts)
	})
	t.Run("shared bound", func(t *testing.T) {
		opts := testOptions()
		opts.Budget = NewBudget(2 * size)
		testFull(t, opts)
	})
}

// testFull puts two records, which is all that fits.
func testFull(t *testing.T, opts Options) {
	q := openT(t, newMemStore().client(), opts)
	putT(t, q, rec("a", 1), rec("b", 1))
	before := q.Totals()
	for range 3 {
		require.ErrorIs(t, q.Put(t.Context(), rec("c", 1), Dropped{}), ErrFull)
	}
	require.Equal(t, before, q.Totals(), "a refused record leaves no trace")
	require.Equal(t, before.HeldBytes, opts.Budget.Used())

	recs := takeT(t, q)
	require.ErrorIs(t, q.Put(t.Context(), rec("c", 1), Dropped{}), ErrFull, "what takers hold is held")
	deliverT(t, q, recs)
	putT(t, q, rec("c", 1))
	require.Equal(t, []string{"c"}, texts(takeT(t, q)))
}

func TestBudgetIsShared(t *testing.T) {
	opts := testOptions()
	size := storedSize(t, rec("a", 1))
	opts.Budget = NewBudget(3 * size)
	one, other := openT(t, newMemStore().client(), opts), openT(t, newMemStore().client(), opts)
	putT(t, one, rec("a", 1), rec("b", 1))
	putT(t, other, rec("c", 1))
	require.ErrorIs(t, other.Put(t.Context(), rec("d", 1), Dropped{}), ErrFull)
	deliverT(t, one, takeT(t, one))
	require.Equal(t, size, opts.Budget.Used())
	putT(t, other, rec("d", 1))
	require.Equal(t, []string{"c", "d"}, texts(takeT(t, other)))
}

// A queue that is closed while the exporter runs on, as on a change of the directory, gives its share back, and takes it again
// when it is opened.
func TestBudgetOfClosedQueue(t *testing.T) {
	opts := testOptions()
	store := newMemStore()
	for range 3 {
		q := openT(t, store.client(), opts)
		putT(t, q, rec("a", 1))
		taken := takeT(t, q)
		held := q.Totals().HeldBytes
		require.Equal(t, held, opts.Budget.Used())
		require.NoError(t, q.Close(t.Context()))
		require.Zero(t, opts.Budget.Used())
		require.Error(t, q.Settle(t.Context(), taken, Outcome{Delivered: itemsOf(taken)}), "too late")
		require.Zero(t, opts.Budget.Used())
	}
}

func TestDropOldest(t *testing.T) {
	size := storedSize(t, rec("a", 1))
	opts := testOptions()
	opts.MaxBytes, opts.DropOldest = 3*size, true
	store := newMemStore()
	q := openT(t, store.client(), opts)
	putT(t, q, rec("a", 1), rec("b", 2), rec("c", 4), rec("d", 8), rec("e", 16))
	require.EqualValues(t, 1+2, q.Totals().DroppedItems[ReasonQueueFull])
	require.EqualValues(t, 4+8+16, q.Totals().HeldItems)
	require.Equal(t, opts.MaxBytes, q.Totals().HeldBytes)
	require.Len(t, store.records(), 3)

	// A record as large as all three.
	large := rec(strings.Repeat("x", int(2*size)+1), 32)
	putT(t, q, large)
	require.EqualValues(t, 1+2+4+8+16, q.Totals().DroppedItems[ReasonQueueFull])
	require.Equal(t, texts([]Record{large}), texts(takeT(t, q)))
	require.Zero(t, q.Totals().Residual())
}

func TestDropOldestSparesWhatIsTaken(t *testing.T) {
	size := storedSize(t, rec("a", 1))
	opts := testOptions()
	opts.MaxBytes, opts.DropOldest, opts.BatchBytes = 2*size, true, int(size)
	q := openT(t, newMemStore().client(), opts)
	putT(t, q, rec("a", 1), rec("b", 2))
	taken := takeT(t, q)
	require.Equal(t, []string{"a"}, texts(taken))
	putT(t, q, rec("c", 4))
	require.EqualValues(t, 2, q.Totals().DroppedItems[ReasonQueueFull], "b went, not a")
	more := takeT(t, q)
	require.Equal(t, []string{"c"}, texts(more))
	require.ErrorIs(t, q.Put(t.Context(), rec("d", 8), Dropped{}), ErrFull, "takers hold all")
	deliverT(t, q, taken)
	putT(t, q, rec("d", 8))
	deliverT(t, q, more)
	require.Equal(t, []string{"d"}, texts(takeT(t, q)))
	require.EqualValues(t, 2, q.Totals().DroppedItems.Sum())
	require.Zero(t, q.Totals().Residual())
}

// A record that never fits must not cost what is there.
func TestDropOldestForTooLargeRecord(t *testing.T) {
	size := storedSize(t, rec("a", 1))
	for name, tt := range map[string]struct {
		opts Options
		want error
	}{
		"own bound":    {Options{MaxBytes: 2 * size, Budget: NewBudget(1 << 30)}, ErrTooLarge},
		"shared bound": {Options{MaxBytes: 1 << 30, Budget: NewBudget(2 * size)}, ErrFull},
	} {
		t.Run(name, func(t *testing.T) {
			opts := tt.opts
			opts.DropOldest, opts.BatchBytes, opts.Now = true, 1<<20, time.Now
			q := openT(t, newMemStore().client(), opts)
			putT(t, q, rec("a", 1))
			require.ErrorIs(t, q.Put(t.Context(), rec(strings.Repeat("x", int(2*size)), 1), Dropped{}), tt.want)
			require.Zero(t, q.Totals().DroppedItems.Sum())
			require.Equal(t, []string{"a"}, texts(takeT(t, q)))
		})
	}
}

func TestNamesTooLong(t *testing.T) {
	q := openT(t, newMemStore().client(), testOptions())
	r := rec("a", 1)
	r.Region = strings.Repeat("r", MaxNameLength)
	r.Zone = strings.Repeat("z", MaxNameLength)
	putT(t, q, r)
	require.Equal(t, r.Zone, takeT(t, q)[0].Zone)
	r.Region += "r"
	require.ErrorContains(t, q.Put(t.Context(), r, Dropped{}), "at most 255 bytes")
	require.EqualValues(t, 1, q.Totals().AcceptedItems)
}

func TestOldestAccepted(t *testing.T) {
	opts := testOptions()
	opts.BatchBytes = 1
	q := openT(t, newMemStore().client(), opts)
	require.True(t, q.OldestAccepted(t.Context()).IsZero())
	at := func(ms int64) Record {
		r := rec("a", 1)
		r.Accepted = time.UnixMilli(ms)
		return r
	}
	putT(t, q, at(1000), at(2000))
	require.EqualValues(t, 1000, q.OldestAccepted(t.Context()).UnixMilli())
	first := takeT(t, q)
	require.EqualValues(t, 1000, q.OldestAccepted(t.Context()).UnixMilli(), "taken is held")
	second := takeT(t, q)
	deliverT(t, q, first)
	require.EqualValues(t, 2000, q.OldestAccepted(t.Context()).UnixMilli())
	q.Return(second)
	require.EqualValues(t, 2000, q.OldestAccepted(t.Context()).UnixMilli())
	deliverT(t, q, takeT(t, q))
	require.True(t, q.OldestAccepted(t.Context()).IsZero())
}

// What a queue may always hold doesn't count in the shared bound, so that a queue which holds much can't take all room.
func TestReserve(t *testing.T) {
	size := storedSize(t, rec("a", 1))
	budget := NewBudget(2 * size)
	open := func() *Queue {
		return openT(t, newMemStore().client(), Options{MaxBytes: 1 << 30, Budget: budget, Reserve: size, BatchBytes: 1 << 20, Now: time.Now})
	}
	greedy, modest := open(), open()
	for range 3 {
		putT(t, greedy, rec("a", 1))
	}
	require.ErrorIs(t, greedy.Put(t.Context(), rec("a", 1), Dropped{}), ErrFull)
	putT(t, modest, rec("b", 1))
	require.ErrorIs(t, modest.Put(t.Context(), rec("b", 1), Dropped{}), ErrFull)

	recs := takeT(t, greedy)
	require.NoError(t, greedy.Settle(t.Context(), recs, Outcome{Delivered: 3}))
	require.Zero(t, budget.Used())
	putT(t, modest, rec("b", 1))
	require.Equal(t, size, budget.Used())
	require.NoError(t, modest.Close(t.Context()))
	require.Zero(t, budget.Used())
}
