// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// history writes batches and returns what the log holds after each of them.
func history(t testing.TB, dir string, batches int) (states []model, path string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 7))
	l := openLog(t, dir, Options{SegmentBytes: MinSegmentBytes, MaxBytes: 64 << 20, Sync: SyncNever})
	var head, tail uint64
	states = append(states, model{})
	for range batches {
		ops := randomBatch(rng, &head, &tail)
		require.NoError(t, l.Batch(ops...))
		next := states[len(states)-1].clone()
		next.apply(ops)
		states = append(states, next)
	}
	return states, l.active.path
}

// TestTruncatedAnywhere cuts the file at every byte, as a death in the middle of a write does.
func TestTruncatedAnywhere(t *testing.T) {
	dir := t.TempDir()
	states, path := history(t, dir, 14)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	quick := testOptions()
	quick.Sync = SyncNever
	reached := map[int]bool{}
	for size := range len(whole) + 1 {
		cut := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(cut, filepath.Base(path)), whole[:size], 0o600))
		l := openLog(t, cut, quick)
		got := dump(t, l)
		n := slices.IndexFunc(states, func(m model) bool { return fmt.Sprint(m) == fmt.Sprint(got) })
		require.GreaterOrEqual(t, n, 0, "cut at %d: not a state the log was in", size)
		reached[n] = true
		require.Zero(t, l.Stats().CorruptBytes)
		require.NoError(t, l.Batch(set("after", []byte("x"))))
		require.NoError(t, l.Close())
		l = openLog(t, cut, quick)
		got["after"] = "x"
		require.Equal(t, got, dump(t, l), "cut at %d", size)
		require.Zero(t, l.Stats().TruncatedBytes, "what was cut off once is gone")
		require.NoError(t, l.Close())
	}
	require.GreaterOrEqual(t, len(reached), 10, "every batch is a state of its own")
}

// TestFlippedAnywhere changes one bit anywhere: at most the batch that it is in is missing.
func TestFlippedAnywhere(t *testing.T) {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(3, 3))
	l := openLog(t, dir, Options{SegmentBytes: MinSegmentBytes, MaxBytes: 64 << 20, Sync: SyncNever})
	var batches [][]*storage.Operation
	var ends []int64
	var head, tail uint64
	for range 30 {
		ops := randomBatch(rng, &head, &tail)
		require.NoError(t, l.Batch(ops...))
		if l.active == nil || (len(ends) > 0 && l.active.size == ends[len(ends)-1]) {
			continue // it changed nothing
		}
		batches = append(batches, ops)
		ends = append(ends, l.active.size)
	}
	path := l.active.path
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	quick := testOptions()
	quick.Sync = SyncNever
	tries := 600
	if testing.Short() {
		tries = 60
	}
	for range tries {
		at := rng.IntN(len(whole))
		bad := slices.Clone(whole)
		bad[at] ^= 1 << rng.IntN(8)
		hit, _ := slices.BinarySearch(ends, int64(at)+1)
		want := model{}
		for i, ops := range batches {
			if i != hit || at < segmentHeader {
				want.apply(ops)
			}
		}
		flipped := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(flipped, filepath.Base(path)), bad, 0o600))
		l := openLog(t, flipped, quick)
		require.Equal(t, want, dump(t, l), "bit at %d of %d", at, len(whole))
		st := l.Stats()
		require.Positive(t, st.TruncatedBytes+st.CorruptBytes, "bit at %d", at)
		if hit < len(batches)-1 {
			require.EqualValues(t, 1, st.DamagedSegments, "bit at %d", at)
		}
		require.Equal(t, diskUse(t, flipped), st.DiskBytes)
		require.NoError(t, l.Close())
		l = openLog(t, flipped, quick)
		require.Equal(t, want, dump(t, l), "after salvage, bit at %d", at)
		require.Zero(t, l.Stats().CorruptBytes)
		require.NoError(t, l.Close())
	}
}
