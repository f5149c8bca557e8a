// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/k0rdent/kof/test/toolcache"
)

const (
	// What the region exporter has to reach; the last is of its CPU time by the stock exporter's.
	maxBytesPerSample = 10
	maxCPUOfStock     = 1.0
	// warmUp is how many scrapes come before the measurement: the first ones fill caches.
	warmUp = 3
)

// wire has several collectors scrape the same targets at the same time, each into a VictoriaMetrics of its own, and compares what they
// put on the wire and the CPU time that they use for it.
func wire(ctx context.Context, b *bench) error {
	interval := 5 * time.Second
	if b.short {
		interval = 3 * time.Second
	}
	scrapes := max(1, int(b.either(30*time.Second, 2*time.Minute)/interval))
	targets, err := b.startTargets(ctx, interval)
	if err != nil {
		return err
	}
	vmagent, err := toolcache.Binary(ctx, "vmagent", b.out)
	if err != nil {
		return err
	}
	scrapers := []*scraper{
		{name: "kof", binary: b.collector, args: collectorArgs},
		{name: "vmagent", binary: vmagent, args: vmagentArgs},
		{name: "stock", binary: b.self, args: stockArgs},
		{name: "receive", binary: b.self, args: stockArgs, storeless: true},
	}
	for _, s := range scrapers {
		b.note("starting %s", s.name)
		if err := s.start(ctx, b, targets); err != nil {
			return err
		}
	}
	b.note("%d scrapes to warm up, then %d of %d series each, every %s", warmUp, scrapes, targets.series, interval)
	if err := sleep(ctx, warmUp*interval); err != nil {
		return err
	}
	before, err := readAll(ctx, scrapers, targets)
	if err != nil {
		return err
	}
	window := time.Duration(scrapes) * interval
	profiled := make(chan error, len(scrapers))
	for _, s := range scrapers {
		go func() { profiled <- b.profile(ctx, s.profiles, "wire-"+s.name, window) }()
	}
	// Half an interval less, as the readings wait for a scrape.
	if err := sleep(ctx, window-interval/2); err != nil {
		return err
	}
	after, err := readAll(ctx, scrapers, targets)
	if err != nil {
		return err
	}
	for range scrapers {
		if err := <-profiled; err != nil {
			return err
		}
	}
	return b.reportWire(ctx, scrapers, before, after)
}

// reading is what a scraper has used and sent at some moment.
type reading struct {
	cpu           time.Duration
	samples, sent int64
	anonymous     int64
}

// readAll reads all scrapers, each when it has just dealt with a scrape of its largest target, so that what is between two readings are
// whole scrapes.
func readAll(ctx context.Context, scrapers []*scraper, t *targets) ([]reading, error) {
	readings := make([]reading, len(scrapers))
	errs := make([]error, len(scrapers))
	var reads sync.WaitGroup
	for i, s := range scrapers {
		reads.Go(func() { readings[i], errs[i] = s.readAfterScrape(ctx, t) })
	}
	reads.Wait()
	return readings, errors.Join(errs...)
}

// wireResult is what one scraper did in the window.
type wireResult struct {
	samples, sent int64
	bytes, cpu    float64 // per sample, seconds per million samples
}

func (b *bench) reportWire(ctx context.Context, scrapers []*scraper, before, after []reading) error {
	results := map[string]wireResult{}
	for i, s := range scrapers {
		r := wireResult{samples: after[i].samples - before[i].samples, sent: after[i].sent - before[i].sent}
		r.bytes = float64(r.sent) / float64(r.samples)
		r.cpu = (after[i].cpu - before[i].cpu).Seconds() / float64(r.samples) * 1e6
		results[s.name] = r
	}
	receive := results["receive"].cpu
	rows := [][]string{{"collector", "samples", "series", "bytes/sample", "of vmagent's", "CPU s/M samples", "of stock's", "less receiving", "of stock's", "anonymous MiB"}}
	for i, s := range scrapers {
		r := results[s.name]
		row := []string{s.name, fmt.Sprint(r.samples), "-", "-", "-", fmt.Sprintf("%.2f", r.cpu), ratio(r.cpu, results["stock"].cpu), "-", "-", mib(after[i].anonymous)}
		if !s.storeless {
			series, err := s.series(ctx)
			if err != nil {
				return err
			}
			row[2], row[3], row[4] = fmt.Sprint(series), fmt.Sprintf("%.2f", r.bytes), ratio(r.bytes, results["vmagent"].bytes)
		}
		if s.name == "kof" || s.name == "stock" {
			row[7], row[8] = fmt.Sprintf("%.2f", r.cpu-receive), ratio(r.cpu-receive, results["stock"].cpu-receive)
		}
		rows = append(rows, row)
	}
	if err := printTable(b.out, rows); err != nil {
		return err
	}
	b.target("bytes per sample on the wire", results["kof"].bytes, maxBytesPerSample, "bytes")
	b.target("CPU from the exporter's input to the wire, of the stock exporter's", (results["kof"].cpu-receive)/(results["stock"].cpu-receive), maxCPUOfStock, "times")
	return nil
}

func ratio(a, of float64) string { return fmt.Sprintf("%.2f", a/of) }
