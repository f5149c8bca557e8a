// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// An exporter that is shut down over and over while producers give it records and the backend is slow and fails at times: what was
// accepted arrives, the books balance after each start, and an orderly end repeats nothing that was delivered.
func TestShutdownWhileSending(t *testing.T) {
	var n atomic.Int64
	b := newBackend(t, func(w http.ResponseWriter, r request) bool {
		if n.Add(1)%5 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return false
		}
		time.Sleep(3 * time.Millisecond)
		return true
	})
	h := newHost(t, t.TempDir())
	cfg := quickConfig(t, oneRegion(b.URL))
	cfg.Batch.MaxBytes, cfg.Senders = kib, 4
	var accepted []string
	for round := range 6 {
		r := begin(t, h, cfg)
		for _, s := range allSignals {
			require.Zero(t, r.ledger("home", s).balance())
		}
		var producing sync.WaitGroup
		var mu sync.Mutex
		stop := make(chan struct{})
		for p := range 3 {
			producing.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					id := fmt.Sprintf("%d-%d-%d", round, p, i)
					var err error
					switch i % 3 {
					case 0:
						err = r.ConsumeMetrics(context.Background(), gauges("", id))
					case 1:
						err = r.ConsumeLogs(context.Background(), logRecords("", id))
					default:
						err = r.ConsumeTraces(context.Background(), spans("", id))
					}
					if err == nil {
						mu.Lock()
						accepted = append(accepted, id)
						mu.Unlock()
					}
				}
			})
		}
		time.Sleep(60 * time.Millisecond)
		if round%2 == 0 { // the Collector stops receivers first, but not every one waits for what it has under way
			r.end()
			close(stop)
			producing.Wait()
		} else {
			close(stop)
			producing.Wait()
			r.end()
		}
	}
	r := begin(t, h, cfg)
	total := int64(0)
	for _, s := range allSignals {
		l := r.drained("home", s)
		require.Equal(t, l.accepted, l.delivered)
		total += l.accepted
	}
	require.EqualValues(t, len(accepted), total, "the books of all starts together")
	got := b.has()
	for _, id := range accepted {
		require.Equal(t, 1, got[id], id)
	}
}

// What waits for company goes out at the end where the backend takes it, and stays where it doesn't.
func TestShutdownFlushes(t *testing.T) {
	home, far := newBackend(t, nil), newBackend(t, answerAlways(503))
	h := newHost(t, t.TempDir())
	cfg := quickConfig(t, twoRegions(home.URL, far.URL))
	cfg.Batch.MaxDelay, cfg.Metrics.MaxDelay = time.Minute, time.Minute
	r := begin(t, h, cfg)
	sendAll(t, r, "home", "-1")
	sendAll(t, r, "far", "-1")
	start := time.Now()
	r.end()
	require.Less(t, time.Since(start), shutdownGrace, "a region that refuses is not waited for")
	require.Len(t, home.has(), len(allSignals))
	r = begin(t, h, cfg)
	for _, s := range allSignals {
		require.EqualValues(t, 1, r.ledger("home", s).delivered)
		require.Zero(t, r.ledger("home", s).held)
		require.EqualValues(t, 1, r.ledger("far", s).held)
	}
}

// Where the disk goes with the collector, a region that fails is waited for, but not for ever.
func TestShutdownDrains(t *testing.T) {
	b := newBackend(t, answerAlways(503))
	cfg := quickConfig(t, oneRegion(b.URL))
	cfg.Queue.DrainAtShutdown = testTimeout
	h := newHost(t, t.TempDir())
	r := begin(t, h, cfg)
	sendAll(t, r, "home", "-1")
	require.Eventually(t, func() bool { return len(b.seen()) >= len(allSignals) }, testTimeout, testTick)
	time.AfterFunc(200*time.Millisecond, func() { b.setAnswer(nil) })
	r.end()
	require.Len(t, b.has(), len(allSignals))

	b.setAnswer(answerAlways(503))
	cfg.Queue.DrainAtShutdown = shutdownGrace + 100*time.Millisecond
	r = begin(t, h, cfg)
	for _, s := range allSignals {
		require.Zero(t, r.ledger("home", s).held)
	}
	sendAll(t, r, "home", "-2")
	start := time.Now()
	r.end()
	require.GreaterOrEqual(t, time.Since(start), shutdownGrace, "it has the time that it was given")
	r = begin(t, h, cfg)
	for _, s := range allSignals {
		require.EqualValues(t, 1, r.ledger("home", s).held, "and where the disk stays, nothing is lost")
	}
	b.setAnswer(nil)
}

// A server that never answers doesn't keep the exporter from ending, and its data stays.
func TestShutdownWithSilentServer(t *testing.T) {
	release := make(chan struct{})
	b := newBackend(t, func(http.ResponseWriter, request) bool { <-release; return false })
	h := newHost(t, t.TempDir())
	cfg := quickConfig(t, oneRegion(b.URL))
	cfg.Timeout = time.Minute
	r := begin(t, h, cfg)
	require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("", "a")))
	require.Eventually(t, func() bool { return len(b.seen()) == 1 }, testTimeout, testTick)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	for _, c := range r.parts {
		require.NoError(t, c.Shutdown(ctx))
	}
	r.parts = nil
	require.Less(t, time.Since(start), 2*time.Second, "the deadline of the shutdown counts")
	close(release)
	b.setAnswer(nil)
	r = begin(t, h, cfg)
	require.EqualValues(t, 1, r.drained("home", signalLogs).delivered)
	require.Equal(t, map[string]int{"a": 1}, b.has())
}

// The books go on over restarts, whatever is in them.
func TestLedgerOverRestarts(t *testing.T) {
	home, far := newBackend(t, refusing(map[string]bool{"l-bad": true, "m-bad": true, "t-bad": true})), newBackend(t, answerAlways(503))
	h := newHost(t, t.TempDir())
	cfg := quickConfig(t, twoRegions(home.URL, far.URL))
	for round := int64(1); round <= 3; round++ {
		r := begin(t, h, cfg)
		for _, id := range []string{"-1", "-bad", "-2"} {
			sendAll(t, r, "home", id)
		}
		sendAll(t, r, "far", "-1")
		sendAll(t, r, "north", "-1")
		for _, s := range allSignals {
			l := r.drained("home", s)
			require.Equal(t, 3*round, l.accepted)
			require.Equal(t, 2*round, l.delivered)
			require.Equal(t, map[string]int64{"rejected": round}, l.dropped)
			for _, name := range []string{"far", unknownRegion} {
				l = r.ledger(name, s)
				require.Equal(t, round, l.accepted)
				require.Equal(t, round, l.held)
				require.Zero(t, l.residual)
				require.Zero(t, l.balance())
			}
		}
		r.end()
	}
}

// A partial success counts what the server left out.
func TestPartialSuccessIsCounted(t *testing.T) {
	b := newGRPCBackend(t, nil)
	b.rejected = 3
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, fmt.Sprintf(`regions: {home: {zone: eu, logs: {endpoint: "http://%s", protocol: otlp_grpc}}}`, b.addr)))
	require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("", idsOf("x", 10)...)))
	l := r.drained("home", signalLogs)
	require.EqualValues(t, 7, l.delivered)
	require.Equal(t, map[string]int64{"rejected": 3}, l.dropped)
	b.rejected = 30 // more than there were
	require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("", idsOf("y", 10)...)))
	l = r.drained("home", signalLogs)
	require.EqualValues(t, 7, l.delivered)
	require.Equal(t, map[string]int64{"rejected": 13}, l.dropped)
}

// No secret shows in what the exporter logs, and a wrong one holds the data until it is right.
func TestWrongPassword(t *testing.T) {
	password := secretFile(t, "SECRET-old\n")
	b := newBackend(t, guarded(func() string { return basic("kof", "SECRET-new") }))
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, oneRegion(b.URL)+fmt.Sprintf("    auth: {basic: {username: kof, password_file: %s}}\n", password)))
	sendAll(t, r, "", "-1")
	for _, s := range allSignals {
		require.Eventually(t, func() bool { return r.ledger("home", s).failed["401"] > 1 }, testTimeout, testTick)
	}
	require.NoError(t, writeSecret(password, "SECRET-new\n"))
	for _, s := range allSignals {
		require.EqualValues(t, 1, r.drained("home", s).delivered)
	}
	require.NotEmpty(t, r.logged.All())
	for _, entry := range r.logged.All() {
		line := fmt.Sprint(entry.Message, entry.ContextMap())
		require.NotContains(t, line, "SECRET")
		require.NotContains(t, line, basic("kof", "SECRET-old")[len("Basic "):])
	}
}

// Retry-After is the least that the lane waits.
func TestRetryAfterIsHonoured(t *testing.T) {
	var first, second atomic.Int64
	b := newBackend(t, func(w http.ResponseWriter, _ request) bool {
		now := time.Now().UnixNano()
		if first.CompareAndSwap(0, now) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return false
		}
		second.CompareAndSwap(0, now)
		return true
	})
	cfg := quickConfig(t, oneRegion(b.URL))
	cfg.Retry.MaxInterval = 10 * time.Second
	r := begin(t, newHost(t, t.TempDir()), cfg)
	require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("", "a")))
	r.drained("home", signalLogs)
	require.GreaterOrEqual(t, time.Duration(second.Load()-first.Load()), time.Second)
}
