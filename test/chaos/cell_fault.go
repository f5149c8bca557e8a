// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/k0rdent/kof/test/chaos/collector"
	"github.com/k0rdent/kof/test/chaos/load"
	"github.com/k0rdent/kof/test/faultproxy"
)

// faulty sends to two regions, for a while undisturbed, and then with the fault between the collector and the backends of the first. The
// second region has to go on meanwhile.
func faulty(f faultproxy.Fault) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		if err := r.start(ctx, nil); err != nil {
			return err
		}
		r.send(nil, first, other)
		if err := pause(ctx, time.Second); err != nil { // connections, encodings, caches
			return err
		}
		quiet, err := r.watch(ctx, pick(r, 2*time.Second, 10*time.Second))
		if err != nil {
			return err
		}
		before := r.faultsMet(f.Kind)
		if err := r.fault(f); err != nil {
			return err
		}
		broken, err := r.watch(ctx, pick(r, 4*time.Second, 20*time.Second))
		if err != nil {
			return err
		}
		r.compare(quiet, broken)
		for signal, n := range r.faultsMet(f.Kind) {
			if f.Kind != faultproxy.Pass && f.Kind != faultproxy.Refuse && n == before[signal] {
				r.problem("%s %s: no request met the fault", first, signal)
			}
		}
		return nil
	}
}

// faultsMet is how many requests to the first region have met a fault of a kind.
func (r *run) faultsMet(kind faultproxy.Kind) map[load.Signal]int64 {
	met := map[load.Signal]int64{}
	for signal, proxy := range r.places[first].proxies {
		c := proxy.Counts()
		met[signal] = c.Faulted + c.Lost
		if kind == faultproxy.Slow { // counted when they end, which is not soon
			met[signal] = c.Requests
		}
	}
	return met
}

// window is what the second region's senders and the collector did in a span of time.
type window struct {
	acksPerSecond float64
	slowest       time.Duration // 99 of 100 acknowledgements took no longer
	acknowledged  int           // records
	delivered     int64         // of the second region, by the ledger
}

func (r *run) watch(ctx context.Context, d time.Duration) (window, error) {
	var w window
	before, err := r.deliveredElsewhere(ctx)
	if err != nil {
		return w, err
	}
	from := time.Now()
	if err := pause(ctx, d); err != nil {
		return w, err
	}
	to := time.Now()
	after, err := r.deliveredElsewhere(ctx)
	if err != nil {
		return w, err
	}
	w.delivered = after - before
	var took []time.Duration
	for _, s := range r.sendersOf(other) {
		for _, ack := range s.Report().Acks {
			if ack.At.After(from) && ack.At.Before(to) {
				took = append(took, ack.Took)
				w.acknowledged += s.PerRequest
			}
		}
	}
	w.acksPerSecond = float64(len(took)) / to.Sub(from).Seconds()
	if len(took) > 0 {
		slices.Sort(took)
		w.slowest = took[len(took)*99/100]
	}
	return w, nil
}

// deliveredElsewhere is what the ledger says was delivered to the second region; 0 for a collector without one.
func (r *run) deliveredElsewhere(ctx context.Context) (int64, error) {
	if r.kind != collector.KOF {
		return 0, nil
	}
	t, err := r.collector.Telemetry(ctx)
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, s := range load.Signals() {
		sum += t.Lanes[load.Lane{Region: other, Signal: s}].Delivered
	}
	return sum, nil
}

// compare notes how the second region did during the fault, and objects when it was held up. What a busy machine does to times of
// milliseconds isn't judged here.
func (r *run) compare(quiet, broken window) {
	ratio := broken.acksPerSecond / quiet.acksPerSecond
	r.note("%s: rate %.2f of undisturbed, p99 %.0f ms (undisturbed %.0f ms)", other, ratio,
		broken.slowest.Seconds()*1000, quiet.slowest.Seconds()*1000)
	if !(ratio > 0.5) {
		r.problem("%s was held up: it acknowledged %.1f requests/s, undisturbed %.1f", other, broken.acksPerSecond, quiet.acksPerSecond)
	}
	if r.kind == collector.KOF && broken.delivered*2 < int64(broken.acknowledged) {
		r.problem("%s was held up: %d of %d records delivered", other, broken.delivered, broken.acknowledged)
	}
}

// honoured objects when a lane asks its backend more often than once in the given time while the fault is in force.
func honoured(act func(context.Context, *run) error, wait time.Duration) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		before := r.faultsMet(faultproxy.Answer)
		if err := act(ctx, r); err != nil {
			return err
		}
		// Each sender of the lane asks on its own.
		allowed := int64(collector.Senders) * int64(1+pick(r, 4*time.Second, 20*time.Second)/wait)
		for signal, met := range r.faultsMet(faultproxy.Answer) {
			asked := met - before[signal]
			r.note("%s: %d attempts", signal, asked)
			if asked > allowed {
				r.problem("%s %s: %d attempts while Retry-After allows %d", first, signal, asked, allowed)
			}
		}
		return nil
	}
}

// poison sends records of which the first region's backends refuse some, for good: these are dropped and counted, all others delivered.
func poison(ctx context.Context, r *run) error {
	if err := r.fault(faultproxy.Fault{
		Kind: faultproxy.Answer, Status: 400, Body: "poison", If: func(body []byte, _ int) bool { return bytes.Contains(body, []byte(load.Poison)) },
	}); err != nil {
		return err
	}
	if err := r.start(ctx, nil); err != nil {
		return err
	}
	r.send(func(s *load.Stream) { s.PoisonEvery = 97 }, first)
	r.send(nil, other)
	if err := pause(ctx, pick(r, 4*time.Second, 20*time.Second)); err != nil {
		return err
	}
	r.may.drops, r.keepFaults = "rejected", true
	return nil
}
