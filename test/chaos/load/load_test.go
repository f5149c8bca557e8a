// SPDX-License-Identifier: Apache-2.0

package load

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func streamOf(s Signal) Stream {
	return Stream{Lane: Lane{Region: "eu-1", Signal: s}, Run: "run", Base: time.UnixMilli(1_700_000_000_000), PerRequest: 3, PoisonEvery: 4}
}

func TestRequests(t *testing.T) {
	t.Run("metrics", func(t *testing.T) {
		s := streamOf(Metrics)
		body, err := s.Request(1)
		require.NoError(t, err)
		r := pmetricotlp.NewExportRequest()
		require.NoError(t, r.UnmarshalProto(body))
		rm := r.Metrics().ResourceMetrics().At(0)
		require.Equal(t, map[string]any{"service.name": "run", "kof.region": "eu-1"}, rm.Resource().Attributes().AsRaw())
		points := rm.ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints()
		require.Equal(t, 3, points.Len())
		for i, n := range []int{3, 4, 5} {
			require.EqualValues(t, n, points.At(i).DoubleValue())
			require.EqualValues(t, s.Base.UnixMilli()+int64(n), points.At(i).Timestamp().AsTime().UnixMilli(), "no two at one time")
		}
		require.Contains(t, string(body), Poison, "of record 4")
	})
	t.Run("logs", func(t *testing.T) {
		s := streamOf(Logs)
		body, err := s.Request(0)
		require.NoError(t, err)
		r := plogotlp.NewExportRequest()
		require.NoError(t, r.UnmarshalProto(body))
		records := r.Logs().ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		require.Equal(t, map[string]any{"seq": int64(0), "intended": "eu-1", "pad": Poison}, records.At(0).Attributes().AsRaw())
		require.Equal(t, map[string]any{"seq": int64(2), "intended": "eu-1"}, records.At(2).Attributes().AsRaw())
	})
	t.Run("traces", func(t *testing.T) {
		s := streamOf(Traces)
		ids := map[string]bool{}
		for k := range 3 {
			body, err := s.Request(k)
			require.NoError(t, err)
			again, err := s.Request(k)
			require.NoError(t, err)
			require.Equal(t, body, again)
			r := ptraceotlp.NewExportRequest()
			require.NoError(t, r.UnmarshalProto(body))
			spans := r.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans()
			require.Equal(t, spans.At(0).TraceID(), spans.At(2).TraceID())
			require.Equal(t, s.RequestTime(k).UnixMilli(), spans.At(1).StartTimestamp().AsTime().UnixMilli())
			ids[spans.At(0).TraceID().String()] = true
		}
		s.Region = "us-1"
		body, err := s.Request(0)
		require.NoError(t, err)
		r := ptraceotlp.NewExportRequest()
		require.NoError(t, r.UnmarshalProto(body))
		ids[r.Traces().ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceID().String()] = true
		require.Len(t, ids, 4)
	})
}

func TestMinRecordSize(t *testing.T) {
	for _, signal := range Signals() {
		s := streamOf(signal)
		s.PoisonEvery, s.Pad, s.PerRequest = 0, 100, 1000
		size, err := s.MinRecordSize()
		require.NoError(t, err)
		require.Greater(t, size, 100)
		if signal != Metrics { // those are sent in another form
			body, err := s.Request(5)
			require.NoError(t, err)
			require.LessOrEqual(t, size*s.PerRequest, len(body))
			require.Greater(t, size*s.PerRequest, len(body)*9/10)
		}
	}
}

// receiver answers by a function of the number of the attempt, and keeps all bodies.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	bodies [][]byte
}

func startReceiver(t *testing.T, answer func(attempt int, w http.ResponseWriter)) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil || req.URL.Path != "/v1/logs" || req.Header.Get("Content-Encoding") != "" {
			panic(http.ErrAbortHandler)
		}
		r.mu.Lock()
		r.bodies = append(r.bodies, body)
		n := len(r.bodies) - 1
		r.mu.Unlock()
		answer(n, w)
	}))
	t.Cleanup(r.Close)
	return r
}

func TestSenderSendsAgainUntilAcknowledged(t *testing.T) {
	r := startReceiver(t, func(attempt int, w http.ResponseWriter) {
		switch attempt {
		case 1:
			http.Error(w, "busy", http.StatusServiceUnavailable)
		case 2:
			panic(http.ErrAbortHandler) // no answer
		}
	})
	s := Start(r.URL, streamOf(Logs), time.Millisecond)
	require.Eventually(t, func() bool { return s.Acknowledged() >= 9 }, 10*time.Second, time.Millisecond)
	s.Stop()
	s.Stop() // again
	report := s.Report()
	require.Equal(t, 1, report.Refused)
	require.Contains(t, report.LastRefusal, "503")
	require.Contains(t, report.LastRefusal, "busy")
	require.Equal(t, 1, report.Unanswered)
	require.GreaterOrEqual(t, report.Acks[1].Took, 2*retryWait)
	stream := streamOf(Logs)
	for attempt, k := range []int{0, 1, 1, 1, 2} {
		want, err := stream.Request(k)
		require.NoError(t, err)
		require.Equal(t, want, r.bodies[attempt])
	}
}

func TestSenderThatIsStoppedBeforeItIsAcknowledged(t *testing.T) {
	r := startReceiver(t, func(_ int, w http.ResponseWriter) { http.Error(w, "no", http.StatusBadRequest) })
	s := Start(r.URL, streamOf(Logs), time.Millisecond)
	require.Eventually(t, func() bool { return s.Report().Refused > 0 }, 10*time.Second, time.Millisecond)
	s.Stop()
	report := s.Report()
	require.Equal(t, 1, report.Requests)
	require.Empty(t, report.Acks)
	require.Zero(t, s.Acknowledged())
}
