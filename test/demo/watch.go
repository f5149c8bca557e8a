// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/k0rdent/kof/test/demo/agent"
	"github.com/k0rdent/kof/test/demo/truth"
)

const (
	readEvery   = time.Second
	readTimeout = 10 * time.Second
	maxPause    = 10 * time.Second
)

// reading is what one backend was last seen to hold.
type reading struct {
	found, wrong int64
	read         bool // at least once
	err          error
}

// watch keeps reading the agent and all backends, each in a goroutine of its own, so that one that is down or slow does
// not hold up the others.
type watch struct {
	stack  *stack
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu        sync.Mutex
	readings  map[truth.Key]reading
	telemetry agent.Telemetry
	agentErr  error
}

// startWatch begins to read. The caller must call stop.
func startWatch(ctx context.Context, s *stack) *watch {
	ctx, cancel := context.WithCancel(ctx)
	w := &watch{stack: s, cancel: cancel, readings: map[truth.Key]reading{}}
	for _, r := range regions {
		for _, signal := range truth.Signals() {
			w.wg.Go(func() {
				w.keep(ctx, func(ctx context.Context) error { return w.readBackend(ctx, truth.Key{Region: r.name, Signal: signal}) })
			})
		}
	}
	w.wg.Go(func() { w.keep(ctx, w.readAgent) })
	return w
}

func (w *watch) stop() {
	w.cancel()
	w.wg.Wait()
}

// keep repeats f until ctx ends.
func (w *watch) keep(ctx context.Context, f func(context.Context) error) {
	for {
		begin := time.Now()
		readCtx, cancel := context.WithTimeout(ctx, readTimeout)
		err := f(readCtx)
		cancel()
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause(time.Since(begin), err)):
		}
	}
}

// pause returns how long to wait after a reading. It grows with the time that the reading took, because a long run has much
// to count; but not when there was no answer, so that a backend that has come back is soon seen.
func pause(took time.Duration, err error) time.Duration {
	if err != nil {
		return readEvery
	}
	return min(max(readEvery-took, 4*took), maxPause)
}

func (w *watch) readBackend(ctx context.Context, key truth.Key) error {
	got, err := w.stack.count(ctx, key)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil { // the last numbers stay
		got = w.readings[key]
		got.err = err
	}
	w.readings[key] = got
	return err
}

func (w *watch) readAgent(ctx context.Context) error {
	telemetry, err := w.stack.agent.Telemetry(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.agentErr = err; err == nil {
		w.telemetry = telemetry
	}
	return err
}

// snapshot is everything that is known at one moment.
type snapshot struct {
	sent      map[truth.Key]uint64
	readings  map[truth.Key]reading
	telemetry agent.Telemetry
	agentErr  error
}

func (w *watch) snapshot() snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := snapshot{
		sent: w.stack.truth.Counts(), readings: maps.Clone(w.readings), telemetry: w.telemetry, agentErr: w.agentErr,
	}
	// What a receiver of the agent itself makes, no source outside has counted.
	s.sent[truth.Key{Region: homeRegion, Signal: truth.Metrics}] += uint64(max(0, w.telemetry.Received[hostReceiver]))
	return s
}

// complete says whether every backend has answered and every row has something in it.
func (s snapshot) complete() bool {
	for _, r := range regions {
		for _, signal := range truth.Signals() {
			if got := s.readings[truth.Key{Region: r.name, Signal: signal}]; !got.read || got.found == 0 {
				return false
			}
		}
	}
	return true
}

// keys returns the rows of the table: all signals of all regions, and what belongs to no region.
func keys() []truth.Key {
	var out []truth.Key
	for _, r := range regions {
		for _, signal := range truth.Signals() {
			out = append(out, truth.Key{Region: r.name, Signal: signal})
		}
	}
	return append(out, truth.Key{Region: lostRegion, Signal: truth.Logs})
}

// sumOf adds up the counts whose source is, or is not, among the names.
func sumOf(counts map[string]int64, names []string) (among, others int64) {
	for name, n := range counts {
		if slices.Contains(names, name) {
			among += n
		} else {
			others += n
		}
	}
	return among, others
}
