// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/chaos/collector"
	"github.com/k0rdent/kof/test/chaos/load"
	"github.com/k0rdent/kof/test/chaos/stores"
)

var lane = load.Lane{Region: first, Signal: load.Logs}

// good returns the facts of a run of 10 records of which nothing is wrong.
func good() *facts {
	counts := stores.Counts{}
	for n := range 10 {
		counts[n] = 1
	}
	return &facts{
		lanes: []laneFacts{{Lane: lane, begun: 12, acknowledged: 10, twice: 3}},
		found: map[string]stores.Found{first: {lane: counts}, other: {}, standIn: {}},
		ledger: &collector.Telemetry{Lanes: map[load.Lane]collector.Ledger{
			lane: {Accepted: 10, Delivered: 10, Dropped: map[string]int64{}},
		}},
	}
}

func (f *facts) change(change func(*collector.Ledger)) {
	l := f.ledger.Lanes[lane]
	change(&l)
	f.ledger.Lanes[lane] = l
}

func drop(reason string, n int64) func(*collector.Ledger) {
	return func(l *collector.Ledger) {
		l.Delivered -= n
		l.Dropped = map[string]int64{reason: n}
	}
}

func TestJudgeGood(t *testing.T) {
	r := good().judge()
	require.Equal(t, result{acknowledged: 10, delivered: 10, bound: 3}, r)
}

func TestJudge(t *testing.T) {
	here := func(f *facts) stores.Counts { return f.found[first][lane] }
	for name, c := range map[string]struct {
		change func(*facts)
		lost   int
		want   string // part of the problem; "": none
	}{
		"lost":     {func(f *facts) { delete(here(f), 3) }, 1, "eu-1 logs: 1 acknowledged are missing, 0 counted as dropped"},
		"lost all": {func(f *facts) { delete(f.found, first) }, 10, "10 acknowledged are missing"},
		"not acknowledged and stored": {func(f *facts) {
			here(f)[10] = 1
			f.lanes[0].uncertain = 1
			f.change(func(l *collector.Ledger) { l.Accepted, l.Delivered = 11, 11 })
		}, 0, ""},
		"never sent":           {func(f *facts) { here(f)[12] = 1 }, 0, "record 12 was stored and never sent"},
		"twice":                {func(f *facts) { here(f)[0] = 4 }, 0, ""},
		"too often":            {func(f *facts) { here(f)[0] = 5 }, 0, "4 duplicates, the bound is 3"},
		"counted as delivered": {func(f *facts) { f.change(func(l *collector.Ledger) { l.Accepted, l.Delivered = 11, 11 }) }, 0, "10 stored, 11 counted as delivered"},
		"not allowed to drop": {func(f *facts) {
			delete(here(f), 3)
			f.change(drop("queue_full", 1))
		}, 0, "1 dropped as queue_full"},
		"dropped and counted": {func(f *facts) {
			delete(here(f), 3)
			f.change(drop("queue_full", 1))
			f.may.drops = "queue_full"
		}, 0, ""},
		"dropped and not all counted": {func(f *facts) {
			delete(here(f), 3)
			delete(here(f), 4)
			f.change(drop("queue_full", 1))
			f.may.drops = "queue_full"
		}, 1, "2 acknowledged are missing, 1 counted as dropped"},
		"counted and not dropped": {func(f *facts) {
			f.change(drop("queue_full", 1))
			f.may.drops = "queue_full"
		}, 0, "1 counted as dropped, 0 missing"},
		"poison dropped": {func(f *facts) {
			delete(here(f), 3)
			f.change(drop("rejected", 1))
			f.may.drops = "rejected"
			f.lanes[0].poisoned = func(n int) bool { return n == 3 }
		}, 0, ""},
		"another than the poison dropped": {func(f *facts) {
			delete(here(f), 3)
			delete(here(f), 4)
			f.change(drop("rejected", 2))
			f.may.drops = "rejected"
			f.lanes[0].poisoned = func(n int) bool { return n == 3 }
		}, 1, "2 acknowledged are missing, 2 counted as dropped"},
		"poison stored": {func(f *facts) {
			f.lanes[0].poisoned = func(n int) bool { return n == 3 }
		}, 0, "record 3, which the backend refuses, was stored"},
		"wrong region":              {func(f *facts) { f.found[other] = stores.Found{lane: {3: 1}} }, 0, "eu-1 logs: 1 records in the stores of us-1"},
		"stand-in that was not one": {func(f *facts) { f.found[standIn] = stores.Found{lane: {3: 1}} }, 0, "in the stores of eu-2"},
		"stand-in": {func(f *facts) {
			delete(here(f), 3)
			f.found[standIn] = stores.Found{lane: {3: 1}}
			f.may.standIn = standIn
		}, 0, ""},
		"held": {func(f *facts) {
			delete(here(f), 3)
			f.change(func(l *collector.Ledger) { l.Delivered, l.Held = 9, 1 })
		}, 1, "1 still held"},
		"imbalance":         {func(f *facts) { f.change(func(l *collector.Ledger) { l.Accepted = 11 }) }, 0, "the ledger's residual is 1"},
		"reported residual": {func(f *facts) { f.change(func(l *collector.Ledger) { l.Residual = -2 }) }, 0, "the ledger's residual is 2"},
		"too few accepted": {func(f *facts) {
			f.change(func(l *collector.Ledger) { l.Accepted, l.Delivered = 9, 9 })
		}, 0, "logs: 10 acknowledged and 0 uncertain, 9 counted as accepted"},
		"silent loss of the queue": {func(f *facts) {
			delete(here(f), 3)
			f.change(func(l *collector.Ledger) { l.Accepted, l.Delivered = 5, 5 })
			f.may.lossReported = func(load.Lane) bool { return false }
		}, 1, "1 acknowledged are missing"},
		"reported loss of the queue": {func(f *facts) {
			delete(here(f), 3)
			f.change(func(l *collector.Ledger) { l.Accepted, l.Delivered = 5, 5 })
			f.may.lossReported = func(load.Lane) bool { return true }
		}, 1, ""},
		"loss that is said to be reported": {func(f *facts) {
			delete(here(f), 3)
			f.may.lossReported = func(load.Lane) bool { return true }
		}, 1, "1 acknowledged are missing"},
		"of the cell": {func(f *facts) { f.problems = []string{"held up"} }, 0, "held up"},
	} {
		t.Run(name, func(t *testing.T) {
			f := good()
			c.change(f)
			r := f.judge()
			require.Equal(t, c.lost, r.lost)
			if c.want == "" {
				require.Empty(t, r.problems)
				return
			}
			require.Contains(t, strings.Join(r.problems, "\n"), c.want)
		})
	}
}

func TestJudgeWithoutALedger(t *testing.T) {
	f := good()
	f.ledger = nil
	delete(f.found[first][lane], 3)
	f.found[first][lane][4] = 2
	r := f.judge()
	require.Equal(t, 1, r.lost)
	require.Equal(t, 1, r.duplicates)
	require.Equal(t, 9, r.delivered)
	require.Equal(t, []string{"eu-1 logs: 1 acknowledged are missing"}, r.problems)
}

func TestFailoverCheck(t *testing.T) {
	back := map[load.Lane]int{lane: 8}
	for name, c := range map[string]struct {
		away, home stores.Counts
		want       []string
	}{
		"good":       {stores.Counts{7: 1}, stores.Counts{8: 1}, nil},
		"never away": {nil, stores.Counts{8: 1}, []string{"eu-1 logs: nothing in the stores of the region that stands in"}},
		"not back":   {stores.Counts{8: 1}, stores.Counts{1: 1}, []string{"eu-1 logs: the stand-in got records after the return", "eu-1 logs: nothing came home after the return"}},
	} {
		f := &facts{found: map[string]stores.Found{first: {lane: c.home}, standIn: {lane: c.away}}}
		checkFailover(f, back)
		require.Equal(t, c.want, f.problems, name)
	}
}
