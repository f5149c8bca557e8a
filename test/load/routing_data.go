// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/k0rdent/kof/test/load/feed"
)

// batch is data of one signal; the others are empty.
type batch struct {
	logs    plog.Logs
	metrics pmetric.Metrics
	traces  ptrace.Traces
}

// logLines are so many that no two batches that meet in a request have the same.
var logLines = feed.NewLines(1 << 16)

// newBatch makes batch n for a contender. All contenders get the same but for the values of kof.region, which are of equal length.
func newBatch(signal string, n int, c contender) batch {
	rng := rand.New(rand.NewPCG(uint64(n), 3))
	regionOf := func(resource int) string {
		switch {
		case c.regions < 2:
			return regionName(0)
		case c.mixed:
			return regionName(resource % c.regions)
		default:
			return regionName(n % c.regions)
		}
	}
	now := pcommon.NewTimestampFromTime(time.Now())
	switch signal {
	case "logs":
		l := plog.NewLogs()
		for i := range batchResources {
			logLines.Fill(l, regionOf(i), 1, time.Now()) // its resource, and one record
			to := l.ResourceLogs().At(i).ScopeLogs().At(0).LogRecords()
			for to.Len() < batchRecords {
				to.At(0).CopyTo(to.AppendEmpty())
				to.At(to.Len() - 1).Body().SetStr(logLines.Next())
			}
		}
		return batch{logs: l}
	case "metrics":
		m := pmetric.NewMetrics()
		for i := range batchResources {
			r := m.ResourceMetrics().AppendEmpty()
			setResource(r.Resource().Attributes(), i, regionOf(i))
			metrics := r.ScopeMetrics().AppendEmpty().Metrics()
			for k := range 10 {
				sum := metrics.AppendEmpty()
				sum.SetName(fmt.Sprintf("http.server.stage_%d.requests", k))
				sum.SetEmptySum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
				for j := range batchRecords / 10 {
					p := sum.Sum().DataPoints().AppendEmpty()
					p.SetTimestamp(now)
					p.SetIntValue(rng.Int64N(1_000_000))
					p.Attributes().PutStr("http.request.method", "GET")
					p.Attributes().PutStr("http.route", fmt.Sprintf("/api/v1/orders/%d", j))
					p.Attributes().PutInt("http.response.status_code", 200)
				}
			}
		}
		return batch{metrics: m}
	default:
		t := ptrace.NewTraces()
		for i := range batchResources {
			r := t.ResourceSpans().AppendEmpty()
			setResource(r.Resource().Attributes(), i, regionOf(i))
			spans := r.ScopeSpans().AppendEmpty().Spans()
			for range batchRecords {
				s := spans.AppendEmpty()
				s.SetTraceID(pcommon.TraceID(randomBytes[[16]byte](rng)))
				s.SetSpanID(pcommon.SpanID(randomBytes[[8]byte](rng)))
				s.SetName("POST /api/v1/orders")
				s.SetKind(ptrace.SpanKindServer)
				s.SetStartTimestamp(now)
				s.SetEndTimestamp(now + pcommon.Timestamp(rng.Int64N(1e9)))
				s.Attributes().PutStr("http.request.method", "POST")
				s.Attributes().PutStr("http.route", "/api/v1/orders")
				s.Attributes().PutStr("client.address", fmt.Sprintf("10.42.%d.%d", rng.IntN(255), rng.IntN(255)))
				s.Attributes().PutInt("http.response.status_code", 201)
				s.Attributes().PutInt("order.items", rng.Int64N(20))
			}
		}
		return batch{traces: t}
	}
}

func randomBytes[T [8]byte | [16]byte](rng *rand.Rand) (b T) {
	for i := range len(b) {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func setResource(attrs pcommon.Map, i int, region string) {
	attrs.PutStr("kof.region", region)
	attrs.PutStr("k8s.cluster.name", "eu-prod-7")
	attrs.PutStr("k8s.namespace.name", fmt.Sprintf("team-%d", i%4))
	attrs.PutStr("k8s.pod.name", fmt.Sprintf("checkout-5d9f7c6b8-%05d", i*7919))
	attrs.PutStr("k8s.container.name", "checkout")
	attrs.PutStr("service.name", "checkout")
	attrs.PutStr("service.instance.id", fmt.Sprintf("checkout-%d", i))
}
