// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/faultproxy"
	"github.com/k0rdent/kof/test/load/feed"
	"github.com/k0rdent/kof/test/load/tap"
)

const (
	// maxBulkheadChange is by how many percent a region may get worse when another one breaks.
	maxBulkheadChange = 5

	healthyRegion = "healthy"
	brokenRegion  = "broken"
	// A request of the paced load has so many records for each region, one request every pacedInterval.
	pacedRecords  = 50
	pacedInterval = 20 * time.Millisecond
	// A request of the full load has so many records of one region.
	fullRecords = 500
	// settle is how long the load runs before the measurement.
	settle = 3 * time.Second
	// laneBytes bounds a lane's queue: more than any phase can fill.
	laneBytes = 16 << 30
)

// faults are what the other region may be like.
var faults = []struct {
	name string
	faultproxy.Fault
}{
	{"dead", faultproxy.Fault{Kind: faultproxy.Refuse}},
	{"1 byte/s", faultproxy.Fault{Kind: faultproxy.Slow}},
	{"refuses (503)", faultproxy.Fault{Kind: faultproxy.Answer, Status: http.StatusServiceUnavailable}},
	{"never answers", faultproxy.Fault{Kind: faultproxy.Blackhole}},
}

// phase is what was measured of the healthy region in one collector.
type phase struct {
	rate     float64 // records per second that the store took
	p50, p99 time.Duration
}

// bulkhead measures one region's throughput and latency in two collectors at the same time: in one of them the other region is healthy, in
// the other one it is broken. What else the machine does meets both alike.
func bulkhead(ctx context.Context, b *bench) error {
	undisturbed, err := b.startTwoRegions(ctx)
	if err != nil {
		return err
	}
	disturbed, err := b.startTwoRegions(ctx)
	if err != nil {
		return err
	}
	length, repeats, kinds, loads := b.either(10*time.Second, 20*time.Second), 3, faults, []bool{true, false}
	if b.short {
		repeats, kinds, loads = 1, faults[:3], loads[:1]
	}
	rows := [][]string{{"load", "other region", "records/s undisturbed", "disturbed", "change", "p50 undisturbed", "disturbed", "p99 undisturbed", "disturbed", "change"}}
	var verdicts []func()
	for _, paced := range loads {
		load := map[bool]string{true: "paced", false: "full"}[paced]
		for _, fault := range kinds {
			var pairs [][2]phase
			for i := range repeats {
				b.note("%s load, other region: %s, %d of %d", load, fault.name, i+1, repeats)
				if err := disturbed.proxies[1].Set(fault.Fault); err != nil {
					return err
				}
				pair, err := b.bulkheadPair(ctx, undisturbed, disturbed, paced, fmt.Sprintf("%s-%s-%d", load, fault.Kind, i), length)
				if err != nil {
					return err
				}
				pairs = append(pairs, pair)
			}
			slower, rate := middle(pairs, func(p [2]phase) float64 { return -change(p[0].rate, p[1].rate) })
			row := []string{load, fault.name, fmt.Sprintf("%.0f", rate[0].rate), fmt.Sprintf("%.0f", rate[1].rate), fmt.Sprintf("%+.1f %%", -slower)}
			what := fmt.Sprintf("%s load, other region %s", load, fault.name)
			verdicts = append(verdicts, func() { b.target(what+": throughput lost", slower, maxBulkheadChange, "%") })
			if paced { // at full load everything waits in the queue
				later, p := middle(pairs, func(p [2]phase) float64 { return change(p[0].p99.Seconds(), p[1].p99.Seconds()) })
				row = append(row, fmt.Sprint(p[0].p50), fmt.Sprint(p[1].p50), fmt.Sprint(p[0].p99), fmt.Sprint(p[1].p99), fmt.Sprintf("%+.1f %%", later))
				verdicts = append(verdicts, func() { b.target(what+": p99 above", later, maxBulkheadChange, "%") })
			}
			rows = append(rows, row)
		}
	}
	if err := printTable(b.out, rows); err != nil {
		return err
	}
	for _, verdict := range verdicts {
		verdict()
	}
	return nil
}

// middle returns the median of a figure, and the pair that has it.
func middle(pairs [][2]phase, of func([2]phase) float64) (float64, [2]phase) {
	sorted := slices.SortedFunc(slices.Values(pairs), func(a, b [2]phase) int { return cmp.Compare(of(a), of(b)) })
	m := sorted[len(sorted)/2]
	return of(m), m
}

// twoRegions are the stores of two regions, each behind a tap and a proxy that can break it.
type twoRegions struct {
	taps    [2]*tap.Tap
	proxies [2]*faultproxy.Proxy
	regions [2]region
}

func (b *bench) startTwoRegions(ctx context.Context) (*twoRegions, error) {
	w := &twoRegions{}
	for i, name := range []string{healthyRegion, brokenRegion} {
		target, path := "", "/v1/logs"
		if !b.sink {
			store, err := backends.StartVictoriaLogs(ctx, backends.Options{Name: "store of " + name})
			if err != nil {
				return nil, err
			}
			b.atEnd(store.Stop)
			target, path = store.URL, "/insert/opentelemetry/v1/logs"
		}
		var err error
		if w.taps[i], err = tap.Start(target); err != nil {
			return nil, err
		}
		b.atEnd(w.taps[i].Close)
		if w.proxies[i], err = faultproxy.Start(w.taps[i].URL()); err != nil {
			return nil, err
		}
		b.atEnd(w.proxies[i].Close)
		w.regions[i] = region{Name: name, Logs: w.proxies[i].URL() + path}
	}
	return w, nil
}

// bulkheadPair measures both at the same time, with new collectors.
func (b *bench) bulkheadPair(ctx context.Context, undisturbed, disturbed *twoRegions, paced bool, name string, length time.Duration) (pair [2]phase, err error) {
	var collectors [2]*logsCollector
	var feeds [2]*feed.Feed
	sides := [2]*twoRegions{undisturbed, disturbed}
	for i, w := range sides {
		if collectors[i], err = b.startKOF(ctx, fmt.Sprintf("%s-%d", name, i), laneBytes, w.regions[:]...); err != nil {
			return pair, err
		}
		defer collectors[i].Kill() // its backlog is of no interest
	}
	for i, c := range collectors {
		if feeds[i], err = startLoad(c, paced); err != nil {
			return pair, err
		}
		defer func() { err = errors.Join(err, feeds[i].Stop()) }()
	}
	if err := sleep(ctx, settle); err != nil {
		return pair, err
	}
	for _, w := range sides {
		w.taps[0].Measure()
	}
	began := time.Now()
	if err := sleep(ctx, length); err != nil {
		return pair, err
	}
	took := time.Since(began).Seconds()
	for i, w := range sides {
		ages := w.taps[0].Measure()
		if ages.Count() == 0 {
			return pair, fmt.Errorf("nothing arrived in the healthy region; %+v; %w", feeds[i].Report(), collectors[i].Alive())
		}
		pair[i] = phase{rate: float64(ages.Count()) / took, p50: ages.Quantile(0.5), p99: ages.Quantile(0.99)}
	}
	return pair, errors.Join(collectors[0].Alive(), collectors[1].Alive())
}

func startLoad(c *logsCollector, paced bool) (*feed.Feed, error) {
	names := []string{healthyRegion, brokenRegion}
	if paced {
		lines := feed.NewLines(10_000)
		return feed.Start(c.logsURL(), pacedInterval, func(at time.Time) ([]byte, error) {
			return lines.Request(names, pacedRecords, at)
		}), nil
	}
	makers, err := replays(names, fullRecords)
	if err != nil {
		return nil, err
	}
	return feed.Start(c.logsURL(), 0, makers...), nil
}

// replays returns for each region a maker of requests that costs nothing: it repeats some that it has made before.
func replays(regions []string, records int) ([]feed.Request, error) {
	const different = 16
	lines := feed.NewLines(different * records)
	var makers []feed.Request
	for _, name := range regions {
		var bodies [][]byte
		for range different {
			body, err := lines.Request([]string{name}, records, time.Now())
			if err != nil {
				return nil, err
			}
			bodies = append(bodies, body)
		}
		next := 0
		makers = append(makers, func(time.Time) ([]byte, error) {
			next++
			return bodies[next%different], nil
		})
	}
	return makers, nil
}
