// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/k0rdent/kof/test/load/child"
	"github.com/k0rdent/kof/test/load/feed"
)

const (
	// maxBacklogMemory is how many bytes a backlog in a dead region's lane may take above an idle collector.
	maxBacklogMemory = 32 << 20
	// idleFor is how long a collector that has just started is left alone before it counts as idle.
	idleFor = 10 * time.Second
)

// footprint is what a collector holds.
type footprint struct {
	child.Memory
	heap int64 // live and not yet collected objects of Go's heap
}

// memory measures what a collector with a large backlog for a dead region holds in memory, above what it holds when idle.
func memory(ctx context.Context, b *bench) error {
	if b.backlog == 0 {
		b.backlog = 1 << 30
		if b.short {
			b.backlog = 256 << 20
		}
	}
	backlog := b.backlog
	port, err := freePort() // nobody listens there
	if err != nil {
		return err
	}
	c, err := b.startKOF(ctx, "kof", laneBytes, region{Name: brokenRegion, Logs: fmt.Sprintf("http://127.0.0.1:%d/v1/logs", port)})
	if err != nil {
		return err
	}
	defer c.Kill()
	if err := sleep(ctx, idleFor); err != nil {
		return err
	}
	idle, err := c.footprint(ctx, true)
	if err != nil {
		return err
	}
	if err := b.profile(ctx, c.Profiles, "memory-idle", 0); err != nil {
		return err
	}

	b.note("building a backlog of %s MiB", mib(backlog))
	began := time.Now()
	peak, err := b.fill(ctx, c, backlog)
	if err != nil {
		return err
	}
	took := time.Since(began)
	if err := b.profile(ctx, c.Profiles, "memory-backlog", 0); err != nil {
		return err
	}
	after, err := c.footprint(ctx, false)
	if err != nil {
		return err
	}
	// The runtime gives memory back in the background, over some seconds.
	for range 2 {
		if _, err = c.footprint(ctx, true); err != nil {
			return err
		}
		if err := sleep(ctx, b.either(5*time.Second, 30*time.Second)); err != nil {
			return err
		}
	}
	rest, err := c.footprint(ctx, true)
	if err != nil {
		return err
	}

	rows := [][]string{{"kof-otelcol, " + b.storage, "anonymous MiB", "above idle", "Go heap MiB", "above idle", "mapped files MiB"}}
	for _, r := range []struct {
		when string
		footprint
	}{
		{"idle", idle}, {fmt.Sprintf("highest while %s MiB/s came in", mib(int64(float64(backlog)/took.Seconds()))), peak},
		{"right after", after}, {"at rest", rest},
	} {
		rows = append(rows, []string{
			r.when, mib(r.Anonymous), mib(r.Anonymous - idle.Anonymous), mib(r.heap), mib(r.heap - idle.heap), mib(r.File),
		})
	}
	if err := printTable(b.out, rows); err != nil {
		return err
	}
	b.target(fmt.Sprintf("anonymous memory at rest with a backlog of %s MiB, above idle", mib(backlog)), float64(rest.Anonymous-idle.Anonymous)/(1<<20), maxBacklogMemory>>20, "MiB")
	return nil
}

// fill sends until a collector holds so many bytes, and returns the most that it had in memory meanwhile.
func (b *bench) fill(ctx context.Context, c *logsCollector, bytes int64) (peak footprint, err error) {
	makers, err := replays([]string{c.Regions[0].Name, c.Regions[0].Name}, fullRecords)
	if err != nil {
		return peak, err
	}
	f := feed.Start(c.logsURL(), 0, makers...)
	defer func() { err = errors.Join(err, f.Stop()) }()
	for {
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return peak, err
		}
		if err := c.Alive(); err != nil {
			return peak, err
		}
		now, err := c.footprint(ctx, false)
		if err != nil {
			return peak, err
		}
		peak.Anonymous, peak.heap, peak.File = max(peak.Anonymous, now.Anonymous), max(peak.heap, now.heap), max(peak.File, now.File)
		figures, err := c.figures(ctx)
		if err != nil {
			return peak, err
		}
		if int64(figures.sum("otelcol_kof_region_held_bytes")) >= bytes {
			return peak, nil
		}
	}
}

// footprint reads what the collector holds; collected has it collect garbage first.
func (c *logsCollector) footprint(ctx context.Context, collected bool) (f footprint, err error) {
	if collected {
		if _, err := get(ctx, fmt.Sprintf("http://127.0.0.1:%d/debug/pprof/heap?gc=1", c.Profiles)); err != nil {
			return f, err
		}
	}
	figures, err := c.figures(ctx)
	if err != nil {
		return f, err
	}
	f.heap = int64(figures.sum("otelcol_process_runtime_heap_alloc_bytes"))
	f.Memory, err = c.Memory()
	return f, err
}
