// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestGroupCommit has many writers wait for the disk at the same time: they share syncs.
func TestGroupCommit(t *testing.T) {
	opts := testOptions()
	opts.Sync = SyncAlways
	var syncs atomic.Int64
	slow := make(chan struct{})
	opts.Synced = func(time.Duration, error) {
		if syncs.Add(1) == 1 {
			<-slow // meanwhile all others queue up
		}
	}
	l := openLog(t, t.TempDir(), opts)
	var writers sync.WaitGroup
	for w := range 50 {
		writers.Go(func() {
			if err := l.Batch(set(strconv.Itoa(w), value(w, 1000))); err != nil {
				t.Error(err)
			}
		})
	}
	require.Eventually(t, func() bool {
		l.queueMu.Lock()
		defer l.queueMu.Unlock()
		return len(l.queue) == 49
	}, 10*time.Second, time.Millisecond)
	close(slow)
	writers.Wait()
	require.EqualValues(t, 2, syncs.Load())
	require.Equal(t, 50, l.Stats().Keys)
}

// TestPowerLoss keeps of the files what the last sync made durable, without those that were removed since.
func TestPowerLoss(t *testing.T) {
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 2))
		opts := Options{SegmentBytes: 4 << 10, MaxBytes: 64 << 20}
		dir := t.TempDir()
		l := openLog(t, dir, opts)
		want := model{}
		var head, tail uint64
		durable, then := copyFolder(t, dir), want.clone()
		for range 1500 {
			ops := randomBatch(rng, &head, &tail)
			require.NoError(t, l.Batch(ops...))
			want.apply(ops)
			if rng.IntN(40) == 0 {
				require.NoError(t, l.Maintain())
				require.NoError(t, l.sync(false))
				durable, then = copyFolder(t, dir), want.clone()
			}
			if rng.IntN(60) == 0 && len(l.order) > 0 {
				l.commitMu.Lock()
				require.NoError(t, l.rewrite(l.order[rng.IntN(len(l.order))]))
				l.commitMu.Unlock()
			}
			if rng.IntN(40) == 0 {
				left := t.TempDir()
				for _, path := range listed(t, dir, segmentSuffix) {
					b, err := os.ReadFile(filepath.Join(durable, filepath.Base(path)))
					if err == nil {
						require.NoError(t, os.WriteFile(filepath.Join(left, filepath.Base(path)), b, 0o600))
					}
				}
				o := opts
				o.Sync = SyncNever
				other := openLog(t, left, o)
				require.Equal(t, then, dump(t, other))
				require.NoError(t, other.Close())
			}
		}
	}
}

// unsyncable is a file that can be opened but not synced.
func unsyncable(t *testing.T) *os.File {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	return w
}

func TestSyncFailure(t *testing.T) {
	l := openLog(t, t.TempDir(), testOptions())
	fill(t, l, 0, 25, 100_000)
	require.NoError(t, l.Maintain())
	drain(t, l, 0, 20)
	require.NotEmpty(t, l.dropped)
	segments := len(listed(t, l.dir, segmentSuffix))

	good := l.active.file
	l.active.file = unsyncable(t)
	require.Error(t, l.Maintain())
	require.EqualValues(t, 1, l.Stats().SyncFailures)
	require.Len(t, listed(t, l.dir, segmentSuffix), segments, "what the disk may not know is not relied on")
	l.active.file = good
	require.NoError(t, l.Maintain())
	require.EqualValues(t, 1, l.Stats().SyncFailures)
	require.Less(t, len(listed(t, l.dir, segmentSuffix)), segments)
	checkBooks(t, l)
}

func TestWriteFailure(t *testing.T) {
	l := openLog(t, t.TempDir(), testOptions())
	fill(t, l, 0, 5, 1000)
	good := l.active
	file := good.file
	good.file = unsyncable(t) // a pipe can't be written at an offset either
	require.Error(t, l.Batch(set("5", []byte("lost")), del("0")))
	good.file = file
	requireValue(t, l, "5", nil)
	requireValue(t, l, "0", value(0, 1000))
	fill(t, l, 6, 9, 1000)
	require.NotSame(t, good, l.active, "a file that failed is left")
	require.NoError(t, l.Close())
	l = openLog(t, l.dir, testOptions())
	require.Equal(t, 5+3+1, l.Stats().Keys)
}
