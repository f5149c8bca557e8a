// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/faultproxy"
	"github.com/k0rdent/kof/test/load/tap"
	"github.com/k0rdent/kof/test/toolcache"
)

const (
	// minDrain is how many times as fast as a busy node's lines come in a backlog has to go out.
	minDrain = 3
	// busyNode is that node's lines per second.
	busyNode = 10_000
	// maxDiskLeft is what may be on disk above the floor when all is delivered: what the storage takes at once when it starts to write.
	maxDiskLeft = 64 << 20
	// diskTimeout is how long the disk may take to be given back.
	diskTimeout = time.Minute
	drainLimit  = 20 * time.Minute
	profileFor  = 5 * time.Second
)

// drained is what was measured of one collector. Rates are in bytes of log records before compression, as they were sent to it.
type drained struct {
	name                     string
	ingest, write, drain     float64 // bytes per second
	ingestCPU, drainCPU      float64 // seconds per GiB
	diskFloor, disk, diskEnd int64
	diskTook                 time.Duration // from the last delivery to the disk's being given back
	peak                     int64         // anonymous memory
	recordBytes              float64       // size of a record
}

// drain measures how fast logs pass through a collector at full load, how fast a backlog is written while the region is dead, and how
// fast it goes out when the region is back.
func drain(ctx context.Context, b *bench) error {
	if b.backlog == 0 {
		b.backlog = 1 << 30
		if b.short {
			b.backlog = 192 << 20
		}
	}
	results := make([]drained, 0, 2)
	kof, err := b.drainOne(ctx, "kof", func(r region) (*logsCollector, error) { return b.startKOF(ctx, "kof", laneBytes, r) })
	if err != nil {
		return err
	}
	results = append(results, kof)
	if b.stock {
		binary, err := toolcache.Binary(ctx, "stock-otelcol", b.out)
		if err != nil {
			return err
		}
		other, err := b.drainOne(ctx, "stock", func(r region) (*logsCollector, error) { return b.startStock(ctx, binary, "stock", laneBytes, r) })
		if err != nil {
			return err
		}
		results = append(results, other)
	}
	rows := [][]string{{"collector", "storage", "through MiB/s", "write MiB/s", "drain MiB/s", "drain/through", "CPU s/GiB through", "drain", "disk MiB: floor", "full", "end", "given back after", "anonymous MiB, highest"}}
	for i, r := range results {
		storage := b.storage
		if i > 0 {
			storage = fileStorage
		}
		rows = append(rows, []string{
			r.name, storage, mib(int64(r.ingest)), mib(int64(r.write)), mib(int64(r.drain)), ratio(r.drain, r.ingest),
			fmt.Sprintf("%.2f", r.ingestCPU), fmt.Sprintf("%.2f", r.drainCPU),
			mib(r.diskFloor), mib(r.disk), mib(r.diskEnd), r.diskTook.Round(100 * time.Millisecond).String(), mib(r.peak),
		})
	}
	if err := printTable(b.out, rows); err != nil {
		return err
	}
	b.targetAtLeast(fmt.Sprintf("drain by what a node with %d lines a second takes in", busyNode), kof.drain/(busyNode*kof.recordBytes), minDrain, "times")
	b.target("disk above the floor after draining", float64(kof.diskEnd-kof.diskFloor)/(1<<20), maxDiskLeft>>20, "MiB")
	if len(results) > 1 {
		fmt.Fprintf(b.out, "drain by the stock collector's: %s times\n", ratio(kof.drain, results[1].drain))
	}
	return nil
}

func (b *bench) drainOne(ctx context.Context, name string, start func(region) (*logsCollector, error)) (d drained, err error) {
	d.name = name
	target, path := "", "/v1/logs"
	if !b.sink {
		store, err := backends.StartVictoriaLogs(ctx, backends.Options{Name: "store of " + name, Dir: b.join("store-" + name)})
		if err != nil {
			return d, err
		}
		defer func() { err = errors.Join(err, store.Stop()) }()
		target, path = store.URL, "/insert/opentelemetry/v1/logs"
	}
	t, err := tap.Start(target)
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	proxy, err := faultproxy.Start(t.URL())
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, proxy.Close()) }()
	c, err := start(region{Name: brokenRegion, Logs: proxy.URL() + path})
	if err != nil {
		return d, err
	}
	defer c.Kill()
	r := &drainRun{bench: b, collector: c, tap: t, proxy: proxy, d: &d}
	for _, step := range []func(context.Context) error{r.through, r.fillUp, r.letOut, r.giveBack} {
		if err := step(ctx); err != nil {
			return d, err
		}
	}
	return d, nil
}
