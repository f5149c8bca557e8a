// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sendAll gives one record of each signal to a region.
func sendAll(t testing.TB, r *running, regionName, id string) {
	t.Helper()
	require.NoError(t, r.ConsumeMetrics(t.Context(), gauges(regionName, "m"+id)))
	require.NoError(t, r.ConsumeLogs(t.Context(), logRecords(regionName, "l"+id)))
	require.NoError(t, r.ConsumeTraces(t.Context(), spans(regionName, "t"+id)))
}

var allSignals = []signal{signalMetrics, signalLogs, signalTraces}

// What belongs to a region that the directory doesn't know is held, visibly, and goes nowhere; when a directory knows the region after
// a restart, it goes there.
func TestUnknownRegionIsHeldAndReleased(t *testing.T) {
	home, far := newBackend(t, nil), newBackend(t, nil)
	h := newHost(t, t.TempDir())
	r := begin(t, h, quickConfig(t, oneRegion(home.URL)))
	for _, name := range []string{"far", "north", strings.Repeat("far", 200)} {
		sendAll(t, r, name, "-"+name[:3])
	}
	sendAll(t, r, "home", "-home")
	for _, s := range allSignals {
		require.EqualValues(t, 1, r.drained("home", s).delivered)
		l := r.ledger(unknownRegion, s)
		require.EqualValues(t, 3, l.accepted, s)
		require.EqualValues(t, 3, l.held, s)
		require.Zero(t, l.balance())
		require.Positive(t, l.age)
	}
	r.end()

	// The same directory again: still held.
	r = begin(t, h, quickConfig(t, oneRegion(home.URL)))
	for _, s := range allSignals {
		require.EqualValues(t, 3, r.ledger(unknownRegion, s).held, s)
	}
	r.end()
	require.Len(t, home.has(), 3)

	r = begin(t, h, quickConfig(t, twoRegions(home.URL, far.URL)))
	for _, s := range allSignals {
		require.Eventually(t, func() bool { return r.ledger("far", s).delivered == 1 }, testTimeout, testTick, s)
		require.EqualValues(t, 1, r.drained("far", s).accepted)
		l := r.ledger(unknownRegion, s)
		require.EqualValues(t, 3, l.accepted)
		require.EqualValues(t, 1, l.released)
		require.EqualValues(t, 2, l.held, "other unknown regions, also one whose long name begins like it")
		require.Zero(t, l.balance())
	}
	require.Equal(t, map[string]int{"m-far": 1, "l-far": 1, "t-far": 1}, far.has())
	require.Len(t, home.has(), 3)
}

func TestUnknownRegionIsBounded(t *testing.T) {
	home := newBackend(t, nil)
	cfg := quickConfig(t, oneRegion(home.URL))
	cfg.Queue.MaxUnknownBytes, cfg.Queue.OnFull = mib, OnFullDropOldest // which is not for these
	h := newHost(t, t.TempDir())
	r := begin(t, h, cfg)
	taken, refused, err := fill(t, r, "north")
	require.Len(t, taken, 10)
	requireRest(t, err, refused)
	l := r.ledger(unknownRegion, signalLogs)
	require.EqualValues(t, 10, l.held)
	require.EqualValues(t, 1, l.refused)
	require.Empty(t, l.dropped)
	require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("home", "a")), "other lanes have room")
	require.NoError(t, r.ConsumeTraces(t.Context(), spans("north", "a")), "each signal has its own bound")
	r.drained("home", signalLogs)
	r.end()

	// Also while it is full the data is released.
	far := newBackend(t, nil)
	cfg2 := quickConfig(t, strings.ReplaceAll(twoRegions(home.URL, far.URL), "far:", "north:"))
	cfg2.Queue = cfg.Queue
	r = begin(t, h, cfg2)
	require.Eventually(t, func() bool { return len(far.has()) == 11 }, testTimeout, testTick)
	r.drained(unknownRegion, signalLogs)
}

// When the region's lane has not the room for all that was held, the rest follows as it drains.
func TestReleaseIntoAFullLane(t *testing.T) {
	home, far := newBackend(t, nil), newBackend(t, answerAlways(http.StatusServiceUnavailable))
	cfg := quickConfig(t, oneRegion(home.URL))
	cfg.Queue.MaxUnknownBytes = 3 * mib
	h := newHost(t, t.TempDir())
	r := begin(t, h, cfg)
	taken, _, _ := fill(t, r, "far")
	require.Greater(t, len(taken), 25)
	r.end()
	cfg2 := quickConfig(t, twoRegions(home.URL, far.URL))
	cfg2.Queue = cfg.Queue
	cfg2.Queue.MaxBytes = mib
	cfg2.Timeout = 30 * time.Second // so that no attempt is given up, and repeated, that the backend has stored
	r = begin(t, h, cfg2)
	require.Eventually(t, func() bool { return r.ledger("far", signalLogs).held == 10 }, testTimeout, testTick)
	far.setAnswer(nil)
	require.Eventually(t, func() bool { return len(far.has()) == len(taken) }, 10*time.Second, testTick)
	r.drained(unknownRegion, signalLogs)
	r.drained("far", signalLogs)
	for id, n := range far.has() {
		require.Equal(t, 1, n, "%.20s, failed attempts: %v", id, r.ledger("far", signalLogs).failed)
	}
}

// A region that has no endpoint for a signal holds it, until a directory names one.
func TestSignalWithoutEndpointIsHeld(t *testing.T) {
	b := newBackend(t, nil)
	h := newHost(t, t.TempDir())
	without := fmt.Sprintf("regions: {home: {zone: eu, logs: {endpoint: \"%s/logs\"}}}", b.URL)
	r := begin(t, h, quickConfig(t, without))
	sendAll(t, r, "", "-1")
	r.drained("home", signalLogs)
	for _, s := range []signal{signalMetrics, signalTraces} {
		l := r.ledger("home", s)
		require.EqualValues(t, 1, l.held, s)
		require.Zero(t, l.balance())
	}
	r.end()
	require.Len(t, b.has(), 1)

	r = begin(t, h, quickConfig(t, oneRegion(b.URL)))
	for _, s := range allSignals {
		require.EqualValues(t, 1, r.drained("home", s).delivered, s)
	}
	require.Equal(t, map[string]int{"m-1": 1, "l-1": 1, "t-1": 1}, b.has())
}

// Backlog of a region that has left the directory is held over restarts, and delivered when the region is back.
func TestRegionThatLeft(t *testing.T) {
	home, far := newBackend(t, nil), newBackend(t, answerAlways(http.StatusServiceUnavailable))
	h := newHost(t, t.TempDir())
	r := begin(t, h, quickConfig(t, twoRegions(home.URL, far.URL)))
	sendAll(t, r, "far", "-1")
	r.end()
	far.setAnswer(nil)
	for range 2 {
		r = begin(t, h, quickConfig(t, oneRegion(home.URL)))
		for _, s := range allSignals {
			l := r.ledger("far", s)
			require.EqualValues(t, 1, l.held, s)
			require.Zero(t, l.balance())
		}
		r.end()
	}
	require.Empty(t, far.has())
	r = begin(t, h, quickConfig(t, twoRegions(home.URL, far.URL)))
	for _, s := range allSignals {
		require.EqualValues(t, 1, r.drained("far", s).delivered)
	}
	require.Equal(t, map[string]int{"m-1": 1, "l-1": 1, "t-1": 1}, far.has())
	require.Empty(t, home.has())
}

// Data that was accepted for one residency zone is not sent when its region lies in another one after a restart; it is held, and sent
// when the region is back in its zone. What is accepted meanwhile is delivered.
func TestZoneChanged(t *testing.T) {
	home, far := newBackend(t, nil), newBackend(t, answerAlways(http.StatusServiceUnavailable))
	h := newHost(t, t.TempDir())
	r := begin(t, h, quickConfig(t, twoRegions(home.URL, far.URL)))
	sendAll(t, r, "far", "-us")
	r.end()

	moved := newBackend(t, nil)
	cfg := quickConfig(t, strings.Replace(twoRegions(home.URL, moved.URL), "zone: us", "zone: ap", 1))
	r = begin(t, h, cfg)
	for _, s := range allSignals {
		require.Eventually(t, func() bool {
			return r.logged.FilterField(fieldRegion("far")).FilterMessageSnippet("held").Len() >= len(allSignals)
		}, testTimeout, testTick)
		require.EqualValues(t, 1, r.ledger("far", s).held, s)
	}
	require.Empty(t, moved.has())
	sendAll(t, r, "far", "-ap")
	for _, s := range allSignals {
		assertEventually(t, func() bool { return moved.has()[string(s[0])+"-ap"] == 1 }, "%s of the new zone is stuck behind that of the old one", s)
	}
	for id := range moved.has() {
		require.Contains(t, id, "-ap")
	}
	r.end()

	far.setAnswer(nil)
	r = begin(t, h, quickConfig(t, twoRegions(home.URL, far.URL)))
	for _, s := range allSignals {
		assertEventually(t, func() bool { return far.has()[string(s[0])+"-us"] == 1 }, "%s", s)
	}
	for id := range far.has() {
		require.Contains(t, id, "-us")
	}
	require.Empty(t, home.has())
}

// assertEventually waits for what either comes at once or never.
func assertEventually(t testing.TB, ok func() bool, format string, args ...any) {
	t.Helper()
	require.Eventually(t, ok, 10*time.Second, testTick, append([]any{format}, args...)...)
}

// A kof.region that isn't a string is a region all the same; none of its records may end at home.
func TestRegionThatIsNoStringIsHeld(t *testing.T) {
	home := newBackend(t, nil)
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, oneRegion(home.URL)))
	for i, value := range []any{7, true, 0.5, []byte{1}, []any{"home"}, map[string]any{"home": "home"}} {
		ld := logRecords("", fmt.Sprint("x", i))
		require.NoError(t, ld.ResourceLogs().At(0).Resource().Attributes().FromRaw(map[string]any{attrRegion: value}))
		r.sendLogs(ld)
	}
	r.sendLogs(logRecords("", "h"))
	require.EqualValues(t, 6, r.ledger(unknownRegion, signalLogs).held)
	r.drained("home", signalLogs)
	require.Equal(t, map[string]int{"h": 1}, home.has())
}
