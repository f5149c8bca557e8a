// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/k0rdent/kof/test/backends"
)

// The way of spans in the agent, without what only Kubernetes can tell.
const spanMetricsConfig = `
extensions:
  queue_storage: {directory: "${env:DIR}/queue", create_directory: true}
receivers:
  otlp: {protocols: {http: {endpoint: "${env:OTLP}"}}}
  prometheus/self: {config: {scrape_configs: [{job_name: kof-otelcol, scrape_interval: 1s, static_configs: [{targets: ["127.0.0.1:${env:METRICS}"]}]}]}}
processors:
  identity: {cluster: {name: prod-1}}
connectors:
  span_metrics: {metrics_flush_interval: 1s}
exporters:
  region: {directory: {file: "${env:DIR}/regions.yaml"}, home_region: eu, storage: queue_storage, metrics: {max_delay: 100ms}}
service:
  extensions: [queue_storage]
  telemetry:
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: "${env:METRICS}", without_scope_info: true, without_type_suffix: true, without_units: true}}}}]
  pipelines:
    traces: {receivers: [otlp], processors: [identity], exporters: [region, span_metrics]}
    metrics/spans: {receivers: [span_metrics], exporters: [region]}
    metrics/self: {receivers: [prometheus/self], processors: [identity], exporters: [region]}
`

const callsTotal = "traces_span_metrics_calls_total"

// TestSpanMetrics sends spans by OTLP through the whole program: the series of a region's tenants reach that region and no other, the
// counts are those of the spans, over a kill as well, and 100,000 names of spans make no more series than they may.
func TestSpanMetrics(t *testing.T) {
	eu := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{Name: "eu"})
	us := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{Name: "us"})
	dir := t.TempDir()
	// Traces have no endpoint: all are held, so that they can be counted.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "regions.yaml"), fmt.Appendf(nil, `
regions:
  eu: {zone: eu, metrics: {endpoint: "%s/api/v1/write"}}
  us: {zone: us, metrics: {endpoint: "%s/api/v1/write"}}
tenants: {acme: {region: us}}
`, eu.URL, us.URL), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(spanMetricsConfig), 0o600))
	agent := &spanAgent{dir: dir, otlp: freeAddress(t), metrics: freeAddress(t)}

	stop := agent.start(t)
	agent.send(t, "", "checkout", 30, 5)
	agent.send(t, "acme", "checkout", 20, 5)
	selector := callsTotal + `{cluster="prod-1",node="node-1",job="checkout",service_name="checkout",span_kind="SPAN_KIND_SERVER"`
	requireValue(t, eu, 30, `sum(increase(`+selector+`,status_code="STATUS_CODE_UNSET"}[1h]))`)
	requireValue(t, us, 20, `sum(increase(`+selector+`,tenant="acme"}[1h]))`)
	requireValue(t, us, 20, `sum(increase(traces_span_metrics_duration_milliseconds_count[1h]))`)
	requireValue(t, us, 20*40, `sum(increase(traces_span_metrics_duration_milliseconds_sum[1h]))`)
	requireValue(t, us, 20, `sum(increase(traces_span_metrics_duration_milliseconds_bucket{le="50"}[1h]))`)
	requireValue(t, us, 0, `sum(increase(traces_span_metrics_duration_milliseconds_bucket{le="10"}[1h]))`)
	requireValue(t, eu, 5, `count(last_over_time(`+callsTotal+`[1h]))`)
	requireValue(t, us, 5, `count(last_over_time(`+callsTotal+`[1h]))`)

	// What the exporter counts by namespace is stored under the names that kofctl asks for.
	for _, metric := range []string{"items", "bytes"} {
		own := `otelcol_kof_region_namespace_` + metric + `_total{cluster="prod-1",namespace="shop",region="us",signal="traces"}`
		requireValue(t, eu, 1, `count(`+own+` > 0)`)
	}
	requireValue(t, eu, 20, `otelcol_kof_region_namespace_items_total{cluster="prod-1",namespace="shop",region="us",signal="traces"}`)
	requireValue(t, eu, 1, `count(otelcol_kof_region_wire_bytes_total{cluster="prod-1",region="us",signal="metrics"} > 0)`)

	// Killed, the agent counts from zero again. It comes to more than before the kill within one flush, which only the zero between shows.
	stop(t, syscall.SIGKILL)
	stop = agent.start(t)
	agent.send(t, "acme", "checkout", 90, 5)
	requireValue(t, us, 110, `sum(increase(`+selector+`}[1h]))`)
	// As Prometheus and Promxy do it: from sample to sample, with nothing assumed of what was before the first.
	requireValue(t, us, 110, `sum(increase_prometheus(`+selector+`}[1h]))`)
	series, err := us.Export(t.Context(), callsTotal)
	require.NoError(t, err)
	require.Len(t, series, 5, "the same series go on")
	for _, s := range series {
		zeros := 0
		for _, v := range s.Values {
			if v == 0 {
				zeros++
			}
		}
		require.Equal(t, 2, zeros, "each life begins with a zero: %v", s.Values)
	}

	const names = 100_000
	for i := range names / 1000 {
		agent.send(t, "", "crawler", 1000, 1000, strconv.Itoa(i))
	}
	requireValue(t, eu, names, `sum(increase(`+callsTotal+`{job="crawler"}[1h]))`)
	requireValue(t, eu, 1000, `count(last_over_time(`+callsTotal+`{job="crawler",otel_metric_overflow=""}[1h]))`)
	requireValue(t, eu, names-1000, `sum(increase(`+callsTotal+`{otel_metric_overflow="true"}[1h]))`)
	requireValue(t, us, 0, `count(`+callsTotal+`{job="crawler"})`)

	agent.requireOwn(t, "otelcol_span_metrics_overflow_spans", names-1000)
	agent.requireOwn(t, `otelcol_kof_region_held_items\{[^}]*region="eu"[^}]*signal="traces"[^}]*\}`, 30+names)
	agent.requireOwn(t, `otelcol_kof_region_held_items\{[^}]*region="us"[^}]*signal="traces"[^}]*\}`, 110)
	agent.requireOwn(t, `otelcol_kof_region_namespace_items\{[^}]*namespace="shop"[^}]*region="us"[^}]*signal="traces"[^}]*\}`, 90)
	stop(t, syscall.SIGTERM)
}

// spanAgent is the collector, started as often as a test wants.
type spanAgent struct{ dir, otlp, metrics string }

// start starts it and returns how to end it.
func (a *spanAgent) start(t *testing.T) func(*testing.T, os.Signal) {
	t.Helper()
	_, port, err := net.SplitHostPort(a.metrics)
	require.NoError(t, err)
	cmd := collector([]string{"DIR=" + a.dir, "OTLP=" + a.otlp, "METRICS=" + port}, "--config", filepath.Join(a.dir, "config.yaml"))
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	require.NoError(t, cmd.Start())
	ended := false
	end := func(t *testing.T, sig os.Signal) {
		t.Helper()
		ended = true
		require.NoError(t, cmd.Process.Signal(sig))
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil {
			require.ErrorAs(t, err, &exit)
		}
	}
	t.Cleanup(func() {
		if !ended {
			end(t, syscall.SIGKILL)
		}
		if t.Failed() {
			t.Log(log.String())
		}
	})
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", a.otlp)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, time.Minute, 50*time.Millisecond)
	return end
}

// send sends n spans of 40 ms of a tenant's service, evenly over so many names.
func (a *spanAgent) send(t *testing.T, tenant, service string, n, names int, suffix ...string) {
	t.Helper()
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	namespace := "shop"
	if tenant == "" {
		namespace = "ours" // a tenant's namespace is the tenant's alone
	}
	for k, v := range map[string]string{"service.name": service, "k8s.node.name": "node-1", "k8s.namespace.name": namespace, "k8s.pod.name": service + "-x7k2p", "kof.tenant": tenant} {
		if v != "" {
			rs.Resource().Attributes().PutStr(k, v)
		}
	}
	now := time.Now()
	for i := range n {
		s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		s.SetName(fmt.Sprint("GET /", i%names, "/", suffix))
		s.SetKind(ptrace.SpanKindServer)
		s.SetTraceID(pcommon.TraceID{0: byte(i), 15: 1})
		s.SetSpanID(pcommon.SpanID{0: byte(i), 7: 1})
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(now.Add(-40 * time.Millisecond)))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(now))
	}
	body, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(t, err)
	resp, err := http.Post("http://"+a.otlp+"/v1/traces", "application/x-protobuf", bytes.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// requireOwn checks a metric of the collector itself.
func (a *spanAgent) requireOwn(t *testing.T, pattern string, want float64) {
	t.Helper()
	resp, err := http.Get("http://" + a.metrics + "/metrics")
	require.NoError(t, err)
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^` + pattern + `(?:\{[^}]*\})? (\S+)$`).FindSubmatch(page)
	require.NotNil(t, found, "%s in\n%s", pattern, page)
	got, err := strconv.ParseFloat(string(found[1]), 64)
	require.NoError(t, err)
	require.InDelta(t, want, got, 0, pattern)
}

// requireValue waits until a query has this value; no result is 0.
func requireValue(t *testing.T, from *backends.Server, want float64, query string) {
	t.Helper()
	var got float64
	var err error
	ok := func() bool {
		_ = from.Flush(t.Context())
		var samples []backends.Sample
		samples, err = from.Query(t.Context(), query)
		got = 0
		for _, s := range samples {
			got += s.Value
		}
		return err == nil && got > want-0.5 && got < want+0.5
	}
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(200 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "%s: %s gives %v, not %v (%v)", from.Name, query, got, want, err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}
