// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/k0rdent/kof/test/chaos/collector"
	"github.com/k0rdent/kof/test/chaos/load"
	"github.com/k0rdent/kof/test/chaos/stores"
	"github.com/k0rdent/kof/test/faultproxy"
)

// failoverTimeout bounds how long the switch to the stand-in and back may take; the settings say some seconds.
const failoverTimeout = time.Minute

// failover ends the first region's backends until its lanes have switched to the region that stands in, and starts them again.
func failover(ctx context.Context, r *run) error {
	r.may.standIn = standIn
	d := r.directoryOf(first, other, standIn).change(first, func(d *directoryRegion) { d.Failover = []string{standIn} })
	if err := d.write(r.directoryPath()); err != nil {
		return err
	}
	if err := r.start(ctx, nil); err != nil {
		return err
	}
	r.send(nil, first, other)
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	servers := r.places[first].servers
	if err := r.fault(faultproxy.Fault{Kind: faultproxy.Refuse}); err != nil {
		return err
	}
	// Jaeger keeps its traces in memory: it stays up behind the closed port.
	for _, s := range []func() error{servers.Metrics.Shutdown, servers.Logs.Shutdown} {
		if err := s(); err != nil {
			return err
		}
	}
	down := time.Now()
	if err := r.untilSwitched(ctx, 1); err != nil {
		return err
	}
	r.note("away after %.1f s", time.Since(down).Seconds())
	if err := pause(ctx, pick(r, 2*time.Second, 20*time.Second)); err != nil {
		return err
	}
	for _, s := range []func(context.Context) error{servers.Metrics.Restart, servers.Logs.Restart} {
		if err := s(ctx); err != nil {
			return err
		}
	}
	if err := r.fault(faultproxy.Fault{}); err != nil {
		return err
	}
	up := time.Now()
	if err := r.untilSwitched(ctx, 2); err != nil {
		return err
	}
	r.note("back after %.1f s", time.Since(up).Seconds())
	back := map[load.Lane]int{}
	for _, s := range r.sendersOf(first) {
		back[s.Lane] = s.Report().Requests * s.PerRequest
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	r.check = func(f *facts) { checkFailover(f, back) }
	return nil
}

func (r *run) untilSwitched(ctx context.Context, times int64) error {
	return r.untilLanes(ctx, failoverTimeout, first, func(t collector.Telemetry, l load.Lane) bool { return t.Failovers[l] >= times })
}

// checkFailover objects when the stand-in got nothing, or anything that was sent after the return.
func checkFailover(f *facts, back map[load.Lane]int) {
	for lane, n := range back {
		away, home := f.found[standIn][lane], f.found[first][lane]
		if len(away) == 0 {
			f.problems = append(f.problems, name(lane)+": nothing in the stores of the region that stands in")
		}
		if last := newest(away); last >= n {
			f.problems = append(f.problems, name(lane)+": the stand-in got records after the return")
		}
		if last := newest(home); last < n {
			f.problems = append(f.problems, name(lane)+": nothing came home after the return")
		}
	}
}

func newest(c stores.Counts) int {
	last := -1
	for n := range c {
		last = max(last, n)
	}
	return last
}
