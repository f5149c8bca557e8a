// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/k0rdent/kof/test/chaos/collector"
	"github.com/k0rdent/kof/test/faultproxy"
)

// kill kills the collector at random moments, every now and then while it starts. In some of its lives the first region's backends
// don't answer, so that there is a backlog to survive.
func kill(ctx context.Context, r *run) error {
	if err := r.start(ctx, nil); err != nil {
		return err
	}
	r.send(nil, first, other)
	cycles := pick(r, 10, 100)
	faults := []faultproxy.Fault{{}, {}, {Kind: faultproxy.Refuse}, {Kind: faultproxy.Blackhole}, {Kind: faultproxy.Answer, Status: 503}}
	backlogs := 0
	for range cycles {
		if err := r.fault(faults[r.rng.IntN(len(faults))]); err != nil {
			return err
		}
		if err := pause(ctx, r.between(200*time.Millisecond, 1500*time.Millisecond)); err != nil {
			return err
		}
		if r.kind == collector.KOF {
			t, err := r.collector.Telemetry(ctx)
			if err != nil {
				return err
			}
			if t.Held() > 0 {
				backlogs++
			}
		}
		r.kill()
		if r.rng.IntN(4) == 0 {
			if err := r.collector.Launch(); err != nil {
				return err
			}
			if err := pause(ctx, r.between(20*time.Millisecond, 600*time.Millisecond)); err != nil {
				return err
			}
			r.kill()
		}
		if err := r.collector.Start(ctx); err != nil {
			return err
		}
	}
	r.note("%d kills", r.kills)
	if r.kind == collector.KOF {
		r.note("%d of them with something held", backlogs)
	}
	return nil
}
