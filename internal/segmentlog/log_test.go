// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

func testOptions() Options {
	return Options{SegmentBytes: MinSegmentBytes, MaxBytes: 64 << 20}
}

func openLog(t testing.TB, dir string, opts Options) *Log {
	t.Helper()
	l, err := Open(dir, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

func set(k string, v []byte) *storage.Operation { return storage.SetOperation(k, v) }
func get(k string) *storage.Operation           { return storage.GetOperation(k) }
func del(k string) *storage.Operation           { return storage.DeleteOperation(k) }

func value(n, size int) []byte {
	return bytes.Repeat([]byte(fmt.Sprintf("%08d", n)), size/8+1)[:size]
}

func requireValue(t testing.TB, l *Log, k string, want []byte) {
	t.Helper()
	got, err := l.Get(k)
	require.NoError(t, err)
	require.Equal(t, want, got, "key %s", k)
}

func TestMapBehaviour(t *testing.T) {
	l := openLog(t, t.TempDir(), testOptions())
	requireValue(t, l, "absent", nil)
	require.NoError(t, l.Batch(del("absent"), del("7")))
	require.Zero(t, l.Stats().Segments, "deletes of nothing write nothing")

	for _, k := range []string{"0", "7", "007", "18446744073709551615", "18446744073709551616", "+7", "-7", "ri", "qmv0", "é\x00/..", strings.Repeat("k", MaxKeyBytes)} {
		require.NoError(t, l.Batch(set(k, []byte("value of "+k))))
	}
	for _, k := range []string{"0", "7", "007", "18446744073709551615", "18446744073709551616", "+7", "-7", "ri", "qmv0", "é\x00/..", strings.Repeat("k", MaxKeyBytes)} {
		requireValue(t, l, k, []byte("value of "+k))
	}
	require.NoError(t, l.Batch(set("empty", nil)))
	requireValue(t, l, "empty", []byte{})

	before, inside, after := get("7"), get("7"), get("7")
	require.NoError(t, l.Batch(before, set("7", []byte("a")), inside, del("7"), after, set("8", []byte("b"))))
	require.Equal(t, []byte("value of 7"), before.Value)
	require.Equal(t, []byte("a"), inside.Value)
	require.Nil(t, after.Value)
	requireValue(t, l, "7", nil)
	requireValue(t, l, "8", []byte("b"))

	stale := get("nothing")
	stale.Value = []byte("left over by the caller")
	require.NoError(t, l.Batch(stale))
	require.Nil(t, stale.Value)
}

func TestInvalidOperations(t *testing.T) {
	l := openLog(t, t.TempDir(), testOptions())
	for name, op := range map[string]*storage.Operation{
		"empty key":    set("", []byte("x")),
		"long key":     set(strings.Repeat("k", MaxKeyBytes+1), nil),
		"unknown type": {Key: "k", Type: 99},
	} {
		require.ErrorIs(t, l.Batch(set("other", []byte("x")), op), ErrInvalid, name)
	}
	requireValue(t, l, "other", nil)
}

func TestReopen(t *testing.T) {
	for _, mode := range []SyncMode{SyncInterval, SyncAlways, SyncNever} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			dir, opts := t.TempDir(), testOptions()
			opts.Sync = mode
			l := openLog(t, dir, opts)
			for n := range 300 {
				require.NoError(t, l.Batch(set(strconv.Itoa(n), value(n, 20_000)), set("meta", value(n, 100))))
				if n%3 == 0 {
					require.NoError(t, l.Batch(del(strconv.Itoa(n/3)), set("meta", value(n, 100))))
				}
				if n == 200 {
					require.NoError(t, l.Maintain())
				}
			}
			want := l.Stats()
			for range 3 {
				require.NoError(t, l.Close())
				require.NoError(t, l.Close(), "closing again does nothing")
				require.ErrorIs(t, l.Batch(set("k", nil)), ErrClosed)
				_, err := l.Get("5")
				require.ErrorIs(t, err, ErrClosed)

				l = openLog(t, dir, opts)
				require.Equal(t, want.Keys, l.Stats().Keys)
				require.Equal(t, want.LiveBytes, l.Stats().LiveBytes)
				for n := range 300 {
					if n < 100 {
						requireValue(t, l, strconv.Itoa(n), nil)
					} else {
						requireValue(t, l, strconv.Itoa(n), value(n, 20_000))
					}
				}
				requireValue(t, l, "meta", value(299, 100))
				require.NoError(t, l.Maintain())
				require.Equal(t, diskUse(t, dir), l.Stats().DiskBytes)
			}
			require.Zero(t, l.Stats().TruncatedBytes)
			require.Zero(t, l.Stats().CorruptBytes)
		})
	}
}

// diskUse sums the files of a folder.
func diskUse(t testing.TB, dir string) int64 {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var sum int64
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		sum += info.Size()
	}
	return sum
}

func TestFileModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "client")
	l := openLog(t, dir, testOptions())
	require.NoError(t, l.Batch(set("1", []byte("secret"))))
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.NotEmpty(t, entries)
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), e.Name())
	}
}

func TestConcurrentBatches(t *testing.T) {
	for _, mode := range []SyncMode{SyncInterval, SyncAlways} {
		dir, opts := t.TempDir(), testOptions()
		opts.Sync = mode
		l := openLog(t, dir, opts)
		stop := make(chan struct{})
		var maintenance, writers sync.WaitGroup
		maintenance.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = l.Maintain()
				}
			}
		})
		for w := range 8 {
			writers.Go(func() {
				for n := range 200 {
					k := strconv.Itoa(w*1_000_000 + n)
					if err := l.Batch(set(k, value(n, 3000)), set(fmt.Sprint("meta", w), []byte(k))); err != nil {
						t.Error(err)
						return
					}
					got, err := l.Get(k)
					if err != nil || !bytes.Equal(got, value(n, 3000)) {
						t.Errorf("key %s: %v", k, err)
						return
					}
					if n%2 == 0 {
						_ = l.Batch(del(k))
					}
				}
			})
		}
		writers.Wait()
		close(stop)
		maintenance.Wait()
		require.NoError(t, l.Close())
		l = openLog(t, dir, opts)
		require.Equal(t, 8*100+8, l.Stats().Keys)
		for w := range 8 {
			requireValue(t, l, strconv.Itoa(w*1_000_000+199), value(199, 3000))
			requireValue(t, l, fmt.Sprint("meta", w), []byte(strconv.Itoa(w*1_000_000+199)))
		}
	}
}
