// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/k0rdent/kof/test/chaos/clock"
	"github.com/k0rdent/kof/test/faultproxy"
)

// year is what a clock without a battery can be off by.
const year = 365 * 24 * time.Hour

// clockJumps has the collector's wall clock jump, forward and back, while all is well and while the first region's backends refuse. In
// between the collector is killed, so that what one life stored in its future is read by the next one.
func clockJumps(ctx context.Context, r *run) error {
	if err := r.start(ctx, nil); err != nil {
		return err
	}
	r.send(nil, first, other)
	jumps := []time.Duration{time.Minute, time.Hour, -time.Hour, 10 * year, -10 * year, -time.Minute}
	for range pick(r, 1, 5) {
		r.rng.Shuffle(len(jumps), func(i, j int) { jumps[i], jumps[j] = jumps[j], jumps[i] })
		for life := 0; life < len(jumps); life += 3 {
			if err := r.jump(ctx, jumps[life:life+3]); err != nil {
				return err
			}
			r.kill()
			if err := r.collector.Start(ctx); err != nil {
				return err
			}
		}
	}
	r.note("jumps between 10 years ahead and 10 years back, %d lives", r.kills+1)
	return nil
}

func (r *run) jump(ctx context.Context, jumps []time.Duration) (err error) {
	c, err := clock.Attach(r.collector.PID())
	if errors.Is(err, clock.ErrUnsupported) {
		return skipped(err.Error())
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for i, ahead := range jumps {
		fault := faultproxy.Fault{}
		if i != 1 {
			fault.Kind = faultproxy.Refuse
		}
		if err := r.fault(fault); err != nil {
			return err
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return err
		}
		if err := c.Jump(ahead); err != nil {
			return err
		}
		if err := r.requireAhead(ctx, ahead); err != nil {
			return err
		}
		if err := pause(ctx, pick(r, time.Second, 4*time.Second)); err != nil {
			return err
		}
	}
	return nil
}

// requireAhead fails when the collector's clock is not ahead by so much: its HTTP servers tell the time.
func (r *run) requireAhead(ctx context.Context, want time.Duration) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.collector.Metric, http.NoBody)
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return fmt.Errorf("the collector's clock: %w", err)
	}
	if off := time.Until(date) - want; off.Abs() > 10*time.Second {
		return fmt.Errorf("the collector's clock is %s off what it was set to", off)
	}
	return nil
}
