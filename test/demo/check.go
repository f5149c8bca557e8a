// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/k0rdent/kof/test/demo/agent"
	"github.com/k0rdent/kof/test/demo/truth"
)

const (
	// maxIDs bounds what a check remembers of what was sent, some 100 bytes each.
	maxIDs = 2_000_000
	// arriveIn bounds the wait for everything to arrive after the sources have ended.
	arriveIn = 90 * time.Second
	// giveUpAfter is how long the number of missing records may stay the same: backends show new data after seconds, and
	// the agent tries again every 5 s (agent.yaml).
	giveUpAfter = 20 * time.Second
	// settle is longer than one collection of this machine's metrics takes.
	settle = time.Second
)

// checker runs the sources for a time and proves where everything went.
type checker struct {
	stack    *stack
	live     *live
	out      io.Writer
	duration time.Duration
	outage   bool
}

// verdict is what a check found out.
type verdict struct {
	comparison comparison
	lanes      map[truth.Key]agent.Lane
	sources    map[truth.Source]uint64
	refused    uint64 // items that were not remembered
	rotations  uint64 // of pod log files
	outage     *outageReport
	idleRSS    int64
	sourceErr  error
}

func (c *checker) run(ctx context.Context) (verdict, error) {
	var v verdict
	var forgotten foundIDs
	if err := c.wait(ctx, c.duration/3); err != nil {
		return v, err
	}
	if c.outage {
		report, err := c.breakRegion(ctx)
		if err != nil {
			return v, err
		}
		v.outage, forgotten = &report, foundIDs{otherRegion: report.forgotten}
	}
	if err := c.wait(ctx, c.duration-c.duration/3); err != nil {
		return v, err
	}
	fmt.Fprintln(c.out, "stopping the sources")
	v.rotations = c.stack.writer.Rotations()
	v.sourceErr = c.stack.stopSources()
	cut, err := c.cut(ctx)
	if err != nil {
		return v, err
	}
	if v.comparison, err = c.arrived(ctx, cut, forgotten); err != nil {
		return v, err
	}
	v.sources, v.refused = c.stack.truth.Sources(), c.stack.truth.Refused()
	if v.lanes, err = c.lanes(ctx); err != nil {
		return v, err
	}
	fmt.Fprintf(c.out, "measuring an idle agent for %s\n", idleFor)
	v.idleRSS, err = idleRSS(ctx, c.stack)
	return v, err
}

// wait shows the table for the given time.
func (c *checker) wait(ctx context.Context, d time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	if err := c.live.run(limited); err != nil {
		return err
	}
	return ctx.Err()
}

// cut waits for a pause between two collections of this machine's metrics.
func (c *checker) cut(ctx context.Context) (hostCut, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*hostInterval)
	defer cancel()
	for {
		before, err := c.stack.agent.Telemetry(ctx)
		if err != nil {
			return hostCut{}, err
		}
		at := time.Now()
		select {
		case <-ctx.Done():
			return hostCut{}, fmt.Errorf("no pause between collections of this machine's metrics: %w", ctx.Err())
		case <-time.After(settle):
		}
		after, err := c.stack.agent.Telemetry(ctx)
		if err != nil {
			return hostCut{}, err
		}
		if n := after.Received[hostReceiver]; n == before.Received[hostReceiver] && n > 0 {
			return hostCut{at: at, received: int(n)}, nil
		}
	}
}

// arrived compares until nothing is missing and the agent holds nothing that could still arrive, or until waiting longer is of
// no use.
func (c *checker) arrived(ctx context.Context, cut hostCut, forgotten foundIDs) (comparison, error) {
	deadline, change, missing := time.Now().Add(arriveIn), time.Now(), -1
	for {
		idle, err := c.nothingHeld(ctx)
		if err != nil {
			return comparison{}, err
		}
		got, err := c.stack.compareAll(ctx, cut, forgotten)
		if err != nil {
			return comparison{}, err
		}
		if got.missing() != missing {
			change, missing = time.Now(), got.missing()
		}
		if (missing == 0 && idle) || time.Since(change) > giveUpAfter || time.Now().After(deadline) {
			return got, nil
		}
		fmt.Fprintf(c.out, "%d of the records that were sent are not in a backend yet\n", missing)
		select {
		case <-ctx.Done():
			return comparison{}, ctx.Err()
		case <-c.stack.agent.Exited():
			return comparison{}, fmt.Errorf("%w; its log ends with:\n%s", errAgentEnded, c.stack.agentLogTail())
		case <-time.After(2 * time.Second):
		}
	}
}

// nothingHeld says whether the lanes of known regions are empty, but those of metrics: the agent itself goes on to make
// these, of this machine and of the targets that it can't scrape any more.
func (c *checker) nothingHeld(ctx context.Context) (bool, error) {
	t, err := c.stack.agent.Telemetry(ctx)
	if err != nil {
		return false, err
	}
	for key, lane := range t.Lanes {
		if key.Region != unknownLane && key.Signal != truth.Metrics && lane.Held != 0 {
			return false, nil
		}
	}
	return true, nil
}

// lanes reads the ledger until it adds up: the numbers of one reading need not be of one moment.
func (c *checker) lanes(ctx context.Context) (map[truth.Key]agent.Lane, error) {
	for try := 1; ; try++ {
		t, err := c.stack.agent.Telemetry(ctx)
		if err != nil {
			return nil, err
		}
		if len(t.Lanes) == 0 {
			return nil, errors.New("the agent's own metrics have no ledger of the region exporter")
		}
		if residual(t.Lanes) == 0 || try == 10 {
			return t.Lanes, nil
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// residual adds up what the lanes can't account for, whether too much or too little.
func residual(lanes map[truth.Key]agent.Lane) int64 {
	var sum int64
	for _, lane := range lanes {
		sum += max(lane.Residual(), -lane.Residual())
	}
	return sum
}
