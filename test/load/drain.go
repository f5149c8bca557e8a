// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/faultproxy"
	"github.com/k0rdent/kof/test/load/feed"
	"github.com/k0rdent/kof/test/load/tap"
	"github.com/k0rdent/kof/test/toolcache"
)

const (
	// minDrain is how many times as fast as it came in a backlog has to go out.
	minDrain = 3
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
	diskFloor, disk, diskEnd int64
	diskTook                 time.Duration // from the last delivery to the disk's being given back
	peak                     int64         // anonymous memory
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
	rows := [][]string{{"collector", "storage", "through MiB/s", "write MiB/s", "drain MiB/s", "drain/through", "disk MiB: floor", "full", "end", "given back after", "anonymous MiB, highest"}}
	for i, r := range results {
		storage := b.storage
		if i > 0 {
			storage = fileStorage
		}
		rows = append(rows, []string{
			r.name, storage, mib(int64(r.ingest)), mib(int64(r.write)), mib(int64(r.drain)), ratio(r.drain, r.ingest),
			mib(r.diskFloor), mib(r.disk), mib(r.diskEnd), r.diskTook.Round(100 * time.Millisecond).String(), mib(r.peak),
		})
	}
	if err := printTable(b.out, rows); err != nil {
		return err
	}
	b.targetAtLeast("drain by the rate at which full load passes through", kof.drain/kof.ingest, minDrain, "times")
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

// drainRun is one collector on its way through the steps.
type drainRun struct {
	*bench
	collector *logsCollector
	tap       *tap.Tap
	proxy     *faultproxy.Proxy
	d         *drained
	// accepted is what the collector has taken, in records; recordBytes is the size of one.
	accepted    int64
	recordBytes float64
}

// feedFull sends as fast as the collector takes it, until done says so.
func (r *drainRun) feedFull(ctx context.Context, done func(sent feed.Report) bool) (report feed.Report, took time.Duration, err error) {
	makers, err := replays([]string{brokenRegion, brokenRegion}, fullRecords)
	if err != nil {
		return report, 0, err
	}
	f := feed.Start(r.collector.otlpURL(), 0, makers...)
	began := time.Now()
	for err == nil && !done(f.Report()) {
		err = errors.Join(sleep(ctx, 20*time.Millisecond), r.collector.Alive(), r.watchMemory())
	}
	err = errors.Join(err, f.Stop())
	took = time.Since(began)
	report = f.Report()
	if err == nil && report.Requests == 0 {
		err = fmt.Errorf("%s took nothing: %w", r.d.name, report.LastRefusal)
	}
	r.accepted += report.Requests * fullRecords
	if report.Requests > 0 {
		r.recordBytes = float64(report.Bytes) / float64(report.Requests*fullRecords)
	}
	return report, took, err
}

func (r *drainRun) watchMemory() error {
	m, err := r.collector.Memory()
	r.d.peak = max(r.d.peak, m.Anonymous)
	return err
}

// through measures the rate at which the region takes records at full load.
func (r *drainRun) through(ctx context.Context) error {
	r.note("%s: full load", r.d.name)
	defer r.profiled(ctx, "through")()
	length := r.either(8*time.Second, 30*time.Second)
	var begun time.Time
	var before, after int64
	_, _, err := r.feedFull(ctx, func(feed.Report) bool {
		switch {
		case begun.IsZero() && r.tap.Totals().Records > 0:
			begun, before = time.Now(), r.tap.Totals().Records
		case !begun.IsZero() && time.Since(begun) >= length:
			after = r.tap.Totals().Records
			return true
		}
		return false
	})
	if err != nil {
		return err
	}
	r.d.ingest = float64(after-before) / length.Seconds() * r.recordBytes
	if err := r.awaitDelivery(ctx, func() {}); err != nil {
		return err
	}
	if err := sleep(ctx, 2*time.Second); err != nil { // for the storage to tidy up
		return err
	}
	r.d.diskFloor, err = diskUse(r.collector.queueDir())
	return err
}

// fillUp builds the backlog while the region is dead.
func (r *drainRun) fillUp(ctx context.Context) error {
	r.note("%s: dead region, backlog", r.d.name)
	if err := r.proxy.Set(faultproxy.Fault{Kind: faultproxy.Answer, Status: http.StatusServiceUnavailable}); err != nil {
		return err
	}
	report, took, err := r.feedFull(ctx, func(sent feed.Report) bool { return sent.Bytes >= r.backlog })
	if err != nil {
		return err
	}
	r.d.write = float64(report.Bytes) / took.Seconds()
	r.d.disk, err = diskUse(r.collector.queueDir())
	return err
}

// profiled takes a CPU profile of kof-otelcol meanwhile, and returns what waits for it.
func (r *drainRun) profiled(ctx context.Context, step string) (wait func()) {
	if r.d.name != "kof" { // the other one has no profiles
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.profile(ctx, r.collector.Profiles, "drain-"+step, profileFor); err != nil {
			r.note("%v", err)
		}
	}()
	return func() { <-done }
}

// letOut measures from the first delivery on.
func (r *drainRun) letOut(ctx context.Context) error {
	r.note("%s: region is back, %s MiB to deliver", r.d.name, mib(int64(float64(r.accepted-r.tap.Totals().Records)*r.recordBytes)))
	defer r.profiled(ctx, "drain")()
	if err := r.proxy.Set(faultproxy.Fault{}); err != nil {
		return err
	}
	at := r.tap.Totals().Records
	var begun time.Time
	if err := r.awaitDelivery(ctx, func() {
		if now := r.tap.Totals().Records; begun.IsZero() && now > at {
			begun, at = time.Now(), now
		}
	}); err != nil {
		return err
	}
	r.d.drain = float64(r.accepted-at) / time.Since(begun).Seconds() * r.recordBytes
	return nil
}

// awaitDelivery waits until the region has all that the collector took; it calls look again and again.
func (r *drainRun) awaitDelivery(ctx context.Context, look func()) error {
	ctx, cancel := context.WithTimeoutCause(ctx, drainLimit, fmt.Errorf("%s: not all was delivered within %s", r.d.name, drainLimit))
	defer cancel()
	for r.tap.Totals().Records < r.accepted {
		look()
		if err := errors.Join(sleep(ctx, 10*time.Millisecond), r.collector.Alive(), r.watchMemory()); err != nil {
			return fmt.Errorf("%w; %d of %d records arrived", err, r.tap.Totals().Records, r.accepted)
		}
	}
	return nil
}

// giveBack waits until the disk is back at the floor, or until it has had its time.
func (r *drainRun) giveBack(ctx context.Context) (err error) {
	limit := diskTimeout
	if r.short {
		limit = 10 * time.Second
	}
	began := time.Now()
	for {
		if r.d.diskEnd, err = diskUse(r.collector.queueDir()); err != nil {
			return err
		}
		if r.d.diskTook = time.Since(began); r.d.diskEnd <= r.d.diskFloor || r.d.diskTook >= limit {
			return nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}
