// SPDX-License-Identifier: Apache-2.0

package feed

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRequest(t *testing.T) {
	at := time.UnixMilli(1_790_000_000_123)
	l := NewLines(100)
	body, err := l.Request([]string{"a", "b"}, 25, at)
	require.NoError(t, err)
	r := plogotlp.NewExportRequest()
	require.NoError(t, r.UnmarshalProto(body))
	require.Equal(t, 50, r.Logs().LogRecordCount())
	counts := map[string]int{}
	seen := map[string]bool{}
	for _, rl := range r.Logs().ResourceLogs().All() {
		region, _ := rl.Resource().Attributes().Get("kof.region")
		for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
			counts[region.Str()]++
			seen[record.Body().Str()] = true
			require.Equal(t, at.UnixNano(), record.Timestamp().AsTime().UnixNano())
			require.InDelta(t, 300, len(record.Body().Str()), 15)
		}
	}
	require.Equal(t, map[string]int{"a": 25, "b": 25}, counts)
	require.Len(t, seen, 50, "all different")
}

func TestSpans(t *testing.T) {
	at := time.UnixMilli(1_790_000_000_123)
	s := NewSpans("shop", 1)
	ids, traces := map[string]bool{}, map[string]int{}
	for range 2 {
		body, err := s.Request(2*spansPerTrace, at)
		require.NoError(t, err)
		r := ptraceotlp.NewExportRequest()
		require.NoError(t, r.UnmarshalProto(body))
		for _, span := range r.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
			ids[span.SpanID().String()] = true
			traces[span.TraceID().String()]++
			require.Equal(t, at.UnixNano(), span.StartTimestamp().AsTime().UnixNano())
		}
	}
	require.Len(t, ids, 4*spansPerTrace, "all different")
	require.Len(t, traces, 4)
	for _, n := range traces {
		require.Equal(t, spansPerTrace, n)
	}
}

func TestFromAnAddress(t *testing.T) {
	from := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case from <- r.RemoteAddr:
		default:
		}
	}))
	defer server.Close()
	f := StartFrom("127.0.0.7", server.URL, 0, func(time.Time) ([]byte, error) { return nil, nil })
	require.Contains(t, <-from, "127.0.0.7:")
	require.NoError(t, f.Stop())
}

func TestRefusedIsSentAgain(t *testing.T) {
	var mu sync.Mutex
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		mu.Lock()
		defer mu.Unlock()
		if bodies = append(bodies, string(body)); len(bodies) == 2 {
			http.Error(w, "busy", http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	n := byte('a')
	f := Start(server.URL, 0, func(time.Time) ([]byte, error) {
		n++
		return []byte{n}, nil
	})
	require.Eventually(t, func() bool { return f.Report().Requests >= 3 }, 10*time.Second, time.Millisecond)
	require.NoError(t, f.Stop())
	require.Equal(t, []string{"b", "c", "c", "d"}, bodies[:4])
	report := f.Report()
	require.EqualValues(t, 1, report.Refused)
	require.ErrorContains(t, report.LastRefusal, "busy")
	require.Equal(t, report.Requests, report.Bytes)
}

func TestPaceKeepsToTheSchedule(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	var times []time.Time
	f := Start(server.URL, 20*time.Millisecond, func(at time.Time) ([]byte, error) {
		times = append(times, at)
		if len(times) == 2 {
			time.Sleep(50 * time.Millisecond) // late
		}
		return nil, nil
	})
	require.Eventually(t, func() bool { return f.Report().Requests >= 6 }, 10*time.Second, time.Millisecond)
	require.NoError(t, f.Stop())
	for i := range times[1:] {
		require.Equal(t, 20*time.Millisecond, times[i+1].Sub(times[i]))
	}
}

func TestRequestThatCannotBeMade(t *testing.T) {
	f := Start("http://127.0.0.1:1", 0, func(time.Time) ([]byte, error) { return nil, errors.New("no") })
	f.ended.Wait()
	require.EqualError(t, f.Stop(), "no")
}
