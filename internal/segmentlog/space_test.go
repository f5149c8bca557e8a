// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// floor is what an empty log may keep on disk: less than a megabyte of garbage and the reserve.
const floor = MinSegmentBytes + reserveCount*reserveBytes

func fill(t testing.TB, l *Log, from, to, size int) {
	t.Helper()
	for n := from; n < to; n++ {
		require.NoError(t, l.Batch(set(strconv.Itoa(n), value(n, size)), set("meta", value(n, 100))))
	}
}

func drain(t testing.TB, l *Log, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		require.NoError(t, l.Batch(del(strconv.Itoa(n)), set("meta", value(n, 100))))
	}
}

func TestDiskIsGivenBackWhileDraining(t *testing.T) {
	for _, mode := range []SyncMode{SyncInterval, SyncAlways, SyncNever} {
		opts := testOptions()
		opts.Sync = mode
		l := openLog(t, t.TempDir(), opts)
		fill(t, l, 0, 400, 100_000)
		full := diskUse(t, l.dir)
		require.Greater(t, full, int64(40_000_000))
		for n := 0; n < 400; n += 40 {
			drain(t, l, n, n+40)
			if mode == SyncInterval {
				require.NoError(t, l.Maintain())
			}
			require.LessOrEqual(t, diskUse(t, l.dir), full-int64(n+40)*100_000+3*MinSegmentBytes)
		}
		for range 4 {
			require.NoError(t, l.Maintain())
		}
		require.LessOrEqual(t, diskUse(t, l.dir), int64(floor))
		require.Equal(t, 1, l.Stats().Keys)
		checkBooks(t, l)
	}
}

func TestRewrittenKeyDoesNotGrowTheLog(t *testing.T) {
	l := openLog(t, t.TempDir(), testOptions())
	// A key that is set once holds the first segment, as a checkpoint of a quiet file does.
	require.NoError(t, l.Batch(set("quiet", []byte("x"))))
	rewrites := 1_000_000
	if testing.Short() {
		rewrites = 100_000
	}
	for n := range rewrites {
		require.NoError(t, l.Batch(set("meta", value(n, 64))))
		if n%10_000 == 0 {
			require.NoError(t, l.Maintain())
			require.LessOrEqual(t, diskUse(t, l.dir), int64(5*MinSegmentBytes))
		}
	}
	for range 4 {
		require.NoError(t, l.Maintain())
	}
	require.LessOrEqual(t, diskUse(t, l.dir), int64(floor))
	requireValue(t, l, "quiet", []byte("x"))
	requireValue(t, l, "meta", value(rewrites-1, 64))
}

func TestStuckItemDoesNotHoldTheDisk(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, dir, testOptions())
	fill(t, l, 0, 1, 1000)
	for n := 1; n < 400; n++ {
		fill(t, l, n, n+1, 100_000)
		drain(t, l, n, n+1)
		require.NoError(t, l.Maintain())
		require.LessOrEqual(t, diskUse(t, dir), int64(6*MinSegmentBytes))
	}
	for range 4 {
		require.NoError(t, l.Maintain())
	}
	require.LessOrEqual(t, diskUse(t, dir), int64(floor))
	require.NoError(t, l.Close())
	l = openLog(t, dir, testOptions())
	require.Equal(t, 2, l.Stats().Keys, "deleted items must not come back")
	requireValue(t, l, "0", value(0, 1000))
}

// TestDeletesOutliveWhatTheyHide deletes in a later segment and then removes that one: the key must stay deleted.
func TestDeletesOutliveWhatTheyHide(t *testing.T) {
	dir, opts := t.TempDir(), testOptions()
	opts.Sync = SyncNever
	l := openLog(t, dir, opts)
	fill(t, l, 0, 10, 100_000)
	require.NoError(t, l.Batch(set("name", []byte("x"))))
	fill(t, l, 10, 20, 100_000) // another segment
	require.NoError(t, l.Batch(del("1"), del("2"), del("3"), del("5"), del("name")))
	fill(t, l, 20, 30, 100_000)
	drain(t, l, 10, 20)
	l.commitMu.Lock()
	for _, s := range append([]*segment(nil), l.order[1:]...) {
		require.NoError(t, l.rewrite(s))
	}
	l.commitMu.Unlock()
	require.NoError(t, l.Batch(set("2", []byte("again"))))
	require.NoError(t, l.Close())
	l = openLog(t, dir, opts)
	for _, k := range []string{"1", "3", "5", "name", "12"} {
		requireValue(t, l, k, nil)
	}
	requireValue(t, l, "2", []byte("again"))
	requireValue(t, l, "4", value(4, 100_000))
	requireValue(t, l, "25", value(25, 100_000))
}

func TestQuotaOfOneLog(t *testing.T) {
	opts := testOptions()
	opts.MaxBytes = 8 << 20
	l := openLog(t, t.TempDir(), opts)
	items := fillToQuota(t, l, 0, 100_000)
	require.Greater(t, items, 60)
	require.EqualValues(t, 1, l.Stats().RefusedClient)
	items = fillToQuota(t, l, items, 100) // to the last byte
	for range 3 {                         // it stays full and stays usable
		require.LessOrEqual(t, diskUse(t, l.dir), opts.MaxBytes)
		require.NoError(t, l.Batch(get("1"), set("meta", value(1, 300))), "handing out an item rewrites the metadata")
		require.NoError(t, l.Batch(del("no such key"), set("meta", value(1, 100))))
	}
	// Rewriting the metadata for ever at the quota makes garbage, not growth.
	for n := range 50_000 {
		require.NoError(t, l.Batch(set("meta", value(n, 300))))
	}
	require.LessOrEqual(t, diskUse(t, l.dir), opts.MaxBytes)
	drain(t, l, 0, items)
	require.NoError(t, l.Maintain())
	require.Greater(t, fillToQuota(t, l, items, 100_000)-items, 50, "there is room again")
}

// fillToQuota stores items until one is refused and returns the number of the next.
func fillToQuota(t testing.TB, l *Log, n, size int) int {
	t.Helper()
	for {
		err := l.Batch(set(strconv.Itoa(n), value(n, size)), set("meta", value(n, 100)))
		if err == nil {
			n++
			continue
		}
		require.ErrorIs(t, err, ErrQuotaExceeded)
		require.ErrorIs(t, err, storage.ErrStorageFull)
		var quota *QuotaError
		require.True(t, errors.As(err, &quota))
		require.Contains(t, err.Error(), quota.Scope+" quota")
		requireValue(t, l, strconv.Itoa(n), nil)
		return n
	}
}

// TestDropOldestAtQuota makes room by deleting from the front and stores again, as a lane that drops oldest does.
func TestDropOldestAtQuota(t *testing.T) {
	opts := testOptions()
	opts.MaxBytes = 8 << 20
	l := openLog(t, t.TempDir(), opts)
	head, tail := fillToQuota(t, l, 0, 100_000), 0
	for range 300 {
		err := l.Batch(set(strconv.Itoa(head), value(head, 100_000)), set("meta", value(head, 100)))
		for tries := 0; err != nil; tries++ {
			require.ErrorIs(t, err, ErrQuotaExceeded)
			require.Less(t, tries, 20, "a few deleted items give a segment back")
			drain(t, l, tail, tail+1)
			tail++
			err = l.Batch(set(strconv.Itoa(head), value(head, 100_000)), set("meta", value(head, 100)))
		}
		head++
		require.LessOrEqual(t, l.Stats().DiskBytes, opts.MaxBytes)
	}
	require.Greater(t, head-tail, 50)
}

func TestSharedBudget(t *testing.T) {
	opts := testOptions()
	opts.Budget = NewBudget(8<<20, opts.SegmentBytes)
	a, b := openLog(t, t.TempDir(), opts), openLog(t, t.TempDir(), opts)
	items := fillToQuota(t, a, 0, 100_000)
	require.Greater(t, items, 50)
	require.EqualValues(t, 1, a.Stats().RefusedTotal)
	fillToQuota(t, b, 0, 100_000)
	require.Equal(t, diskUse(t, a.dir)+diskUse(t, b.dir), opts.Budget.Used())
	require.LessOrEqual(t, opts.Budget.Used(), int64(8<<20))
	drain(t, a, 0, items)
	require.NoError(t, a.Maintain())
	require.Positive(t, fillToQuota(t, b, 100, 100_000)-100)
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
	require.Zero(t, opts.Budget.Used())
	require.Zero(t, opts.Budget.claimed)
}

func TestOpenFilesAreBounded(t *testing.T) {
	l := openLog(t, t.TempDir(), testOptions())
	fill(t, l, 0, 400, 100_000)
	require.NoError(t, l.Maintain())
	for n := range 400 {
		requireValue(t, l, strconv.Itoa(n*7%400), value(n*7%400, 100_000))
	}
	open := 0
	for _, s := range l.order {
		if s.file != nil {
			open++
		}
	}
	require.Greater(t, len(l.order), 30)
	require.LessOrEqual(t, open, maxOpenFiles+1)
}
