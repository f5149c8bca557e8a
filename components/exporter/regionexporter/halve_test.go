// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
)

// mixedMetrics has points of every type, over several resources, scopes and metrics, each with an id of its own.
func mixedMetrics(resources, points int) (pmetric.Metrics, []string) {
	md := pmetric.NewMetrics()
	var ids []string
	now := pcommon.NewTimestampFromTime(time.Now())
	next := func(attrs pcommon.Map) {
		id := fmt.Sprintf("p%03d", len(ids))
		ids = append(ids, id)
		attrs.PutStr(idAttr, id)
	}
	for r := range resources {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutInt("resource", int64(r))
		for s := range 2 {
			sm := rm.ScopeMetrics().AppendEmpty()
			sm.Scope().SetName(fmt.Sprint(s))
			for kind := range 6 {
				m := sm.Metrics().AppendEmpty()
				m.SetName(fmt.Sprintf("m%d", kind))
				m.SetUnit("s")
				switch kind {
				case 0:
					gauge := m.SetEmptyGauge()
					for range points {
						p := gauge.DataPoints().AppendEmpty()
						p.SetTimestamp(now)
						p.SetIntValue(1)
						next(p.Attributes())
					}
				case 1:
					sum := m.SetEmptySum()
					sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
					sum.SetIsMonotonic(true)
					for range points {
						p := sum.DataPoints().AppendEmpty()
						p.SetTimestamp(now)
						p.SetDoubleValue(1)
						next(p.Attributes())
					}
				case 2:
					h := m.SetEmptyHistogram()
					h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
					for range points {
						p := h.DataPoints().AppendEmpty()
						p.SetTimestamp(now)
						p.ExplicitBounds().FromRaw([]float64{1})
						p.BucketCounts().FromRaw([]uint64{1, 2})
						p.SetCount(3)
						next(p.Attributes())
					}
				case 3:
					h := m.SetEmptyExponentialHistogram()
					h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
					for range points {
						p := h.DataPoints().AppendEmpty()
						p.SetTimestamp(now)
						p.SetCount(1)
						p.SetZeroCount(1)
						next(p.Attributes())
					}
				case 4:
					summary := m.SetEmptySummary()
					for range points {
						p := summary.DataPoints().AppendEmpty()
						p.SetTimestamp(now)
						p.SetCount(1)
						next(p.Attributes())
					}
				case 5: // without a type
				}
			}
		}
	}
	return md, ids
}

func TestHalveMetrics(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 3}, {3, 2}, {2, 7}} {
		md, ids := mixedMetrics(size[0], size[1])
		payload, err := metrics{md}.otlp()
		require.NoError(t, err)
		testHalve(t, signalMetrics, payload, ids, func(b batch) []string { return pointIDs(b.(metrics).Metrics) })
	}
}

func TestHalveLogsAndTraces(t *testing.T) {
	for n := 1; n < 20; n++ {
		ids := idsOf("x", n)
		ld := logRecords("a", ids[:n/2]...)
		logRecords("b", ids[n/2:]...).ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
		payload, err := logs{ld}.otlp()
		require.NoError(t, err)
		testHalve(t, signalLogs, payload, ids, func(b batch) []string { return logIDs(b.(logs).Logs) })

		td := spans("a", ids[:n/2]...)
		spans("b", ids[n/2:]...).ResourceSpans().MoveAndAppendTo(td.ResourceSpans())
		payload, err = traces{td}.otlp()
		require.NoError(t, err)
		testHalve(t, signalTraces, payload, ids, func(b batch) []string { return spanIDs(b.(traces).Traces) })
	}
}

// testHalve halves down to single items: each is there exactly once, in order, and halves are even.
func testHalve(t *testing.T, s signal, payload []byte, want []string, ids func(batch) []string) {
	t.Helper()
	var got []string
	var down func(payload []byte)
	down = func(payload []byte) {
		whole, err := unmarshalOTLP(s, payload)
		require.NoError(t, err)
		halves, err := halve(s, lanequeue.FormatOTLP, piece{payload, int64(whole.items())})
		require.NoError(t, err)
		if len(halves) == 1 {
			require.Equal(t, payload, halves[0].payload)
			require.Equal(t, 1, whole.items())
			got = append(got, ids(whole)...)
			return
		}
		require.Len(t, halves, 2)
		for _, half := range halves {
			b, err := unmarshalOTLP(s, half.payload)
			require.NoError(t, err)
			require.EqualValues(t, b.items(), half.items)
			require.InDelta(t, float64(whole.items())/2, b.items(), 0.5)
			down(half.payload)
		}
	}
	down(payload)
	require.Equal(t, want, got)
}

// A half keeps what describes its items: resource, scope, metric, temporality.
func TestHalveKeepsTheRest(t *testing.T) {
	md, _ := mixedMetrics(1, 2)
	payload, err := metrics{md}.otlp()
	require.NoError(t, err)
	halves, err := halve(signalMetrics, lanequeue.FormatOTLP, piece{payload, int64(md.DataPointCount())})
	require.NoError(t, err)
	for _, half := range halves {
		b, err := unmarshalOTLP(signalMetrics, half.payload)
		require.NoError(t, err)
		for _, rm := range b.(metrics).ResourceMetrics().All() {
			n, ok := rm.Resource().Attributes().Get("resource")
			require.True(t, ok)
			require.EqualValues(t, 0, n.Int())
			for _, sm := range rm.ScopeMetrics().All() {
				require.NotEmpty(t, sm.Scope().Name())
				for _, m := range sm.Metrics().All() {
					require.NotEmpty(t, m.Name())
					require.Equal(t, "s", m.Unit())
					if m.Type() == pmetric.MetricTypeSum {
						require.True(t, m.Sum().IsMonotonic())
						require.Equal(t, pmetric.AggregationTemporalityCumulative, m.Sum().AggregationTemporality())
					}
				}
			}
		}
	}
}

func TestHalveSeries(t *testing.T) {
	codec, err := newEncoder(MetricsConfig{TargetInfo: true})
	require.NoError(t, err)
	for n := 1; n < 20; n++ {
		want := idsOf("x", n)
		payload, items, _, err := codec.encode(metrics{gauges("a", want...)}, lanequeue.FormatRemoteWrite)
		require.NoError(t, err)
		require.Equal(t, n, items)
		var got []string
		var down func(piece)
		down = func(p piece) {
			halves, err := halve(signalMetrics, lanequeue.FormatRemoteWrite, p)
			require.NoError(t, err)
			if len(halves) == 1 {
				require.LessOrEqual(t, p.items, int64(1), "0 is target_info")
				ids, err := decodeIDs("/write", "", p.payload)
				require.NoError(t, err)
				got = append(got, ids...)
				return
			}
			down(halves[0])
			down(halves[1])
		}
		down(piece{payload, int64(items)})
		require.Equal(t, want, got)
	}
}

func TestHalveDamaged(t *testing.T) {
	for _, format := range []lanequeue.Format{lanequeue.FormatOTLP, lanequeue.FormatRemoteWrite} {
		_, err := halve(signalMetrics, format, piece{[]byte{0x0a, 0xff, 0xff}, 3})
		require.Error(t, err)
		halves, err := halve(signalMetrics, format, piece{})
		require.NoError(t, err)
		require.Len(t, halves, 1)
	}
}

// Points of every type are cut apart with all their series, so that what is dropped is exact.
func TestHalvePointsOfRemoteWrite(t *testing.T) {
	codec, err := newEncoder(MetricsConfig{TargetInfo: true})
	require.NoError(t, err)
	md, ids := mixedMetrics(3, 4)
	payload, items, _, err := codec.encode(metrics{md}, lanequeue.FormatRemoteWrite)
	require.NoError(t, err)
	require.Equal(t, len(ids), items)
	var got []string
	var down func(piece)
	down = func(p piece) {
		halves, err := halve(signalMetrics, lanequeue.FormatRemoteWrite, p)
		require.NoError(t, err)
		if len(halves) > 1 {
			require.Equal(t, p.items, halves[0].items+halves[1].items)
			down(halves[0])
			down(halves[1])
			return
		}
		names, err := decodeIDs("/write", "", p.payload)
		require.NoError(t, err)
		require.EqualValues(t, 1, p.items)
		require.Len(t, slices.Compact(names), 1)
		got = append(got, names[0])
	}
	down(piece{payload, int64(items)})
	require.Equal(t, ids, got)
}
