// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/k0rdent/kof/test/chaos/collector"
	"github.com/k0rdent/kof/test/chaos/load"
	"github.com/k0rdent/kof/test/chaos/stores"
)

// facts are what a run is judged by.
type facts struct {
	lanes []laneFacts
	// found is what the stores hold, by the region whose stores they are.
	found map[string]stores.Found
	// ledger is the collector's own; nil for a collector that keeps none.
	ledger *collector.Telemetry
	// may says what the cell allows.
	may allowance
	// problems are what the cell itself has found.
	problems []string
}

// laneFacts is what was sent into one lane.
type laneFacts struct {
	load.Lane
	// begun records may have been sent; of these, the first ones were acknowledged.
	begun, acknowledged int
	// uncertain is how many more records than the acknowledged ones the collector may have accepted: those of attempts without an answer.
	uncertain int
	// twice is how many records may have been delivered twice by the documented bound.
	twice int
	// poisoned says which records the backend refuses for good; nil: none.
	poisoned func(n int) bool
}

// allowance is what may happen in a cell beyond plain delivery.
type allowance struct {
	// drops is the reason by which records may be dropped, exactly counted; "": none may be.
	drops string
	// standIn is the region whose stores may hold the first region's records.
	standIn string
	// lossReported says of which lanes the collector has told that their queue began anew, ledger and all. What they held may be lost.
	lossReported func(load.Lane) bool
}

// restarted says whether a lane's ledger has begun anew, where that may be. A silent loss of it is no excuse.
func (f *facts) restarted(lane laneFacts) bool {
	return f.may.lossReported != nil && int(f.ledger.Lanes[lane.Lane].Accepted) < lane.acknowledged && f.may.lossReported(lane.Lane)
}

// result is one line of the table.
type result struct {
	acknowledged, delivered, dropped, lost, wrong, duplicates, bound int
	residual                                                         int64
	problems                                                         []string
}

func (f *facts) judge() result {
	r := result{problems: f.problems}
	bad := func(format string, args ...any) { r.problems = append(r.problems, fmt.Sprintf(format, args...)) }
	for _, lane := range f.lanes {
		l := f.judgeLane(lane, bad)
		r.acknowledged += l.acknowledged
		r.delivered += l.delivered
		r.dropped += l.dropped
		r.lost += l.lost
		r.duplicates += l.duplicates
		r.bound += l.bound
	}
	r.wrong = f.wrongRegion(bad)
	if f.ledger != nil {
		r.residual = f.judgeLedger(bad)
	}
	return r
}

// judgeLane compares one lane's records with the stores that may hold them, and what is missing with what the ledger says was dropped.
func (f *facts) judgeLane(lane laneFacts, bad func(string, ...any)) result {
	r := result{acknowledged: lane.acknowledged, bound: lane.twice}
	times := stores.Counts{}
	for _, at := range f.mayHold(lane.Region) {
		for n, count := range f.found[at][lane.Lane] {
			times[n] += count
		}
	}
	missing, good, copies := 0, 0, 0
	for n := range lane.acknowledged {
		if times[n] > 0 {
			continue
		}
		missing++
		if lane.poisoned != nil && !lane.poisoned(n) {
			good++ // nothing but poisoned records may be dropped here
		}
	}
	for n, count := range times {
		copies += count
		r.duplicates += count - 1
		switch {
		case n < 0 || n >= lane.begun:
			bad("%s: record %d was stored and never sent", name(lane.Lane), n)
		case lane.poisoned != nil && lane.poisoned(n):
			bad("%s: record %d, which the backend refuses, was stored", name(lane.Lane), n)
		case n < lane.acknowledged:
			r.delivered++
		}
	}
	r.lost = missing
	if f.ledger == nil {
		if missing > 0 {
			bad("%s: %d acknowledged are missing", name(lane.Lane), missing)
		}
		return r
	}
	if r.duplicates > r.bound {
		bad("%s: %d duplicates, the bound is %d", name(lane.Lane), r.duplicates, r.bound)
	}

	ledger := f.ledger.Lanes[lane.Lane]
	r.dropped = int(ledger.DroppedSum())
	for _, reason := range slices.Sorted(maps.Keys(ledger.Dropped)) {
		if reason != f.may.drops {
			bad("%s: %d dropped as %s", name(lane.Lane), ledger.Dropped[reason], reason)
		}
	}
	// A dropped record may be one that was not acknowledged.
	r.lost = max(good, missing-r.dropped)
	if f.restarted(lane) {
		return r
	}
	if r.lost > 0 {
		bad("%s: %d acknowledged are missing, %d counted as dropped", name(lane.Lane), missing, r.dropped)
	}
	if r.dropped > missing+lane.uncertain {
		bad("%s: %d counted as dropped, %d missing", name(lane.Lane), r.dropped, missing)
	}
	if extra := copies - int(ledger.Delivered); extra < 0 || extra > lane.twice {
		bad("%s: %d stored, %d counted as delivered", name(lane.Lane), copies, ledger.Delivered)
	}
	return r
}

// mayHold returns the regions whose stores may hold records of a region.
func (f *facts) mayHold(region string) []string {
	if region == first && f.may.standIn != "" {
		return []string{first, f.may.standIn}
	}
	return []string{region}
}

func (f *facts) wrongRegion(bad func(string, ...any)) int {
	wrong := 0
	for at, found := range f.found {
		for lane, counts := range found {
			if slices.Contains(f.mayHold(lane.Region), at) {
				continue
			}
			for _, count := range counts {
				wrong += count
			}
			bad("%s: %d records in the stores of %s", name(lane), len(counts), at)
		}
	}
	return wrong
}

// judgeLedger returns the residual of all lanes.
func (f *facts) judgeLedger(bad func(string, ...any)) int64 {
	var residual int64
	accepted := map[load.Signal]int{}
	for lane, l := range f.ledger.Lanes {
		residual += max(l.Imbalance(), -l.Imbalance(), l.Residual, -l.Residual)
		accepted[lane.Signal] += int(l.Accepted - l.Released) // released records are accepted anew by their region's lane
		if l.Held != 0 {
			bad("%s: %d still held", name(lane), l.Held)
		}
	}
	if residual != 0 {
		bad("the ledger's residual is %d", residual)
	}
	for _, signal := range load.Signals() {
		acknowledged, uncertain, restarted := 0, 0, false
		for _, lane := range f.lanes {
			if lane.Signal == signal {
				acknowledged += lane.acknowledged
				uncertain += lane.uncertain
				restarted = restarted || f.restarted(lane)
			}
		}
		if restarted {
			continue
		}
		if n := accepted[signal]; n < acknowledged || n > acknowledged+uncertain {
			bad("%s: %d acknowledged and %d uncertain, %d counted as accepted", signal, acknowledged, uncertain, n)
		}
	}
	return residual
}

func name(l load.Lane) string { return l.Region + " " + string(l.Signal) }
