// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/k0rdent/kof/test/backends"
)

// realRegion is a directory of one region with real backends; more is put behind each endpoint.
func realRegion(real *backends.Region, more string) string {
	return fmt.Sprintf(`
regions:
  home:
    zone: eu
    metrics: {endpoint: "%s/api/v1/write"%s}
    logs: {endpoint: "%s/insert/opentelemetry/v1/logs"%s}
    traces: {endpoint: "%s/v1/traces"%s}
`, real.Metrics.URL, more, real.Logs.URL, more, real.Traces.OTLPURL, more)
}

// TestRealBackends drives all signals through the exporter into a real VictoriaMetrics, VictoriaLogs and Jaeger.
func TestRealBackends(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real servers")
	}
	real := backends.StartRegionT(t, "home")
	t.Run("stored as promised", func(t *testing.T) { testStored(t, real) })
	t.Run("takes what the exporter asks", func(t *testing.T) { testAnswers(t, real) })
	t.Run("wrong path", func(t *testing.T) { testWrongPath(t, real) })
	t.Run("outage", func(t *testing.T) { testOutage(t, real) })
}

// workload describes a container of a pod, as the agent does.
func workload(attrs pcommon.Map) {
	for key, value := range map[string]string{
		"k8s.cluster.name": "prod", "k8s.cluster.uid": "c-1", "k8s.namespace.name": "shop", "k8s.deployment.name": "cart",
		"k8s.pod.name": "cart-7d-x", "k8s.pod.uid": "0123", "k8s.container.name": "app", "k8s.node.name": "node-1",
		"kof.region": "home", "kof.tenant": "acme", "service.name": "cart",
	} {
		attrs.PutStr(key, value)
	}
}

func testStored(t *testing.T, real *backends.Region) {
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, realRegion(real, "")))
	md, ld, td := gauges("", "m1", "m2"), logRecords("", "l1", "l2"), spans("", "t1", "t2")
	workload(md.ResourceMetrics().At(0).Resource().Attributes())
	workload(ld.ResourceLogs().At(0).Resource().Attributes())
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr("user", "u-1")
	workload(td.ResourceSpans().At(0).Resource().Attributes())
	traceID := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(1).TraceID().String()
	require.NoError(t, r.ConsumeMetrics(t.Context(), md))
	require.NoError(t, r.ConsumeLogs(t.Context(), ld))
	require.NoError(t, r.ConsumeTraces(t.Context(), td))
	for _, s := range allSignals {
		l := r.drained("home", s)
		require.EqualValues(t, 2, l.delivered, s)
		require.Empty(t, l.dropped, s)
		require.Empty(t, l.failed, "%s: the first encoding, zstd, is taken", s)
	}

	require.NoError(t, real.Metrics.Flush(t.Context()))
	series, err := real.Metrics.Export(t.Context(), `{__name__="test_gauge"}`)
	require.NoError(t, err)
	require.Len(t, series, 2)
	for _, s := range series {
		require.Equal(t, []float64{1}, s.Values)
		for label, want := range map[string]string{
			"cluster": "prod", "namespace": "shop", "pod": "cart-7d-x", "container": "app", "node": "node-1", "tenant": "acme", "job": "cart",
		} {
			require.Equal(t, want, s.Labels[label], "label %s of %v", label, s.Labels)
		}
		for label := range s.Labels {
			require.NotContains(t, label, "uid")
		}
	}

	require.NoError(t, real.Logs.Flush(t.Context()))
	records, err := real.Logs.LogsQuery(t.Context(), "*", 0)
	require.NoError(t, err)
	require.Len(t, records, 2)
	for _, rec := range records {
		require.Contains(t, []string{"l1", "l2"}, rec["_msg"])
		require.Equal(t, `{k8s.cluster.name="prod",k8s.container.name="app",k8s.deployment.name="cart",k8s.namespace.name="shop",service.name="cart"}`, rec["_stream"])
		require.Equal(t, "0123", rec["k8s.pod.uid"], "a field, not of the stream")
		require.Equal(t, "cart-7d-x", rec["k8s.pod.name"])
	}

	var trace backends.Trace
	require.Eventually(t, func() bool {
		trace, err = real.Traces.Trace(t.Context(), traceID)
		return err == nil
	}, testTimeout, 50*time.Millisecond)
	require.Len(t, trace.Spans, 1)
	require.Equal(t, "t2", trace.Spans[0].Name)
	require.Equal(t, "cart", trace.Spans[0].Service)
	require.Equal(t, "shop", trace.Spans[0].ProcessTags["k8s.namespace.name"])
}

// A request without records is answered by 2xx, which is how bad data is told from a bad endpoint; and each encoding that the exporter
// may use is taken.
func testAnswers(t *testing.T, real *backends.Region) {
	urls := map[signal]string{
		signalMetrics: real.Metrics.URL + "/api/v1/write", signalLogs: real.Logs.URL + "/insert/opentelemetry/v1/logs", signalTraces: real.Traces.OTLPURL + "/v1/traces",
	}
	codec, err := newEncoder(MetricsConfig{})
	require.NoError(t, err)
	for s, url := range urls {
		compressions := []string{"zstd", "gzip", "none"}
		if s == signalMetrics {
			compressions = []string{"zstd", "snappy"}
		}
		for _, compression := range compressions {
			snd := senderTo(t, s, url, "      compression: "+compression)
			data := map[signal]batch{
				signalMetrics: metrics{gauges("", "a")}, signalLogs: logs{logRecords("", "a")}, signalTraces: traces{spans("", "a")},
			}[s]
			payload, _, _, err := codec.encode(data, snd.format())
			require.NoError(t, err)
			for name, p := range map[string][]byte{"nothing": nil, "records": payload} {
				a := snd.send(t.Context(), p)
				require.Equal(t, delivered, a.verdict, "%s in %s with %s: %v", s, compression, name, a.err)
			}
			// What is no request at all is bad data, and the endpoint is not.
			a := snd.send(t.Context(), []byte{0x0a, 0xff, 0xff, 0xff, 0xff})
			require.Equal(t, badData, a.verdict, "%s in %s: %v", s, compression, a.err)
		}
	}
	// gRPC to Jaeger.
	snd := grpcSenderTo(t, signalTraces, real.Traces.OTLPGRPC)
	payload, err := traces{spans("", "a")}.otlp()
	require.NoError(t, err)
	for _, p := range [][]byte{nil, payload} {
		a := snd.send(t.Context(), p)
		require.Equal(t, delivered, a.verdict, "%v", a.err)
	}
	// OTLP metrics to VictoriaMetrics, for those who prefer them.
	snd = senderTo(t, signalMetrics, real.Metrics.URL+"/opentelemetry/v1/metrics", "      protocol: otlp_http")
	payload, err = metrics{gauges("", "a")}.otlp()
	require.NoError(t, err)
	for _, p := range [][]byte{nil, payload} {
		a := snd.send(t.Context(), p)
		require.Equal(t, delivered, a.verdict, "%v", a.err)
	}
}

// VictoriaMetrics answers 400 to a path that it doesn't know, as to bad data. The data is held, not dropped, until the path is right.
func testWrongPath(t *testing.T, real *backends.Region) {
	h := newHost(t, t.TempDir())
	wrong := strings.NewReplacer("/api/v1/write", "/api/v9/write", "/opentelemetry/v1/logs", "/opentelemetry/v9/logs", "/v1/traces", "/v9/traces").Replace(realRegion(real, ""))
	r := begin(t, h, quickConfig(t, wrong))
	sendAll(t, r, "", "-path")
	for s, class := range map[signal]string{signalMetrics: "400", signalLogs: "400", signalTraces: "404"} {
		require.Eventually(t, func() bool { return r.ledger("home", s).failed[class] > 5 }, testTimeout, testTick, s)
		l := r.ledger("home", s)
		require.Empty(t, l.dropped, s)
		require.EqualValues(t, 1, l.held, s)
	}
	require.NotEmpty(t, r.logged.FilterMessageSnippet("Can't deliver").All())
	r.end()
	r = begin(t, h, quickConfig(t, realRegion(real, "")))
	for _, s := range allSignals {
		require.EqualValues(t, 1, r.drained("home", s).delivered, s)
	}
}

// What is accepted while the backends are down is in them after they return.
func testOutage(t *testing.T, real *backends.Region) {
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, realRegion(real, "")))
	require.NoError(t, real.Shutdown())
	for i := range 20 {
		sendAll(t, r, "", fmt.Sprintf("-outage-%02d", i))
	}
	for _, s := range allSignals {
		require.Eventually(t, func() bool { return r.ledger("home", s).failed["network"] > 2 }, testTimeout, testTick, s)
		require.EqualValues(t, 20, r.ledger("home", s).held, s)
	}
	require.NoError(t, real.Restart(t.Context()))
	for _, s := range allSignals {
		require.EqualValues(t, 20, r.drained("home", s).delivered, s)
	}
	require.NoError(t, real.Metrics.Flush(t.Context()))
	series, err := real.Metrics.Export(t.Context(), `{id=~"m-outage-.*"}`)
	require.NoError(t, err)
	require.Len(t, series, 20)
	require.NoError(t, real.Logs.Flush(t.Context()))
	count, err := real.Logs.LogsCount(t.Context(), `_msg:"l-outage-"*`)
	require.NoError(t, err)
	require.Equal(t, 20, count)
	require.Eventually(t, func() bool {
		found, err := real.Traces.Traces(t.Context(), "shop", 1000, time.Time{}, time.Time{})
		outage := 0
		for _, trace := range found {
			for _, span := range trace.Spans {
				if strings.HasPrefix(span.Name, "t-outage-") {
					outage++
				}
			}
		}
		return err == nil && outage == 20
	}, testTimeout, 50*time.Millisecond)
}
