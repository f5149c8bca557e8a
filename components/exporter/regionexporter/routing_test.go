// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// twoRegions is a directory with home and far, in zones of their own.
func twoRegions(home, far string) string {
	return oneRegion(home) + fmt.Sprintf(`
  far:
    zone: us
    metrics: {endpoint: "%[1]s/write"}
    logs: {endpoint: "%[1]s/logs"}
    traces: {endpoint: "%[1]s/traces"}
`, far)
}

// Each record of mixed batches of all signals ends where it belongs, once, and the books say so.
func TestEachToItsRegion(t *testing.T) {
	home, far := newBackend(t, nil), newBackend(t, nil)
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, twoRegions(home.URL, far.URL)))
	rng := rand.New(rand.NewPCG(3, 4))
	want := map[string][]string{}
	perSignal := map[string]int64{}
	n := 0
	next := func(s signal) (regionName, id string) {
		regionName = []string{"", "home", "far"}[rng.IntN(3)]
		n++
		id = fmt.Sprintf("%s-%05d", s, n)
		at := regionName
		if at == "" {
			at = "home"
		}
		want[at] = append(want[at], id)
		perSignal[at+string(s)]++
		return regionName, id
	}
	for range 30 {
		md, ld, td := pmetric.NewMetrics(), plog.NewLogs(), ptrace.NewTraces()
		for range rng.IntN(20) {
			gauges(next(signalMetrics)).ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
			logRecords(next(signalLogs)).ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
			spans(next(signalTraces)).ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
		}
		require.NoError(t, r.ConsumeMetrics(t.Context(), md))
		require.NoError(t, r.ConsumeLogs(t.Context(), ld))
		require.NoError(t, r.ConsumeTraces(t.Context(), td))
	}
	for _, s := range []signal{signalMetrics, signalLogs, signalTraces} {
		for _, name := range []string{"home", "far"} {
			l := r.drained(name, s)
			require.Equal(t, perSignal[name+string(s)], l.accepted, "%s %s", name, s)
			require.Equal(t, l.accepted, l.delivered)
			require.Positive(t, l.wireBytes)
			require.Empty(t, l.failed)
		}
		require.Zero(t, r.ledger(unknownRegion, s).accepted)
	}
	for name, b := range map[string]*backend{"home": home, "far": far} {
		got := b.has()
		require.Len(t, got, len(want[name]), name)
		for _, id := range want[name] {
			require.Equal(t, 1, got[id], "%s in %s", id, name)
		}
	}
}

// Remote write's series keep the labels of their resource when they are routed.
func TestMetricsGoByRemoteWrite(t *testing.T) {
	b := newBackend(t, nil)
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, oneRegion(b.URL)))
	require.NoError(t, r.ConsumeMetrics(t.Context(), gauges("", "a", "b")))
	r.drained("home", signalMetrics)
	require.Equal(t, map[string]int{"a": 1, "b": 1}, b.has())
	require.Equal(t, "zstd", b.seen()[0].encoding)
}

// Data points that remote write can't carry are counted when they are accepted.
func TestUnsupportedPoints(t *testing.T) {
	b := newBackend(t, nil)
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, oneRegion(b.URL)))
	md := gauges("", "a")
	sum := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().AppendEmpty()
	sum.SetName("delta")
	sum.SetEmptySum().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	for range 3 {
		sum.Sum().DataPoints().AppendEmpty().SetTimestamp(1e18)
	}
	require.NoError(t, r.ConsumeMetrics(t.Context(), md))
	l := r.drained("home", signalMetrics)
	require.EqualValues(t, 4, l.accepted)
	require.EqualValues(t, 1, l.delivered)
	require.Equal(t, map[string]int64{"unsupported": 3}, l.dropped)
	require.Len(t, r.logged.FilterMessageSnippet("remote write can't carry").All(), 1)
}

// A batch without records needs no disk and no request.
func TestEmptyBatches(t *testing.T) {
	b := newBackend(t, nil)
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, oneRegion(b.URL)))
	require.NoError(t, r.ConsumeMetrics(t.Context(), pmetric.NewMetrics()))
	require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("home")))
	require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("north")))
	require.NoError(t, r.ConsumeTraces(t.Context(), ptrace.NewTraces()))
	ld := logRecords("home", "a")
	logRecords("north").ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	require.NoError(t, r.ConsumeLogs(t.Context(), ld))
	require.EqualValues(t, 1, r.drained("home", signalLogs).delivered)
	for _, req := range b.seen() {
		require.NotEmpty(t, req.ids)
	}
}

// Small batches are gathered into one request.
func TestRequestsAreGathered(t *testing.T) {
	b := newBackend(t, nil)
	cfg := quickConfig(t, oneRegion(b.URL))
	cfg.Batch.MaxDelay, cfg.Metrics.MaxDelay = 300*1e6, 300*1e6
	cfg.Senders = 1
	r := begin(t, newHost(t, t.TempDir()), cfg)
	want := idsOf("x", 50)
	for _, id := range want {
		require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("", id)))
	}
	r.drained("home", signalLogs)
	require.Less(t, len(b.seen()), 5)
	require.Equal(t, want, slices.Sorted(maps.Keys(b.has())))
}

// A region that is down holds up no other, and its data comes when it is back.
func TestDeadRegionHoldsItsOwn(t *testing.T) {
	home, far := newBackend(t, nil), newBackend(t, answerAlways(http.StatusServiceUnavailable))
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, twoRegions(home.URL, far.URL)))
	ids := idsOf("x", 100)
	for _, id := range ids {
		ld := logRecords("far", id)
		logRecords("home", id).ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
		require.NoError(t, r.ConsumeLogs(t.Context(), ld))
	}
	require.EqualValues(t, 100, r.drained("home", signalLogs).delivered)
	require.Eventually(t, func() bool { return r.ledger("far", signalLogs).failed["503"] > 3 }, testTimeout, testTick)
	l := r.ledger("far", signalLogs)
	require.EqualValues(t, 100, l.held)
	require.Positive(t, l.heldBytes)
	require.Positive(t, l.age)
	require.Zero(t, l.balance())
	require.Len(t, r.logged.FilterField(fieldRegion("far")).FilterMessageSnippet("Can't deliver").All(), 1, "once per window")
	far.setAnswer(nil)
	require.EqualValues(t, 100, r.drained("far", signalLogs).delivered)
	require.Len(t, far.has(), 100)
}
