// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// refusing answers 400 to each request that holds an id that is bad.
func refusing(bad map[string]bool) func(http.ResponseWriter, request) bool {
	return func(w http.ResponseWriter, r request) bool {
		if slices.ContainsFunc(r.ids, func(id string) bool { return bad[id] }) {
			http.Error(w, "can't parse a record", http.StatusBadRequest)
			return false
		}
		return true
	}
}

// A server that refuses each request with one of k bad records of n gets the n-k others, and exactly the k are dropped and counted.
func TestPoisonedRecords(t *testing.T) {
	for seed := range uint64(8) {
		rng := rand.New(rand.NewPCG(seed, 9))
		n := 1 + rng.IntN(150)
		bad := map[string]bool{}
		sent := map[signal][]string{}
		for _, s := range allSignals {
			sent[s] = idsOf(string(s), n)
			for _, i := range rng.Perm(n)[:rng.IntN(min(n, 8)+1)] {
				bad[sent[s][i]] = true
			}
		}
		if seed == 0 { // all of them
			for _, s := range allSignals {
				for _, id := range sent[s] {
					bad[id] = true
				}
			}
		}
		for _, protocol := range []string{"http", "grpc"} {
			t.Run(fmt.Sprintf("seed=%d,%s", seed, protocol), func(t *testing.T) {
				t.Parallel()
				var directory string
				var stored func() map[string]int
				if protocol == "http" {
					b := newBackend(t, refusing(bad))
					directory, stored = oneRegion(b.URL), b.has
				} else {
					b := newGRPCBackend(t, nil)
					b.setAnswer(func(ids []string) error {
						if slices.ContainsFunc(ids, func(id string) bool { return bad[id] }) {
							return status.Error(codes.InvalidArgument, "can't parse a record")
						}
						return nil
					})
					directory = strings.NewReplacer("/write", "", "/logs", "", "/traces", "", `"}`, `", protocol: otlp_grpc}`).Replace(oneRegion("http://" + b.addr))
					stored = b.has
				}
				testPoison(t, rand.New(rand.NewPCG(seed, 10)), directory, stored, sent, bad)
			})
		}
	}
}

func testPoison(t *testing.T, rng *rand.Rand, directory string, stored func() map[string]int, sent map[signal][]string, bad map[string]bool) {
	cfg := quickConfig(t, directory)
	cfg.Senders, cfg.Metrics.TargetInfo = 1+rng.IntN(3), false
	r := begin(t, newHost(t, t.TempDir()), cfg)
	md, ld, td := pmetric.NewMetrics(), plog.NewLogs(), ptrace.NewTraces()
	for _, s := range allSignals {
		for rest := sent[s]; len(rest) > 0; {
			part := rest[:1+rng.IntN(len(rest))]
			rest = rest[len(part):]
			switch s {
			case signalMetrics:
				gauges("", part...).ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
			case signalLogs:
				logRecords("", part...).ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
			default:
				spans("", part...).ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
			}
		}
	}
	require.NoError(t, r.ConsumeMetrics(t.Context(), md))
	require.NoError(t, r.ConsumeLogs(t.Context(), ld))
	require.NoError(t, r.ConsumeTraces(t.Context(), td))
	for _, s := range allSignals {
		l := r.drained("home", s)
		want := int64(0)
		for _, id := range sent[s] {
			if bad[id] {
				want++
			}
		}
		require.EqualValues(t, len(sent[s]), l.accepted, s)
		require.Equal(t, want, l.droppedSum(), s)
		require.Equal(t, want, l.dropped["rejected"], s)
		require.Equal(t, l.accepted-want, l.delivered, s)
		if want > 0 {
			logged := r.logged.FilterField(fieldSignal(s)).FilterMessage("Dropped what the server refuses.").All()
			require.Len(t, logged, 1, "once per window, with the server's words")
			require.Contains(t, logged[0].ContextMap()["error"], "can't parse a record")
		}
	}
	got := stored()
	for _, s := range allSignals {
		for _, id := range sent[s] {
			if bad[id] {
				require.Zero(t, got[id])
			} else {
				require.Positive(t, got[id], "%s is not bad", id)
			}
		}
	}
}

// The same with a limit of the request's size: what fits by itself is delivered, what doesn't is dropped and counted.
func TestTooLargeRequests(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r request) bool {
		if r.size > 3000 {
			http.Error(w, "request too large", http.StatusRequestEntityTooLarge)
			return false
		}
		return true
	})
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, oneRegion(b.URL)))
	large := noise(5000)
	var small []string
	for i := range 50 {
		small = append(small, fmt.Sprint(i, noise(1000)))
	}
	require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("", append(slices.Clone(small), large)...)))
	l := r.drained("home", signalLogs)
	require.Equal(t, map[string]int64{"too_large": 1}, l.dropped)
	require.EqualValues(t, 50, l.delivered)
	got := b.has()
	require.Len(t, got, 50)
	for _, id := range small {
		require.Equal(t, 1, got[id])
	}
}

// Both at once: a request too large holds bad records.
func TestTooLargeAndPoisoned(t *testing.T) {
	bad := map[string]bool{"x-0007": true, "x-0090": true}
	poison := refusing(bad)
	b := newBackend(t, func(w http.ResponseWriter, r request) bool {
		if len(r.ids) > 20 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return false
		}
		return poison(w, r)
	})
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, oneRegion(b.URL)))
	require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("", idsOf("x", 100)...)))
	l := r.drained("home", signalLogs)
	require.Equal(t, map[string]int64{"rejected": 2}, l.dropped)
	require.Len(t, b.has(), 98)
}

// An endpoint that refuses everything, with whatever status, says nothing of the data: a wrong path, a proxy, a wrong password. The
// data waits until that is mended.
func TestRefusalOfEverything(t *testing.T) {
	for _, code := range []int{302, 400, 401, 403, 404, 405, 413, 415, 422, 429, 500, 503} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			b := newBackend(t, func(w http.ResponseWriter, _ request) bool {
				http.Error(w, "not here", code)
				return false
			})
			r := begin(t, newHost(t, t.TempDir()), quickConfig(t, oneRegion(b.URL)))
			require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("", idsOf("x", 10)...)))
			require.Eventually(t, func() bool { return r.ledger("home", signalLogs).failed[fmt.Sprint(code)] > 3 }, testTimeout, testTick)
			l := r.ledger("home", signalLogs)
			require.EqualValues(t, 10, l.held)
			require.Empty(t, l.dropped)
			logged := r.logged.FilterMessageSnippet("Can't deliver").All()
			require.Len(t, logged, 1, "once per window")
			require.Contains(t, logged[0].ContextMap()["error"], "not here")
			require.Contains(t, logged[0].ContextMap()["error"], fmt.Sprint(code))
			b.setAnswer(nil)
			require.EqualValues(t, 10, r.drained("home", signalLogs).delivered)
			require.Len(t, b.has(), 10)
		})
	}
}

// An endpoint that takes requests and then refuses everything, while bad records are looked for: it is the endpoint again.
func TestEndpointBreaksWhilePoisonIsLookedFor(t *testing.T) {
	poison := refusing(map[string]bool{"x-0007": true})
	var refused, broken atomic.Int64
	b := newBackend(t, func(w http.ResponseWriter, r request) bool {
		if refused.Load() >= 2 && broken.Add(1) < 30 {
			http.Error(w, "unsupported path", http.StatusBadRequest)
			return false
		}
		ok := poison(w, r)
		if !ok {
			refused.Add(1)
		}
		return ok
	})
	cfg := quickConfig(t, strings.ReplaceAll(oneRegion(b.URL), `/logs"`, `/logs", compression: none`))
	r := begin(t, newHost(t, t.TempDir()), cfg)
	require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("", idsOf("x", 64)...)))
	l := r.drained("home", signalLogs)
	require.Equal(t, map[string]int64{"rejected": 1}, l.dropped, "what is refused by a broken endpoint could still be delivered")
	require.Len(t, b.has(), 63)
}
