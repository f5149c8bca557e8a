// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/metadata"
	"github.com/k0rdent/kof/internal/status"
)

// putRecord puts a record into the queue of a lane whose exporter doesn't run.
func putRecord(t *testing.T, h host, regionName string, s signal, rec lanequeue.Record) {
	t.Helper()
	client, err := h[storageID].(storage.Extension).GetClient(t.Context(), component.KindExporter, component.NewID(metadata.Type), string(s)+"_"+regionName)
	require.NoError(t, err)
	q, _, err := lanequeue.Open(t.Context(), client, lanequeue.Options{MaxBytes: gib, Budget: lanequeue.NewBudget(gib), Now: rec.Accepted.Local})
	require.NoError(t, err)
	require.NoError(t, q.Put(t.Context(), rec, lanequeue.Dropped{}))
	require.NoError(t, q.Close(t.Context()))
}

// What no one can decode is not bisected: all of its items are dropped as damaged, and none counts as delivered.
func TestUndecodableRecordsThatAreRefused(t *testing.T) {
	b := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 10 { // an empty request is fine
			http.Error(w, "what is this", http.StatusBadRequest)
		}
	}))
	t.Cleanup(b.Close)
	h := newHost(t, t.TempDir())
	garbage := []byte("\x0a\xff" + noise(50))
	for _, s := range allSignals {
		format := lanequeue.FormatOTLP
		if s == signalMetrics {
			format = lanequeue.FormatRemoteWrite
		}
		putRecord(t, h, "home", s, lanequeue.Record{Format: format, Items: 5, Region: "home", Zone: "eu", Payload: garbage})
	}
	directory := strings.NewReplacer(`/logs"`, `/logs", compression: none`, `/traces"`, `/traces", compression: none`,
		`/write"`, `/write", compression: snappy`).Replace(oneRegion(b.URL))
	r := beginWatched(t, h, quickConfig(t, directory))
	for _, s := range allSignals {
		l := r.drained("home", s)
		require.Equal(t, map[string]int64{"damaged": 5}, l.dropped, s)
		require.Zero(t, l.delivered, s)
		kept := r.refused(t, "home", s)
		require.Len(t, kept, 1)
		require.Equal(t, "damaged", kept[0].Reason)
		require.Equal(t, garbage, kept[0].Undecoded)
		require.Nil(t, kept[0].Record)
	}
}

// refused is what a lane keeps of what its server refused.
func (w watched) refused(t testing.TB, regionName string, s signal) []status.Refused {
	t.Helper()
	l := w.laneStatus(regionName, s)
	require.NotNil(t, l.Refused)
	all, err := l.Refused(t.Context())
	require.NoError(t, err)
	require.Len(t, all, l.RefusedKept)
	return all
}

// The records that a server refuses can be looked at, decoded, with its words, also after a restart.
func TestRefusedRecordsAreSetAside(t *testing.T) {
	bad := map[string]bool{"m-0003": true, "l-0005": true, "t-0007": true}
	b := newBackend(t, refusing(bad))
	folder := t.TempDir()
	cfg := quickConfig(t, oneRegion(b.URL))
	r := beginWatched(t, newHost(t, folder), cfg)
	require.NoError(t, r.ConsumeMetrics(t.Context(), gauges("", idsOf("m", 10)...)))
	require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("", idsOf("l", 10)...)))
	require.NoError(t, r.ConsumeTraces(t.Context(), spans("", idsOf("t", 10)...)))
	check := func(r watched) {
		for _, s := range allSignals {
			l := r.drained("home", s)
			require.EqualValues(t, 9, l.delivered)
			require.Equal(t, map[string]int64{"rejected": 1}, l.dropped)
			kept := r.refused(t, "home", s)
			require.Len(t, kept, 1)
			require.Equal(t, "rejected", kept[0].Reason)
			require.EqualValues(t, 1, kept[0].Items)
			require.Contains(t, kept[0].Message, "can't parse a record")
			require.Positive(t, kept[0].Bytes)
			require.NotZero(t, kept[0].Time)
			require.Empty(t, kept[0].Undecoded)
			text := string(kept[0].Record)
			switch s {
			case signalMetrics:
				require.Equal(t, "remote_write", kept[0].Format)
				require.Regexp(t, `^\[\{"labels":\{"__name__":"test_gauge","id":"m-0003","job":"shop"\},"samples":\[\{"timestamp":\d+,"value":"1"\}\]\}\]$`, text)
			case signalLogs:
				require.Equal(t, "otlp", kept[0].Format)
				require.Contains(t, text, `"body":{"stringValue":"l-0005"}`)
				require.NotContains(t, text, "l-0004")
			default:
				require.Contains(t, text, `"name":"t-0007"`)
				require.Contains(t, text, `"service.name"`)
			}
		}
	}
	check(r)
	r.end()
	check(beginWatched(t, newHost(t, folder), cfg))
}

// Of a large record only the size is kept, of many the last, and of what OTLP's partial success rejects the count and the words.
func TestSetAsideIsBounded(t *testing.T) {
	b := newBackend(t, func(w http.ResponseWriter, r request) bool {
		if len(r.ids) > 0 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return false
		}
		return true
	})
	r := beginWatched(t, newHost(t, t.TempDir()), quickConfig(t, oneRegion(b.URL)))
	r.sendLogs(logRecords("", idsOf("x", 100)...))
	r.drained("home", signalLogs)
	r.sendLogs(logRecords("", noise(100_000)))
	l := r.drained("home", signalLogs)
	require.Equal(t, map[string]int64{"too_large": 101}, l.dropped)
	kept := r.refused(t, "home", signalLogs)
	require.Len(t, kept, lanequeue.MaxRefused)
	for i, k := range kept[:lanequeue.MaxRefused-1] {
		require.Contains(t, string(k.Record), fmt.Sprintf("x-%04d", 100-15+i))
		require.Equal(t, "too_large", k.Reason)
	}
	last := kept[lanequeue.MaxRefused-1]
	require.Nil(t, last.Record)
	require.Greater(t, last.Bytes, 100_000)

	b.setAnswer(func(w http.ResponseWriter, _ request) bool {
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write([]byte("\x0a\x07\x08\x02\x12\x03why"))
		return true
	})
	r.sendLogs(logRecords("", "a", "b", "c"))
	r.drained("home", signalLogs)
	kept = r.refused(t, "home", signalLogs)
	last = kept[lanequeue.MaxRefused-1]
	require.EqualValues(t, 2, last.Items)
	require.Contains(t, last.Message, "why")
	require.Nil(t, last.Record, "the server doesn't say which")
}

// After kill -9 what is kept agrees with the ledger, as they are written together.
func TestSetAsideSurvivesKill(t *testing.T) {
	var found atomic.Int64 // bad records that were bisected down to
	b := newBackend(t, func(w http.ResponseWriter, r request) bool {
		for _, id := range r.ids {
			if strings.HasSuffix(id, "7") {
				if len(r.ids) == 1 {
					found.Add(1)
				}
				http.Error(w, "sevens are bad", http.StatusBadRequest)
				return false
			}
		}
		return true
	})
	folder := t.TempDir()
	cfg := killConfig(t, twoRegions(b.URL+"/home", b.URL+"/far"))
	for round := range 5 {
		before := found.Load()
		killedRun(t, folder, cfg.Directory.File, round, func() bool { return found.Load() >= before+5 })
		require.Greater(t, found.Load(), before)
	}
	require.NoError(t, os.WriteFile(cfg.Directory.File, []byte(twoRegions("http://127.0.0.1:1/home", "http://127.0.0.1:1/far")), 0o600))
	r := beginWatched(t, newHost(t, folder), cfg)
	var sum int64
	for _, name := range []string{"home", "far"} {
		for _, s := range allSignals {
			l := r.ledger(name, s)
			require.Zero(t, l.balance())
			kept := r.refused(t, name, s)
			require.EqualValues(t, min(l.dropped["rejected"], lanequeue.MaxRefused), len(kept), "%s %s", name, s)
			for _, k := range kept {
				require.Regexp(t, `\d-\d+7"`, string(k.Record))
				require.Contains(t, k.Message, "sevens are bad")
			}
			sum += l.dropped["rejected"]
		}
	}
	require.Positive(t, sum, "nothing was refused: the test shows nothing")
}

// A server that repeats what it was sent doesn't make the message a place for secrets.
func TestSetAsideHasNoCredentials(t *testing.T) {
	password := secretFile(t, "SECRET-password")
	b := newBackend(t, func(w http.ResponseWriter, r request) bool {
		if len(r.ids) == 0 {
			return true
		}
		http.Error(w, fmt.Sprint("bad: ", r.header["Authorization"], r.header["X-Key"]), http.StatusBadRequest)
		return false
	})
	directory := oneRegion(b.URL)
	directory = strings.ReplaceAll(directory, `/logs"`, `/logs?token=SECRET-query", headers: {X-Key: SECRET-header}`)
	directory += fmt.Sprintf("    auth: {basic: {username: kof, password_file: %s}}\n", password)
	r := beginWatched(t, newHost(t, t.TempDir()), quickConfig(t, directory))
	r.sendLogs(logRecords("", "a"))
	r.drained("home", signalLogs)
	kept := r.refused(t, "home", signalLogs)
	require.Len(t, kept, 1)
	require.Contains(t, kept[0].Message, "bad: ")
	require.NotContains(t, kept[0].Message, "SECRET")
	require.NotContains(t, kept[0].Message, base64.StdEncoding.EncodeToString([]byte("kof:SECRET-password"))[:20])
}
