// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/k0rdent/kof/test/faultproxy"
	"github.com/k0rdent/kof/test/load/feed"
	"github.com/k0rdent/kof/test/load/tap"
)

// drainRun is one collector on its way through the steps.
type drainRun struct {
	*bench
	collector *logsCollector
	tap       *tap.Tap
	proxy     *faultproxy.Proxy
	d         *drained
	accepted  int64 // records that the collector has taken
}

// feedFull sends as fast as the collector takes it, until done says so.
func (r *drainRun) feedFull(ctx context.Context, done func(sent feed.Report) bool) (report feed.Report, took time.Duration, err error) {
	makers, err := replays([]string{brokenRegion, brokenRegion}, fullRecords)
	if err != nil {
		return report, 0, err
	}
	f := feed.Start(r.collector.logsURL(), 0, makers...)
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
		r.d.recordBytes = float64(report.Bytes) / float64(report.Requests*fullRecords)
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
	cpu, err := r.collector.CPU()
	if err != nil {
		return err
	}
	var begun time.Time
	var before, after int64
	if _, _, err := r.feedFull(ctx, func(feed.Report) bool {
		switch {
		case begun.IsZero() && r.tap.Totals().Records > 0:
			begun, before = time.Now(), r.tap.Totals().Records
		case !begun.IsZero() && time.Since(begun) >= length:
			after = r.tap.Totals().Records
			return true
		}
		return false
	}); err != nil {
		return err
	}
	r.d.ingest = float64(after-before) / length.Seconds() * r.d.recordBytes
	if err := r.awaitDelivery(ctx, func() {}); err != nil {
		return err
	}
	if r.d.ingestCPU, err = r.cpuPerGiB(cpu, r.accepted); err != nil {
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
	r.note("%s: region is back, %s MiB to deliver", r.d.name, mib(int64(float64(r.accepted-r.tap.Totals().Records)*r.d.recordBytes)))
	defer r.profiled(ctx, "drain")()
	if err := r.proxy.Set(faultproxy.Fault{}); err != nil {
		return err
	}
	at := r.tap.Totals().Records
	waiting := r.accepted - at
	cpu, err := r.collector.CPU()
	if err != nil {
		return err
	}
	var begun time.Time
	if err := r.awaitDelivery(ctx, func() {
		if now := r.tap.Totals().Records; begun.IsZero() && now > at {
			begun, at = time.Now(), now
		}
	}); err != nil {
		return err
	}
	r.d.drain = float64(r.accepted-at) / time.Since(begun).Seconds() * r.d.recordBytes
	r.d.drainCPU, err = r.cpuPerGiB(cpu, waiting)
	return err
}

// cpuPerGiB is the CPU time in seconds that the collector has used since some moment for so many records, by their size. Unlike rates it
// says little of what else the machine does.
func (r *drainRun) cpuPerGiB(since time.Duration, records int64) (float64, error) {
	now, err := r.collector.CPU()
	return (now - since).Seconds() / (float64(records) * r.d.recordBytes) * (1 << 30), err
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
