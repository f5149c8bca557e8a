// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Records that are known by an id, one resource per call.

func logRecords(regionName string, ids ...string) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	putRegion(rl.Resource().Attributes(), regionName)
	sl := rl.ScopeLogs().AppendEmpty()
	for _, id := range ids {
		lr := sl.LogRecords().AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		lr.Body().SetStr(id)
	}
	return ld
}

func spans(regionName string, ids ...string) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	putRegion(rs.Resource().Attributes(), regionName)
	ss := rs.ScopeSpans().AppendEmpty()
	for _, id := range ids {
		span := ss.Spans().AppendEmpty()
		span.SetName(id)
		hash := sha256.Sum256([]byte(id))
		span.SetTraceID(pcommon.TraceID(hash[:16])) // a trace of its own
		span.SetSpanID(pcommon.SpanID(hash[16:24]))
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	}
	return td
}

func gauges(regionName string, ids ...string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	putRegion(rm.Resource().Attributes(), regionName)
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("test_gauge")
	points := m.SetEmptyGauge().DataPoints()
	for _, id := range ids {
		p := points.AppendEmpty()
		p.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		p.SetIntValue(1)
		p.Attributes().PutStr(idAttr, id)
	}
	return md
}

func putRegion(attrs pcommon.Map, name string) {
	if name != "" {
		attrs.PutStr(attrRegion, name)
	}
	attrs.PutStr("service.name", "shop")
}

// ids returns n different ids.
func idsOf(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s-%04d", prefix, i)
	}
	return all
}

func logIDs(ld plog.Logs) (ids []string) {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				ids = append(ids, lr.Body().Str())
			}
		}
	}
	return ids
}

func spanIDs(td ptrace.Traces) (ids []string) {
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				ids = append(ids, span.Name())
			}
		}
	}
	return ids
}

func pointIDs(md pmetric.Metrics) (ids []string) {
	add := func(attrs pcommon.Map) {
		id, _ := attrs.Get(idAttr)
		ids = append(ids, id.Str())
	}
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				switch m.Type() {
				case pmetric.MetricTypeGauge:
					for _, p := range m.Gauge().DataPoints().All() {
						add(p.Attributes())
					}
				case pmetric.MetricTypeSum:
					for _, p := range m.Sum().DataPoints().All() {
						add(p.Attributes())
					}
				case pmetric.MetricTypeHistogram:
					for _, p := range m.Histogram().DataPoints().All() {
						add(p.Attributes())
					}
				case pmetric.MetricTypeExponentialHistogram:
					for _, p := range m.ExponentialHistogram().DataPoints().All() {
						add(p.Attributes())
					}
				case pmetric.MetricTypeSummary:
					for _, p := range m.Summary().DataPoints().All() {
						add(p.Attributes())
					}
				}
			}
		}
	}
	return ids
}

// noise is text that doesn't compress.
func noise(n int) string {
	rng := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('!' + rng.IntN(94))
	}
	return string(b)
}
