// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/k0rdent/kof/test/chaos/collector"
	"github.com/k0rdent/kof/test/chaos/load"
)

const (
	// drainTimeout bounds how long a collector may take to deliver what it holds when nothing is broken any more.
	drainTimeout = 2 * time.Minute
	// stuckAfter is how long what it holds must not change before it counts as held for good: several times what a retry waits.
	stuckAfter = 30 * time.Second
	// settledAfter is how long the stores must not change before a collector that doesn't tell what it holds counts as drained.
	settledAfter = 12 * time.Second
	poll         = 200 * time.Millisecond
)

// finish heals everything, waits until the collector has delivered what it holds, and judges the run.
func (r *run) finish(ctx context.Context) (result, error) {
	if !r.keepFaults {
		if err := r.heal(); err != nil {
			return result{}, err
		}
	}
	r.stopSending()
	f := &facts{may: r.may, problems: r.problems}
	if r.kind == collector.KOF {
		telemetry, err := r.drain(ctx)
		if err != nil {
			return result{}, err
		}
		f.ledger = &telemetry
		if f.lanes, err = r.laneFacts(telemetry.Failovers); err != nil {
			return result{}, err
		}
		if f.found, err = r.read(ctx); err != nil {
			return result{}, err
		}
		if err := r.collector.Stop(); err != nil {
			f.problems = append(f.problems, err.Error())
		}
	} else {
		var err error
		if f.lanes, err = r.laneFacts(nil); err != nil {
			return result{}, err
		}
		if err := r.settle(ctx, f); err != nil {
			return result{}, err
		}
		if err := r.collector.Alive(); err != nil {
			f.problems = append(f.problems, err.Error())
		}
	}
	panics, err := r.collector.Panics()
	if err != nil {
		return result{}, err
	}
	for _, line := range panics {
		f.problems = append(f.problems, "the collector's log has: "+line)
	}
	if r.check != nil {
		r.check(f)
	}
	return f.judge(), nil
}

// drain waits until the collector holds nothing, or always the same, or for drainTimeout.
func (r *run) drain(ctx context.Context) (collector.Telemetry, error) {
	var t collector.Telemetry
	held, since := int64(-1), time.Now()
	err := r.until(ctx, drainTimeout, func() (bool, error) {
		var err error
		if t, err = r.collector.Telemetry(ctx); err != nil {
			return false, err
		}
		if now := t.Held(); now != held {
			held, since = now, time.Now()
		}
		return held == 0 || time.Since(since) > stuckAfter, nil
	})
	if errors.Is(err, errTooLong) {
		return t, nil // what it holds is judged
	}
	return t, err
}

// settle waits until nothing acknowledged is missing, or until the stores don't change any more.
func (r *run) settle(ctx context.Context, f *facts) error {
	changed, before := time.Now(), -1
	for {
		var err error
		if f.found, err = r.read(ctx); err != nil {
			return err
		}
		now := f.judge()
		if now.lost == 0 || time.Since(changed) > settledAfter {
			return nil
		}
		if now.delivered != before {
			changed, before = time.Now(), now.delivered
		}
		if err := pause(ctx, 2*time.Second); err != nil {
			return err
		}
	}
}

var errTooLong = errors.New("took too long")

// until polls until done says so. The error is errTooLong after the timeout; an error of done counts only then.
func (r *run) until(ctx context.Context, timeout time.Duration, done func() (bool, error)) error {
	deadline := time.Now().Add(timeout)
	for {
		ok, err := done()
		if ok {
			return nil
		}
		if r.collector != nil {
			if alive := r.collector.Alive(); alive != nil {
				return alive
			}
		}
		if time.Now().After(deadline) {
			if err != nil {
				return err
			}
			return fmt.Errorf("%w: %s", errTooLong, timeout)
		}
		if err := pause(ctx, poll); err != nil {
			return err
		}
	}
}

// pause waits; the error is that of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// untilLanes polls until each lane of a region meets the condition.
func (r *run) untilLanes(ctx context.Context, timeout time.Duration, region string, meets func(collector.Telemetry, load.Lane) bool) error {
	return r.until(ctx, timeout, func() (bool, error) {
		t, err := r.collector.Telemetry(ctx)
		if err != nil {
			return false, err
		}
		for _, s := range load.Signals() {
			if !meets(t, load.Lane{Region: region, Signal: s}) {
				return false, nil
			}
		}
		return true, nil
	})
}
