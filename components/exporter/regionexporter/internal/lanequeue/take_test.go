// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBatchesByBytes(t *testing.T) {
	size := int(storedSize(t, rec("0", 1)))
	for _, test := range []struct {
		name  string
		bytes int
		put   []string
		want  [][]string
	}{
		{"exactly full", 2 * size, []string{"0", "1", "2", "3"}, [][]string{{"0", "1"}, {"2", "3"}}},
		{"one byte short", 2*size - 1, []string{"0", "1"}, [][]string{{"0"}, {"1"}}},
		{"one byte spare", 2*size + 1, []string{"0", "1", "2"}, [][]string{{"0", "1"}, {"2"}}},
		{"too large alone", size + 5, []string{"0", "large large large", "1"}, [][]string{{"0"}, {"large large large"}, {"1"}}},
		{"too large first", size, []string{"large large large", "0"}, [][]string{{"large large large"}, {"0"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			opts := testOptions()
			opts.BatchBytes = test.bytes
			q := openT(t, newMemStore().client(), opts)
			for _, text := range test.put {
				putT(t, q, rec(text, 1))
			}
			var got [][]string
			for {
				recs, err := q.TakeWaiting(t.Context())
				require.NoError(t, err)
				if len(recs) == 0 {
					break
				}
				got = append(got, texts(recs))
			}
			require.Equal(t, test.want, got)
		})
	}
}

// Reading ahead must not take or skip what the batch has no room for, however uneven the records are.
func TestBatchesOfUnevenRecords(t *testing.T) {
	opts := testOptions()
	opts.BatchBytes = 4096
	q := openT(t, newMemStore().client(), opts)
	var put []string
	for i := range 500 {
		text := fmt.Sprintf("%03d%s", i, strings.Repeat("x", i*i%3000))
		put = append(put, text)
		putT(t, q, rec(text, 1))
	}
	var got []string
	for {
		recs := takeT(t, q)
		if len(recs) == 0 {
			break
		}
		bytes := 0
		for _, r := range recs {
			bytes += r.stored
		}
		require.LessOrEqual(t, bytes, 4096)
		got = append(got, texts(recs)...)
		deliverT(t, q, recs)
	}
	require.Equal(t, put, got)
}

func TestBatchDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := testOptions()
		opts.BatchDelay = time.Second
		size := storedSize(t, rec("a", 1))
		opts.BatchBytes = int(3 * size)
		q := openT(t, newMemStore().client(), opts)
		take := func() ([]string, time.Duration) {
			start := time.Now()
			recs, err := q.Take(t.Context())
			require.NoError(t, err)
			return texts(recs), time.Since(start)
		}
		later := func(after time.Duration, text string) {
			time.AfterFunc(after, func() { _ = q.Put(t.Context(), rec(text, 1), Dropped{}) })
		}

		// A batch that doesn't fill up leaves when its first record has waited.
		later(0, "a")
		later(600*time.Millisecond, "b")
		got, waited := take()
		require.Equal(t, []string{"a", "b"}, got)
		require.Equal(t, time.Second, waited)

		// One that fills up leaves at once, and what is left waits no longer than its own first record allows.
		later(0, "c")
		later(100*time.Millisecond, "d")
		later(200*time.Millisecond, "e")
		got, waited = take()
		require.Equal(t, []string{"c", "d", "e"}, got)
		require.Equal(t, 200*time.Millisecond, waited)

		later(0, "f")
		later(0, "g")
		later(0, "h")
		later(0, "i")
		synctest.Wait()
		got, waited = take()
		require.Len(t, got, 3)
		require.Zero(t, waited)
		got, waited = take()
		require.Len(t, got, 1)
		require.LessOrEqual(t, waited, time.Second)

		// A record that comes to a queue that was empty for long waits for company, too.
		time.Sleep(time.Minute)
		later(0, "j")
		got, waited = take()
		require.Equal(t, []string{"j"}, got)
		require.Equal(t, time.Second, waited)
	})
}

func TestTakeEnds(t *testing.T) {
	for name, end := range map[string]func(q *Queue, cancel func()){
		"with its context": func(_ *Queue, cancel func()) { cancel() },
		"with the queue":   func(q *Queue, _ func()) { _ = q.Close(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := testOptions()
				opts.BatchDelay = time.Hour
				q := openT(t, newMemStore().client(), opts)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				var wg sync.WaitGroup
				for range 3 { // one gathers, the others wait for their turn
					wg.Go(func() {
						_, err := q.Take(ctx)
						require.Error(t, err)
					})
				}
				synctest.Wait()
				putT(t, q, rec("a", 1)) // too small to leave
				synctest.Wait()
				end(q, cancel)
				wg.Wait()
			})
		})
	}
}

// Several producers and takers at once: each record comes out exactly once, and batches hold neighbours only.
func TestConcurrentUse(t *testing.T) {
	for name, client := range clients(t) {
		t.Run(name, func(t *testing.T) {
			opts := testOptions()
			opts.BatchBytes, opts.BatchDelay = 400, time.Millisecond
			q := openT(t, client, opts)
			const producers, each = 4, 200
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var (
				working, taking sync.WaitGroup
				mu              sync.Mutex
				seen            = map[string]int{}
			)
			for p := range producers {
				working.Go(func() {
					for i := range each {
						if err := q.Put(ctx, rec(fmt.Sprintf("%d-%d", p, i), 1), Dropped{}); err != nil {
							t.Error(err)
						}
					}
				})
			}
			for range 3 {
				taking.Go(func() {
					for {
						recs, err := q.Take(ctx)
						if err != nil {
							return
						}
						for i := range recs[1:] {
							if recs[i+1].seq != recs[i].seq+1 {
								t.Errorf("a batch has records %d and %d side by side", recs[i].seq, recs[i+1].seq)
							}
						}
						mu.Lock()
						for _, text := range texts(recs) {
							seen[text]++
						}
						mu.Unlock()
						if err := q.Settle(ctx, recs, Outcome{Delivered: itemsOf(recs)}); err != nil {
							t.Error(err)
						}
						if q.Totals().DeliveredItems == producers*each {
							_ = q.Close(ctx)
						}
					}
				})
			}
			working.Wait()
			taking.Wait()
			require.NoError(t, ctx.Err())
			require.Len(t, seen, producers*each)
			for text, n := range seen {
				require.Equal(t, 1, n, text)
			}
			require.EqualValues(t, producers*each, q.Totals().DeliveredItems)
			require.Zero(t, q.Totals().HeldItems)
			require.Zero(t, q.Totals().HeldBytes)
		})
	}
}

// Large records behind many small ones must not come into memory together: what a take reads is bounded in bytes.
func TestTakeReadsNoMoreThanABatch(t *testing.T) {
	store := newMemStore()
	opts := testOptions()
	opts.BatchBytes = 10_000
	q := openT(t, store.client(), opts)
	large := strings.Repeat("x", 40_000)
	want := int64(0)
	for i := range 3000 {
		text := "small"
		if i >= 20 && i < 50 {
			text = large
		}
		putT(t, q, rec(text, 1))
		want++
	}
	for {
		recs := takeT(t, q)
		if len(recs) == 0 {
			break
		}
		deliverT(t, q, recs)
	}
	require.Equal(t, want, q.Totals().DeliveredItems)
	require.LessOrEqual(t, store.mostRead, opts.BatchBytes+len(large)+100)
}
