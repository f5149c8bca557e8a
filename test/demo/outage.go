// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/k0rdent/kof/test/demo/agent"
	"github.com/k0rdent/kof/test/demo/found"
	"github.com/k0rdent/kof/test/demo/truth"
)

const (
	outageFor = 15 * time.Second
	// outageLag is how old a record of the healthy region may be and still be held, and how long the dead region's
	// requests that were under way may take to fail.
	outageLag = 5 * time.Second
)

// outageReport is what was seen while one region's backends were down.
type outageReport struct {
	down      time.Duration
	forgotten map[string]int // spans that the region's Jaeger held when it was ended
	// held is what the region's lanes held at the end; problems says what was not as it has to be.
	held     map[truth.Key]int64
	problems []string
}

// breakRegion ends all backends of otherRegion for a while.
//
// VictoriaMetrics and VictoriaLogs are shut down in order while everything goes on, because what they have acknowledged
// within the last second before a kill -9 is lost inside them, which is not the agent's doing. Jaeger's memory store
// forgets all when it ends: the region's requests pause until all its spans have been found, and these are remembered.
func (c *checker) breakRegion(ctx context.Context) (outageReport, error) {
	region, running := c.stack.regions[otherRegion], c.stack.shops[otherRegion]
	if err := running.Pause(ctx); err != nil {
		return outageReport{}, err
	}
	if err := c.allSpansFound(ctx, otherRegion); err != nil {
		return outageReport{}, err
	}
	spans, err := c.stack.storedSpans(ctx, otherRegion)
	if err != nil {
		return outageReport{}, err
	}
	report := outageReport{forgotten: spans, held: map[truth.Key]int64{}}
	fmt.Fprintf(c.out, "ending the backends of %s for %s\n", otherRegion, outageFor)
	if err := region.Shutdown(); err != nil {
		return report, err
	}
	down := time.Now()
	running.Resume()
	seen, err := c.observe(ctx, down.Add(outageFor))
	if err != nil {
		return report, err
	}
	report.judge(seen)
	fmt.Fprintf(c.out, "starting the backends of %s again\n", otherRegion)
	err = region.Restart(ctx)
	report.down = time.Since(down)
	return report, err
}

// allSpansFound waits until the region's Jaeger has shown every span that was sent.
func (c *checker) allSpansFound(ctx context.Context, region string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("spans sent before the outage did not arrive"))
	defer cancel()
	pending := c.stack.pending[region]
	own, _ := c.stack.tracedServices(region)
	for {
		oldest, ok := pending.Oldest()
		if !ok {
			return nil
		}
		ids, err := found.SpanIDs(ctx, c.stack.regions[region].Traces, own, oldest.Add(-time.Second))
		if err != nil {
			return err
		}
		pending.Found(ids)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// moment is one reading of the agent's ledger.
type moment struct {
	at    time.Time
	lanes map[truth.Key]agent.Lane
}

// observe reads the ledger and shows the table until the given time.
func (c *checker) observe(ctx context.Context, until time.Time) ([]moment, error) {
	var seen []moment
	shown := time.Now()
	for time.Now().Before(until) {
		t, err := c.stack.agent.Telemetry(ctx)
		if err != nil {
			return nil, err
		}
		seen = append(seen, moment{at: time.Now(), lanes: t.Lanes})
		if time.Since(shown) > outageLag {
			shown = time.Now()
			if err := c.live.paint(c.live.watch.snapshot()); err != nil {
				return nil, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
	return seen, nil
}

// judge compares the ledger at the end of the outage with that outageLag before and that outageLag after its beginning.
func (r *outageReport) judge(seen []moment) {
	if len(seen) < 3 {
		r.problems = append(r.problems, "the outage was too short to see anything")
		return
	}
	last := seen[len(seen)-1]
	early, late := seen[0], seen[0]
	for _, m := range seen {
		if m.at.Sub(seen[0].at) <= outageLag {
			early = m
		}
		if last.at.Sub(m.at) >= outageLag {
			late = m
		}
	}
	for _, signal := range truth.Signals() {
		dead := truth.Key{Region: otherRegion, Signal: signal}
		r.held[dead] = last.lanes[dead].Held
		if last.lanes[dead].Held <= early.lanes[dead].Held {
			r.problems = append(r.problems, fmt.Sprintf("%s %s: held did not rise (%d, then %d)",
				dead.Region, signal, early.lanes[dead].Held, last.lanes[dead].Held))
		}
		if n := last.lanes[dead].Delivered - early.lanes[dead].Delivered; n != 0 {
			r.problems = append(r.problems, fmt.Sprintf("%s %s: %d items delivered to backends that were down", dead.Region, signal, n))
		}
		healthy := truth.Key{Region: homeRegion, Signal: signal}
		if n := late.lanes[healthy].Accepted - last.lanes[healthy].Delivered; n > 0 {
			r.problems = append(r.problems, fmt.Sprintf("%s %s: %d items were held for more than %s although its backend was up",
				healthy.Region, signal, n, outageLag))
		}
	}
}
