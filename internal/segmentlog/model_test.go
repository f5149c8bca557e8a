// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// model is what a log is to behave like.
type model map[string]string

func (m model) apply(ops []*storage.Operation) {
	for _, op := range ops {
		switch op.Type {
		case storage.Set:
			m[op.Key] = string(op.Value)
		case storage.Delete:
			delete(m, op.Key)
		}
	}
}

func (m model) clone() model {
	c := model{}
	for k, v := range m {
		c[k] = v
	}
	return c
}

// dump reads everything that is in a log.
func dump(t testing.TB, l *Log) model {
	m := model{}
	for k := range l.keys.all() {
		v, err := l.Get(k.String())
		require.NoError(t, err)
		m[k.String()] = string(v)
	}
	return m
}

// randomBatch is made of what queues and checkpoint stores do, and of what nobody should.
func randomBatch(rng *rand.Rand, head, tail *uint64) []*storage.Operation {
	random := func() string {
		switch rng.IntN(4) {
		case 0:
			return fmt.Sprint("name-", rng.IntN(8))
		case 1:
			return strconv.FormatUint(rng.Uint64(), 10)
		default:
			return strconv.FormatUint(*tail+rng.Uint64N(*head-*tail+3), 10)
		}
	}
	blob := func() []byte {
		b := make([]byte, rng.IntN(300))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	var ops []*storage.Operation
	switch rng.IntN(4) {
	case 0, 1: // offer
		ops = append(ops, set(strconv.FormatUint(*head, 10), blob()), set("meta", blob()))
		*head++
	case 2: // done
		for range rng.IntN(5) {
			if *tail < *head {
				ops = append(ops, del(strconv.FormatUint(*tail, 10)))
				*tail++
			}
		}
		ops = append(ops, set("meta", blob()))
	default:
		for range 1 + rng.IntN(6) {
			if rng.IntN(2) == 0 {
				ops = append(ops, set(random(), blob()))
			} else {
				ops = append(ops, del(random()))
			}
		}
	}
	return ops
}

func TestModel(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 2
	}
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(seed), 1))
			dir := t.TempDir()
			opts := Options{SegmentBytes: 4 << 10, MaxBytes: 64 << 20, Sync: SyncMode(seed % 3)}
			if opts.Sync == SyncAlways && seed > 2 {
				opts.Sync = SyncInterval // one round with it is enough, it is slow
			}
			want := model{}
			var head, tail uint64
			l := openLog(t, dir, opts)
			for step := range 3000 {
				switch {
				case rng.IntN(100) == 0:
					require.NoError(t, l.Close())
					l = openLog(t, dir, opts)
					require.Equal(t, want, dump(t, l), "step %d", step)
				case rng.IntN(30) == 0:
					require.NoError(t, l.Maintain())
				case rng.IntN(200) == 0:
					l.commitMu.Lock()
					if len(l.order) > 0 {
						require.NoError(t, l.rewrite(l.order[rng.IntN(len(l.order))]))
					}
					l.commitMu.Unlock()
				case rng.IntN(200) == 0:
					// What a crash leaves: the same files, without the goodbye of Close.
					copied := copyFolder(t, dir)
					other := openLog(t, copied, opts)
					require.Equal(t, want, dump(t, other), "step %d", step)
					require.Zero(t, other.Stats().TruncatedBytes)
					require.Zero(t, other.Stats().CorruptBytes)
				default:
					ops := randomBatch(rng, &head, &tail)
					require.NoError(t, l.Batch(ops...))
					want.apply(ops)
				}
				if step%500 == 0 {
					checkBooks(t, l)
				}
			}
			require.Equal(t, want, dump(t, l))
			checkBooks(t, l)
		})
	}
}

// checkBooks recomputes what a log books as it goes.
func checkBooks(t testing.TB, l *Log) {
	t.Helper()
	var liveBytes int64
	live := map[uint32]int{}
	for k, loc := range l.keys.all() {
		liveBytes += charge(k, int64(loc.length))
		live[loc.segment]++
	}
	require.Equal(t, liveBytes, l.liveBytes)
	for _, s := range l.order {
		require.Equal(t, live[s.id], s.live)
	}
	require.Equal(t, diskUse(t, l.dir), l.disk.Load())
}

func copyFolder(t testing.TB, dir string) string {
	t.Helper()
	to := t.TempDir()
	require.NoError(t, os.CopyFS(to, os.DirFS(dir)))
	return to
}
