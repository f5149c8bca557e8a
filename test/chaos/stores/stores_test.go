// SPDX-License-Identifier: Apache-2.0

package stores

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/chaos/load"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// send gives a request to a backend: VictoriaMetrics gets the samples that remote write would make of it.
func send(t *testing.T, url string, s load.Stream, request int) {
	t.Helper()
	var body []byte
	if s.Signal == load.Metrics {
		for n := request * s.PerRequest; n < (request+1)*s.PerRequest; n++ {
			body = fmt.Appendf(body, "%s{job=%q,intended=%q} %d %d\n", load.MetricName, s.Run, s.Region, n, s.Base.UnixMilli()+int64(n))
		}
	} else {
		var err error
		body, err = s.Request(request)
		require.NoError(t, err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("VL-Stream-Fields", "service.name")
	resp, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 2, resp.StatusCode/100, resp.Status)
}

func TestRead(t *testing.T) {
	region := backends.StartRegionT(t, "here")
	urls := map[load.Signal]string{
		load.Metrics: region.Metrics.URL + "/api/v1/import/prometheus",
		load.Logs:    region.Logs.URL + "/insert/opentelemetry/v1/logs",
		load.Traces:  region.Traces.OTLPURL + "/v1/traces",
	}
	stream := func(run, intended string, s load.Signal) load.Stream {
		return load.Stream{Lane: load.Lane{Region: intended, Signal: s}, Run: run, Base: time.Now().Truncate(time.Millisecond), PerRequest: 3}
	}
	base := stream("run", "here", load.Metrics)
	want := Found{}
	for _, signal := range load.Signals() {
		s := base
		s.Signal = signal
		send(t, urls[signal], s, 0)
		send(t, urls[signal], s, 2)
		send(t, urls[signal], s, 2) // twice
		want[s.Lane] = Counts{0: 1, 1: 1, 2: 1, 6: 2, 7: 2, 8: 2}
		s.Region = "elsewhere"
		send(t, urls[signal], s, 0)
		want[s.Lane] = Counts{0: 1, 1: 1, 2: 1}
		send(t, urls[signal], stream("another", "here", signal), 0)
	}
	// A fresh sample of VictoriaMetrics can take some seconds to be seen.
	var got Found
	require.Eventually(t, func() bool {
		var err error
		got, err = Read(t.Context(), region, Range{base, 3})
		require.NoError(t, err)
		return len(got) == len(want)
	}, 20*time.Second, 100*time.Millisecond)
	require.Equal(t, want, got)
}

func TestReadPages(t *testing.T) {
	jaeger := backends.StartT(t, backends.StartJaeger, backends.Options{})
	s := load.Stream{Lane: load.Lane{Region: "here", Signal: load.Traces}, Run: "run", Base: time.Now().Truncate(time.Millisecond), PerRequest: 1}
	requests := []int{0, tracesPerQuery - 1, tracesPerQuery, 2*tracesPerQuery + 5}
	for _, k := range requests {
		send(t, jaeger.OTLPURL+"/v1/traces", s, k)
	}
	got := Found{}
	require.NoError(t, readTraces(t.Context(), &backends.Region{Traces: jaeger}, Range{s, 2*tracesPerQuery + 6}, got))
	require.Equal(t, Found{s.Lane: {requests[0]: 1, requests[1]: 1, requests[2]: 1, requests[3]: 1}}, got)
}

func TestReadOfABackendThatIsDown(t *testing.T) {
	down := &backends.Server{Name: "down", URL: "http://127.0.0.1:1"}
	_, err := Read(t.Context(), &backends.Region{Metrics: down, Logs: down, Traces: down}, Range{Requests: 1})
	require.Error(t, err)
}
