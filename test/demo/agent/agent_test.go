// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/k0rdent/kof/test/demo/truth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const page = `# TYPE otelcol_kof_region_accepted_items_total counter
otelcol_kof_region_accepted_items_total{region="eu-west-1",signal="logs",otel_scope_name="x"} 100
# TYPE otelcol_kof_region_delivered_items_total counter
otelcol_kof_region_delivered_items_total{region="eu-west-1",signal="logs"} 80
# TYPE otelcol_kof_region_dropped_items_total counter
otelcol_kof_region_dropped_items_total{region="eu-west-1",signal="logs",reason="rejected"} 3
otelcol_kof_region_dropped_items_total{region="eu-west-1",signal="logs",reason="too_large"} 2
# TYPE otelcol_kof_region_held_items gauge
otelcol_kof_region_held_items{region="eu-west-1",signal="logs"} 14
otelcol_kof_region_held_items{region="_unknown",signal="logs"} 1
# TYPE otelcol_kof_region_held_bytes gauge
otelcol_kof_region_held_bytes{region="eu-west-1",signal="logs"} 9999
# TYPE otelcol_receiver_accepted_metric_points counter
otelcol_receiver_accepted_metric_points{receiver="hostmetrics",transport=""} 7
`

func TestParseTelemetry(t *testing.T) {
	got, err := parseTelemetry(strings.NewReader(page))
	require.NoError(t, err)
	lane := got.Lanes[truth.Key{Region: "eu-west-1", Signal: truth.Logs}]
	require.Equal(t, Lane{Accepted: 100, Delivered: 80, Dropped: 5, Held: 14}, lane)
	require.EqualValues(t, 1, lane.Residual())
	require.EqualValues(t, 1, got.Lanes[truth.Key{Region: "_unknown", Signal: truth.Logs}].Held)
	require.EqualValues(t, 7, got.Received["hostmetrics"])
}

func TestParseTelemetryRefusesWhatIsNoMetrics(t *testing.T) {
	_, err := parseTelemetry(strings.NewReader("<html>"))
	require.ErrorContains(t, err, "agent metrics")
}

func TestParseRSS(t *testing.T) {
	rss, err := parseRSS([]byte("Name:\tx\nVmHWM:\t  999 kB\nVmRSS:\t   117760 kB\n"))
	require.NoError(t, err)
	require.EqualValues(t, 115<<20, rss)
	_, err = parseRSS([]byte("Name:\tx\n"))
	require.Error(t, err)
}

// sleeper is a program in the agent's place: what is tested is how a process is started and ended.
func sleeper(t *testing.T, script, healthURL string) Config {
	t.Helper()
	path := t.TempDir() + "/agent"
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700))
	return Config{Binary: path, HealthURL: healthURL, Log: io.Discard}
}

func health(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestProcess(t *testing.T) {
	p, err := Start(t.Context(), sleeper(t, "exec sleep 1000", health(t)))
	require.NoError(t, err)
	rss, err := p.RSS()
	require.NoError(t, err)
	require.Positive(t, rss)
	require.NoError(t, p.Stop())
	<-p.Exited()
	require.NoDirExists(t, fmt.Sprintf("/proc/%d", p.PID()))
	require.NoError(t, p.Stop(), "ending it twice is no error")
}

func TestProcessThatEndsAtOnce(t *testing.T) {
	_, err := Start(t.Context(), sleeper(t, "exit 3", "http://127.0.0.1:1/"))
	require.ErrorContains(t, err, "ended before it was ready: exit status 3")
}

func TestProcessThatIsNeverReady(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := Start(ctx, sleeper(t, "exec sleep 1000", "http://127.0.0.1:1/"))
	require.ErrorContains(t, err, "not ready")
}

func TestProcessThatIsNotThere(t *testing.T) {
	_, err := Start(t.Context(), Config{Binary: "/nowhere/kof-otelcol", Log: io.Discard})
	require.ErrorContains(t, err, "no such file")
}

func TestEnvironment(t *testing.T) {
	t.Setenv("KOF_REGION", "from outside")
	out := t.TempDir() + "/env"
	cfg := sleeper(t, "env > "+out+"; exec sleep 1000", health(t))
	cfg.Env = []string{"KOF_TENANT=acme"}
	p, err := Start(t.Context(), cfg)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		env, err := os.ReadFile(out)
		return err == nil && strings.Contains(string(env), "PATH=")
	}, 5*time.Second, 10*time.Millisecond)
	require.NoError(t, p.Stop())
	env, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Contains(t, string(env), "KOF_TENANT=acme")
	require.NotContains(t, string(env), "from outside")
}
