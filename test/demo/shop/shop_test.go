// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"

	"github.com/k0rdent/kof/test/demo/samples"
	"github.com/k0rdent/kof/test/demo/truth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// receiver is an endpoint that takes OTLP; what arrives is compared by the demo itself, on a real agent.
func receiver(t *testing.T) (hostPort string, traces, metrics *atomic.Int64) {
	t.Helper()
	traces, metrics = &atomic.Int64{}, &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1/traces":
			traces.Add(1)
		case "/v1/metrics":
			metrics.Add(1)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), traces, metrics
}

func start(t *testing.T, otlp string, set *truth.Set) (*Shop, Config) {
	t.Helper()
	cfg := Config{
		Service: "checkout", Region: "eu", Resource: []attribute.KeyValue{attribute.String("kof.region", "eu")}, OTLP: otlp,
		RequestInterval: 5 * time.Millisecond, MetricsInterval: 50 * time.Millisecond,
		Truth: set, Samples: samples.NewRecorder(set),
	}
	listener, err := Listen()
	require.NoError(t, err)
	s, err := Start(t.Context(), cfg, listener)
	require.NoError(t, err)
	return s, cfg
}

func TestShopSendsAndRecords(t *testing.T) {
	otlp, traces, metrics := receiver(t)
	set := truth.New(1_000_000)
	s, cfg := start(t, otlp, set)
	require.Eventually(t, func() bool {
		return set.Sources()[cfg.TraceSource()] >= 40 && set.Sources()[cfg.PushedSource()] >= 40
	}, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, s.Stop(t.Context()))

	require.Positive(t, traces.Load())
	require.Positive(t, metrics.Load())
	spans := set.Records(truth.Traces)
	require.Zero(t, len(spans)%4, "an order has four spans: buy, its call, its service, the stock")
	byTrace := map[string]int{}
	for id := range spans {
		trace, _, _ := strings.Cut(id, "/")
		byTrace[trace]++
	}
	for trace, n := range byTrace {
		require.Equal(t, 4, n, trace)
	}
}

func TestPauseEndsSpansOnly(t *testing.T) {
	otlp, _, _ := receiver(t)
	set := truth.New(0)
	s, cfg := start(t, otlp, set)
	require.Eventually(t, func() bool { return set.Sources()[cfg.TraceSource()] > 0 }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, s.Pause(t.Context()))
	paused := set.Sources()
	require.Eventually(t, func() bool {
		return set.Sources()[cfg.PushedSource()] > paused[cfg.PushedSource()]
	}, 20*time.Second, 5*time.Millisecond)
	require.Equal(t, paused[cfg.TraceSource()], set.Sources()[cfg.TraceSource()])
	s.Resume()
	require.Eventually(t, func() bool {
		return set.Sources()[cfg.TraceSource()] > paused[cfg.TraceSource()]
	}, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, s.Stop(t.Context()))
}

func scrape(t *testing.T, url string, header bool) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	if header {
		req.Header.Set(scraperHeader, "1")
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	require.NoError(t, err)
	page, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return string(page)
}

func TestScrapesAreNumberedAndRecorded(t *testing.T) {
	otlp, _, _ := receiver(t)
	set := truth.New(1_000_000)
	s, cfg := start(t, otlp, set)
	require.NoError(t, s.Pause(t.Context()))
	url := "http://" + s.Addr() + "/metrics"
	require.Contains(t, scrape(t, url, true), "\n"+samples.SequenceSeries+" 1\n")
	scrape(t, url, false) // a person who looks
	page := scrape(t, url, true)
	require.Contains(t, page, "\n"+samples.SequenceSeries+" 2\n")
	require.NoError(t, s.Stop(t.Context()))

	served := 0
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "#") {
			served++
		}
	}
	recorded := 0
	for id, record := range set.Records(truth.Metrics) {
		if record.Source == cfg.ScrapedSource() && strings.HasSuffix(id, "#2") {
			recorded++
		}
	}
	require.Equal(t, served, recorded, "as many as the page has lines")
}

func TestRecordedNames(t *testing.T) {
	set := truth.New(100)
	r := &metricRecorder{
		source:  truth.Source{Name: "s", Region: "eu", Signal: truth.Metrics},
		samples: samples.NewRecorder(set),
	}
	at := time.UnixMilli(5)
	attrs := attribute.NewSet(attribute.Int("http.code", 200))
	point := []metricdata.DataPoint[int64]{{Attributes: attrs, Time: at, Value: 3}}
	r.note(metricdata.Metrics{Name: "a.b", Unit: "{x}", Data: metricdata.Sum[int64]{IsMonotonic: true, DataPoints: point}})
	r.note(metricdata.Metrics{Name: "c.d", Unit: "By", Data: metricdata.Sum[int64]{DataPoints: point}})
	r.note(metricdata.Metrics{Name: "e", Unit: "s", Data: metricdata.Gauge[int64]{DataPoints: point}})
	r.note(metricdata.Metrics{Name: "h", Unit: "s", Data: metricdata.Histogram[float64]{
		DataPoints: []metricdata.HistogramDataPoint[float64]{{
			Attributes: attrs, Time: at, Count: 6, Sum: 1.5, Bounds: []float64{0.5, 1}, BucketCounts: []uint64{1, 2, 3},
		}},
	}})
	want := map[string]float64{
		`s: a_b_total{http_code="200"}@5`:                  3,
		`s: c_d_bytes{http_code="200"}@5`:                  3,
		`s: e_seconds{http_code="200"}@5`:                  3,
		`s: h_seconds_count{http_code="200"}@5`:            6,
		`s: h_seconds_sum{http_code="200"}@5`:              1.5,
		`s: h_seconds_bucket{http_code="200",le="0.5"}@5`:  1,
		`s: h_seconds_bucket{http_code="200",le="1"}@5`:    3,
		`s: h_seconds_bucket{http_code="200",le="+Inf"}@5`: 6,
	}
	got := map[string]float64{}
	for id, record := range set.Records(truth.Metrics) {
		got[id] = record.Value
	}
	require.Equal(t, want, got)
}
