// SPDX-License-Identifier: Apache-2.0

//go:build linux

package queuestorageextension

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// backlogBytes is how much a measurement writes and drains; QUEUE_STORAGE_BACKLOG_MB changes it.
func backlogBytes() int {
	if n, err := strconv.Atoi(os.Getenv("QUEUE_STORAGE_BACKLOG_MB")); err == nil {
		return n << 20
	}
	return 256 << 20
}

type contender struct {
	name  string
	start func(testing.TB, string) storage.Extension
}

func contenders() []contender {
	ours := func(p FsyncPolicy) func(testing.TB, string) storage.Extension {
		return func(t testing.TB, dir string) storage.Extension {
			return start(t, dir, func(c *Config) {
				c.SegmentBytes, c.Fsync, c.FsyncInterval = defaultSegmentBytes, p, defaultFsyncInterval
				c.MaxBytesPerClient, c.MaxBytes = 64<<30, 64<<30
			})
		}
	}
	stock := func(fsync bool) func(testing.TB, string) storage.Extension {
		return func(t testing.TB, dir string) storage.Extension { return startStock(t, dir, fsync) }
	}
	return []contender{
		{"stock", stock(false)}, {"ours", ours(FsyncInterval)},
		{"stock_fsync", stock(true)}, {"ours_always", ours(FsyncAlways)},
		{"ours_never", ours(FsyncNever)},
	}
}

// figures of one backlog: rates in MB/s (10^6 bytes), sizes in bytes. openFull is opening the client with all of it.
type figures struct {
	write, drain       float64
	writeCPU, drainCPU float64 // seconds of processor time of the whole process
	full, left         int64   // on disk
	heap, rss          int64   // above what there was without the backlog
	openFull           time.Duration
}

// measureBacklog writes a backlog as a queue does, reads and deletes it all, and tells how that went.
func measureBacklog(t testing.TB, c contender, size, total int) (f figures) {
	ctx := context.Background()
	dir := t.TempDir()
	values := make([][]byte, 8)
	for i := range values {
		values[i] = make([]byte, size)
		for j := range values[i] {
			values[i][j] = byte(rand.Uint32())
		}
	}
	meta := make([]byte, 100)
	e := c.start(t, dir)
	client := open(t, e, "logs")
	items := total / size
	heap, rss := memory()

	began, cpu := time.Now(), processorTime()
	for n := range items {
		require.NoError(t, client.Batch(ctx, storage.SetOperation(strconv.Itoa(n), values[n%len(values)]), storage.SetOperation("meta", meta)))
	}
	f.write = float64(items*size) / 1e6 / time.Since(began).Seconds()
	f.writeCPU = processorTime() - cpu
	f.full = used(dir)
	fullHeap, fullRSS := memory()
	f.heap, f.rss = fullHeap-heap, fullRSS-rss
	runtime.KeepAlive(values)

	require.NoError(t, client.Close(ctx))
	began = time.Now()
	client = open(t, e, "logs")
	f.openFull = time.Since(began)

	began, cpu = time.Now(), processorTime()
	for n := range items {
		k := strconv.Itoa(n)
		v, err := client.Get(ctx, k)
		require.NoError(t, err)
		require.Len(t, v, size)
		require.NoError(t, client.Batch(ctx, storage.DeleteOperation(k), storage.SetOperation("meta", meta)))
	}
	f.drain = float64(items*size) / 1e6 / time.Since(began).Seconds()
	f.drainCPU = processorTime() - cpu
	if c.name != "stock" && c.name != "stock_fsync" {
		for deadline := time.Now().Add(5 * time.Second); used(dir) > 2<<20 && time.Now().Before(deadline); {
			time.Sleep(50 * time.Millisecond) // the goroutine of the extension is at it
		}
	}
	f.left = used(dir)
	require.NoError(t, client.Close(ctx))
	require.NoError(t, e.Shutdown(ctx))
	return f
}

func used(dir string) (sum int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil
	})
	return sum
}

func processorTime() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// memory returns the bytes of the heap in use after a collection, and the resident bytes of the process.
func memory() (heap, rss int64) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b, _ := os.ReadFile("/proc/self/statm")
	if fields := strings.Fields(string(b)); len(fields) > 1 {
		pages, _ := strconv.ParseInt(fields[1], 10, 64)
		rss = pages * int64(os.Getpagesize())
	}
	return int64(m.HeapAlloc), rss
}

// BenchmarkBacklog writes and drains a whole backlog per iteration: use it with -benchtime=3x.
func BenchmarkBacklog(b *testing.B) {
	for _, size := range []int{100_000, 1_000_000} {
		for _, c := range contenders() {
			b.Run(fmt.Sprintf("%s/%dKB", c.name, size/1000), func(b *testing.B) {
				var all []figures
				for b.Loop() {
					all = append(all, measureBacklog(b, c, size, backlogBytes()))
				}
				m := medians(all)
				b.ReportMetric(m.write, "write-MB/s")
				b.ReportMetric(m.drain, "drain-MB/s")
				b.ReportMetric(float64(m.left)/1e6, "MB-left")
			})
		}
	}
}

func medians(all []figures) figures {
	pick := func(value func(figures) float64) float64 {
		var values []float64
		for _, f := range all {
			values = append(values, value(f))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return figures{
		write:    pick(func(f figures) float64 { return f.write }),
		drain:    pick(func(f figures) float64 { return f.drain }),
		writeCPU: pick(func(f figures) float64 { return f.writeCPU }),
		drainCPU: pick(func(f figures) float64 { return f.drainCPU }),
		full:     int64(pick(func(f figures) float64 { return float64(f.full) })),
		left:     int64(pick(func(f figures) float64 { return float64(f.left) })),
		heap:     int64(pick(func(f figures) float64 { return float64(f.heap) })),
		rss:      int64(pick(func(f figures) float64 { return float64(f.rss) })),
		openFull: time.Duration(pick(func(f figures) float64 { return float64(f.openFull) })),
	}
}

// TestCompare prints ours beside the stock file storage, taking turns in one process, medians of QUEUE_STORAGE_ROUNDS
// rounds. It only runs when QUEUE_STORAGE_SIZES gives sizes of items in bytes, such as "1000,100000,1000000".
func TestCompare(t *testing.T) {
	sizes := os.Getenv("QUEUE_STORAGE_SIZES")
	if sizes == "" {
		t.Skip("QUEUE_STORAGE_SIZES is not set")
	}
	rounds, _ := strconv.Atoi(os.Getenv("QUEUE_STORAGE_ROUNDS"))
	only := os.Getenv("QUEUE_STORAGE_ONLY")
	fmt.Printf("%d MB, medians of %d rounds\n", backlogBytes()>>20, max(rounds, 1))
	fmt.Printf("%8s %-12s %10s %10s %9s %9s %9s %9s %9s %9s %9s\n", "item", "storage", "write MB/s", "drain MB/s", "write CPU", "drain CPU", "full MB", "left MB", "heap MB", "RSS MB", "open")
	for _, s := range strings.Split(sizes, ",") {
		size, err := strconv.Atoi(s)
		require.NoError(t, err)
		all := map[string][]figures{}
		for range max(rounds, 1) {
			for _, c := range contenders() {
				if only == "" || slices.Contains(strings.Split(only, ","), c.name) {
					all[c.name] = append(all[c.name], measureBacklog(t, c, size, backlogBytes()))
				}
			}
		}
		for _, c := range contenders() {
			if len(all[c.name]) == 0 {
				continue
			}
			m := medians(all[c.name])
			fmt.Printf("%8d %-12s %10.0f %10.0f %8.2fs %8.2fs %9.1f %9.1f %9.1f %9.1f %9s\n", size, c.name, m.write, m.drain, m.writeCPU, m.drainCPU,
				float64(m.full)/1e6, float64(m.left)/1e6, float64(m.heap)/1e6, float64(m.rss)/1e6, m.openFull.Round(100*time.Microsecond))
		}
		for _, pair := range [][2]string{{"ours", "stock"}, {"ours_always", "stock_fsync"}} {
			if len(all[pair[0]]) > 0 && len(all[pair[1]]) > 0 {
				a, b := medians(all[pair[0]]), medians(all[pair[1]])
				fmt.Printf("%8d %s/%s: write %.1fx, drain %.1fx; processor time: write 1/%.1f, drain 1/%.1f\n", size, pair[0], pair[1],
					a.write/b.write, a.drain/b.drain, b.writeCPU/a.writeCPU, b.drainCPU/a.drainCPU)
			}
		}
	}
}
