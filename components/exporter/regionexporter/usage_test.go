// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
)

// byNamespace is what a metric tells of a lane, by namespace.
func (r *running) byNamespace(metric, region string, s signal) map[string]int64 {
	r.t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(r.t, r.telemetry.Reader.Collect(context.Background(), &all))
	found := map[string]int64{}
	for _, sm := range all.ScopeMetrics {
		for _, m := range sm.Metrics {
			if m.Name != metric {
				continue
			}
			for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
				in, _ := p.Attributes.Value("region")
				sig, _ := p.Attributes.Value("signal")
				if in.AsString() == region && sig.AsString() == string(s) {
					namespace, ok := p.Attributes.Value("namespace")
					require.True(r.t, ok)
					found[namespace.AsString()] = p.Value
				}
			}
		}
	}
	return found
}

const (
	namespaceItems = "otelcol_kof_region_namespace_items"
	namespaceBytes = "otelcol_kof_region_namespace_bytes"
)

// linesOf are logs of namespaces, so many lines of so many bytes each.
func linesOf(lines, bytes int, namespaces ...string) plog.Logs {
	ld := plog.NewLogs()
	for _, ns := range namespaces {
		rl := ld.ResourceLogs().AppendEmpty()
		if ns != "" {
			rl.Resource().Attributes().PutStr(attrNamespace, ns)
		}
		to := rl.ScopeLogs().AppendEmpty().LogRecords()
		for range lines {
			to.AppendEmpty().Body().SetStr(strings.Repeat("x", bytes))
		}
	}
	return ld
}

func TestNamespacesAreCounted(t *testing.T) {
	b := newBackend(t, nil)
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, oneRegion(b.URL)))
	ctx := t.Context()

	one := linesOf(10, 100, "shop", "shop")
	whole := int64((&plog.ProtoMarshaler{}).LogsSize(one))
	require.NoError(t, r.ConsumeLogs(ctx, one))
	require.Equal(t, map[string]int64{"shop": 20}, r.byNamespace(namespaceItems, "home", signalLogs))
	require.Equal(t, map[string]int64{"shop": whole}, r.byNamespace(namespaceBytes, "home", signalLogs))

	// Of several namespaces each has its own bytes; long lines are not paid by those with short ones.
	several := linesOf(10, 1000, "chatty", "")
	linesOf(10, 10, "quiet").ResourceLogs().MoveAndAppendTo(several.ResourceLogs())
	size := int64((&plog.ProtoMarshaler{}).LogsSize(several))
	require.NoError(t, r.ConsumeLogs(ctx, several))
	items, bytes := r.byNamespace(namespaceItems, "home", signalLogs), r.byNamespace(namespaceBytes, "home", signalLogs)
	require.Equal(t, map[string]int64{"shop": 20, "chatty": 10, "": 10, "quiet": 10}, items)
	require.InDelta(t, 10_000, bytes["chatty"], 500)
	require.InDelta(t, 10_000, bytes[""], 500)
	require.InDelta(t, 100, bytes["quiet"], 700)
	require.Equal(t, size, bytes["chatty"]+bytes[""]+bytes["quiet"])

	td := ptrace.NewTraces()
	for i, ns := range []string{"shop", "billing"} {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr(attrNamespace, ns)
		for range i + 1 {
			rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("x")
		}
	}
	require.NoError(t, r.ConsumeTraces(ctx, td))
	require.Equal(t, map[string]int64{"shop": 1, "billing": 2}, r.byNamespace(namespaceItems, "home", signalTraces))

	// The shares of points add up to the payload.
	md := pmetric.NewMetrics()
	for i, ns := range []string{"a", "b", "c"} {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr(attrNamespace, ns)
		ms := rm.ScopeMetrics().AppendEmpty().Metrics()
		for range i + 1 {
			p := ms.AppendEmpty()
			p.SetName("m")
			p.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
			p.Gauge().DataPoints().At(0).SetTimestamp(1e18)
		}
	}
	payload, _, _, err := codec(t).encode(metrics{md}, lanequeue.FormatRemoteWrite)
	require.NoError(t, err)
	require.NoError(t, r.ConsumeMetrics(ctx, md))
	require.Equal(t, map[string]int64{"a": 1, "b": 2, "c": 3}, r.byNamespace(namespaceItems, "home", signalMetrics))
	sum := int64(0)
	for _, n := range r.byNamespace(namespaceBytes, "home", signalMetrics) {
		sum += n
	}
	require.EqualValues(t, len(payload), sum)

	for _, s := range []signal{signalLogs, signalTraces, signalMetrics} {
		total := int64(0)
		for _, n := range r.byNamespace(namespaceItems, "home", s) {
			total += n
		}
		require.Equal(t, r.ledger("home", s).accepted, total, "%s: all that was accepted is some namespace's", s)
	}
}

// codec is an encoder like the exporter's.
func codec(t testing.TB) *encoder {
	e, err := newEncoder(createDefaultConfig().(*Config).Metrics)
	require.NoError(t, err)
	return e
}

func TestNamespacesAreBounded(t *testing.T) {
	b := newBackend(t, nil)
	cfg := quickConfig(t, oneRegion(b.URL))
	cfg.MaxNamespaces = 3
	r := begin(t, newHost(t, t.TempDir()), cfg)
	for i := range 50 {
		require.NoError(t, r.ConsumeLogs(t.Context(), linesOf(1, 10, fmt.Sprint("n", i), fmt.Sprint("n", (i+1)%50))))
	}
	require.Equal(t, map[string]int64{"n0": 2, "n1": 2, "n2": 2, otherNamespaces: 94}, r.byNamespace(namespaceItems, "home", signalLogs))
}

func TestNamespacesNeedNotBeCounted(t *testing.T) {
	b := newBackend(t, nil)
	cfg := quickConfig(t, oneRegion(b.URL))
	cfg.MaxNamespaces = 0
	r := begin(t, newHost(t, t.TempDir()), cfg)
	require.NoError(t, r.ConsumeLogs(t.Context(), linesOf(1, 10, "shop")))
	require.Empty(t, r.byNamespace(namespaceItems, "home", signalLogs))
}

// What the full queue refuses is nobody's cost.
func TestRefusedItemsAreNotCounted(t *testing.T) {
	cfg := quickConfig(t, oneRegion("http://127.0.0.1:1"))
	cfg.Queue.MaxBytes, cfg.Queue.MaxTotalBytes = mib, mib
	r := begin(t, newHost(t, t.TempDir()), cfg)
	require.NoError(t, r.ConsumeLogs(t.Context(), linesOf(9, 100_000, "shop")))
	require.Error(t, r.ConsumeLogs(t.Context(), linesOf(9, 100_000, "shop")))
	require.Equal(t, map[string]int64{"shop": 9}, r.byNamespace(namespaceItems, "home", signalLogs))
}

// agentLogs is a batch as pod_logs makes it: 1,000 lines of 300 bytes of ten pods with the attributes of pods.
func agentLogs(namespaces int) logs {
	ld := plog.NewLogs()
	for i := range 10 {
		rl := ld.ResourceLogs().AppendEmpty()
		podAttributes(rl.Resource().Attributes(), fmt.Sprint("namespace-", i%namespaces))
		to := rl.ScopeLogs().AppendEmpty().LogRecords()
		for range 100 {
			lr := to.AppendEmpty()
			lr.Body().SetStr(strings.Repeat("x", 300))
			lr.Attributes().PutStr("log.iostream", "stdout")
		}
	}
	return logs{ld}
}

func agentTraces(namespaces int) traces {
	td := ptrace.NewTraces()
	for i := range 10 {
		rs := td.ResourceSpans().AppendEmpty()
		podAttributes(rs.Resource().Attributes(), fmt.Sprint("namespace-", i%namespaces))
		to := rs.ScopeSpans().AppendEmpty().Spans()
		for range 100 {
			s := to.AppendEmpty()
			s.SetName("GET /cart")
			s.Attributes().PutStr("http.request.method", "GET")
			s.Attributes().PutInt("http.response.status_code", 200)
		}
	}
	return traces{td}
}

func agentMetrics(namespaces int) metrics {
	md := pmetric.NewMetrics()
	for i := range 10 {
		rm := md.ResourceMetrics().AppendEmpty()
		podAttributes(rm.Resource().Attributes(), fmt.Sprint("namespace-", i%namespaces))
		for j := range 20 {
			m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
			m.SetName(fmt.Sprint("metric_", j))
			to := m.SetEmptyGauge().DataPoints()
			for k := range 5 {
				p := to.AppendEmpty()
				p.SetTimestamp(1e18)
				p.SetDoubleValue(float64(k))
				p.Attributes().PutInt("k", int64(k))
			}
		}
	}
	return metrics{md}
}

func podAttributes(to pcommon.Map, namespace string) {
	for i := range 12 {
		to.PutStr(fmt.Sprint("k8s.attribute.", i), "value")
	}
	to.PutStr(attrNamespace, namespace)
}

// BenchmarkUsage is the counting by namespace, beside the encoding of the same batch that the lane does anyway; 1,000 items an operation.
func BenchmarkUsage(b *testing.B) {
	e := codec(b)
	for _, n := range []int{1, 10} {
		for _, bench := range []struct {
			name   string
			batch  batch
			format lanequeue.Format
		}{
			{"logs", agentLogs(n), lanequeue.FormatOTLP}, {"traces", agentTraces(n), lanequeue.FormatOTLP}, {"metrics", agentMetrics(n), lanequeue.FormatRemoteWrite},
		} {
			b.Run(fmt.Sprintf("%s/namespaces=%d/encode", bench.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, _, _, _ = e.encode(bench.batch, bench.format)
				}
			})
			b.Run(fmt.Sprintf("%s/namespaces=%d/count", bench.name, n), func(b *testing.B) {
				u := newUsage(500)
				b.ReportAllocs()
				for b.Loop() {
					u.add(bench.batch, 300_000)
				}
			})
		}
	}
}

func TestCountingAllocatesNothing(t *testing.T) {
	u := newUsage(500)
	for _, b := range []batch{agentLogs(1), agentLogs(10), agentTraces(10), agentMetrics(10)} {
		u.add(b, 1000)
		require.Zero(t, testing.AllocsPerRun(10, func() { u.add(b, 1000) }))
	}
}
