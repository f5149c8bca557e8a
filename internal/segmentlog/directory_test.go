// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseNumber(t *testing.T) {
	for _, s := range []string{"0", "7", "10", "18446744073709551615"} {
		n, ok := parseNumber(s)
		require.True(t, ok, s)
		require.Equal(t, s, strconv.FormatUint(n, 10))
	}
	for _, s := range []string{"", "00", "07", "-1", "+1", " 1", "1 ", "1e3", "0x1", "18446744073709551616", "99999999999999999999", "100000000000000000000", "٣"} {
		_, ok := parseNumber(s)
		require.False(t, ok, s)
	}
}

func TestDirectoryAgainstMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	d, want := newDirectory(), map[uint64]location{}
	edges := []uint64{0, 1, 63, 64, 65, 127, 128, math.MaxUint64, math.MaxUint64 - 1, math.MaxUint64 - 64}
	for range 20_000 {
		n := rng.Uint64N(500)
		if rng.IntN(10) == 0 {
			n = edges[rng.IntN(len(edges))]
		}
		loc := location{segment: rng.Uint32(), offset: rng.Uint32(), length: rng.Uint32(), crc: rng.Uint32()}
		before, had := want[n]
		switch rng.IntN(3) {
		case 0:
			old, ok := d.delete(key{num: n})
			require.Equal(t, had, ok)
			require.Equal(t, before, old)
			delete(want, n)
		default:
			old, ok := d.set(key{num: n}, loc)
			require.Equal(t, had, ok)
			require.Equal(t, before, old)
			want[n] = loc
		}
		require.Equal(t, len(want), d.len())
		got, ok := d.get(key{num: n})
		loc, had = want[n]
		require.Equal(t, had, ok)
		require.Equal(t, loc, got)

		if rng.IntN(50) == 0 {
			r := keyRange{rng.Uint64N(400), 0}
			r.last = r.first + rng.Uint64N(300)
			if rng.IntN(4) == 0 {
				r.last = math.MaxUint64
			}
			var inside []uint64
			for n := range want {
				if n >= r.first && n <= r.last {
					inside = append(inside, n)
				}
			}
			slices.Sort(inside)
			require.Equal(t, inside, d.within(r))
			checkAbsent(t, d, r, inside)
		}
	}
	var keys []uint64
	for k, loc := range d.all() {
		require.Equal(t, want[k.num], loc)
		keys = append(keys, k.num)
	}
	require.Len(t, keys, len(want))
	require.True(t, slices.IsSorted(keys))
}

// checkAbsent wants the ranges and the keys between them to make up r.
func checkAbsent(t *testing.T, d *directory, r keyRange, present []uint64) {
	l := &Log{keys: d}
	var all []keyRange
	for _, part := range l.absent(r) {
		require.LessOrEqual(t, part.first, part.last)
		require.Empty(t, d.within(part))
		all = append(all, part)
	}
	for _, n := range present {
		all = append(all, keyRange{n, n})
	}
	require.Equal(t, []keyRange{r}, mergeRanges(all))
}

func TestMergeRanges(t *testing.T) {
	const top = math.MaxUint64
	require.Empty(t, mergeRanges(nil))
	require.Equal(t, []keyRange{{1, 9}}, mergeRanges([]keyRange{{5, 9}, {1, 4}, {2, 3}}))
	require.Equal(t, []keyRange{{1, 3}, {5, 9}}, mergeRanges([]keyRange{{5, 9}, {1, 3}}))
	require.Equal(t, []keyRange{{0, top}}, mergeRanges([]keyRange{{7, top}, {0, 6}, {top, top}}))
}

// TestMemoryOfKeys bounds what a live key costs in memory: a backlog of 1 GB in items of 1 kB has a million of them.
func TestMemoryOfKeys(t *testing.T) {
	const keys = 1_000_000
	for name, test := range map[string]struct {
		step  uint64
		limit int
	}{"in sequence": {1, 24}, "no two are neighbours": {1000, 100}} {
		t.Run(name, func(t *testing.T) {
			before := heapBytes()
			d := newDirectory()
			for n := range uint64(keys) {
				d.set(key{num: n * test.step}, location{})
			}
			per := (heapBytes() - before) / keys
			t.Logf("%d bytes a key", per)
			require.LessOrEqual(t, per, test.limit)
			for n := range uint64(keys) {
				d.delete(key{num: n * test.step})
			}
			require.Less(t, heapBytes()-before, 1<<20, "memory is given back with the keys")
			runtime.KeepAlive(d)
		})
	}
}

func heapBytes() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
