// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/k0rdent/kof/internal/region"
)

// The batches that the tests and the benchmark split: a resource per entry of regions, with records records each. The order of the
// resources is in their attribute n.

func metricsOf(regions []string, records int) metrics {
	md := pmetric.NewMetrics()
	for i, name := range regions {
		rm := md.ResourceMetrics().AppendEmpty()
		describe(rm.Resource().Attributes(), name, i)
		ms := rm.ScopeMetrics().AppendEmpty().Metrics()
		for j := range records {
			m := ms.AppendEmpty()
			m.SetName(fmt.Sprintf("metric_%d", j))
			m.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(int64(j))
		}
	}
	return metrics{md}
}

func logsOf(regions []string, records int) logs {
	ld := plog.NewLogs()
	for i, name := range regions {
		rl := ld.ResourceLogs().AppendEmpty()
		describe(rl.Resource().Attributes(), name, i)
		ls := rl.ScopeLogs().AppendEmpty().LogRecords()
		for j := range records {
			ls.AppendEmpty().Body().SetStr(fmt.Sprintf("line %d", j))
		}
	}
	return logs{ld}
}

func tracesOf(regions []string, records int) traces {
	td := ptrace.NewTraces()
	for i, name := range regions {
		rs := td.ResourceSpans().AppendEmpty()
		describe(rs.Resource().Attributes(), name, i)
		ss := rs.ScopeSpans().AppendEmpty().Spans()
		for j := range records {
			ss.AppendEmpty().SetName(fmt.Sprintf("span %d", j))
		}
	}
	return traces{td}
}

func describe(attrs pcommon.Map, name string, n int) {
	attrs.PutStr("service.name", "shop")
	attrs.PutStr(attrRegion, name)
	attrs.PutInt("n", int64(n))
}

func regionAttr(attrs pcommon.Map) string {
	v, _ := attrs.Get(attrRegion)
	return v.Str()
}

func TestSplit(t *testing.T) {
	t.Run("metrics", func(t *testing.T) {
		testSplit(t, metricsOf, func(m metrics) []byte { b, _ := m.otlp(); return b })
	})
	t.Run("logs", func(t *testing.T) {
		testSplit(t, logsOf, func(l logs) []byte { b, _ := l.otlp(); return b })
	})
	t.Run("traces", func(t *testing.T) {
		testSplit(t, tracesOf, func(tr traces) []byte { b, _ := tr.otlp(); return b })
	})
}

func testSplit[T interface {
	payload[T]
	batch
	comparable
}](t *testing.T, make func([]string, int) T, encode func(T) []byte) {
	t.Run("empty", func(t *testing.T) {
		require.Empty(t, split(make(nil, 0), regionAttr, nil))
	})
	t.Run("one region passes through", func(t *testing.T) {
		data := make([]string{"a", "a", "a"}, 2)
		want := encode(data)
		parts := split(data, regionAttr, nil)
		require.Len(t, parts, 1)
		require.Equal(t, "a", parts[0].region)
		require.True(t, data == parts[0].data, "the very batch")
		require.Equal(t, want, encode(parts[0].data))
	})
	t.Run("appends", func(t *testing.T) {
		parts := split(make([]string{"b", "c"}, 1), regionAttr, split(make([]string{"a"}, 1), regionAttr, nil))
		require.Len(t, parts, 3)
		require.Equal(t, []string{"a", "b", "c"}, []string{parts[0].region, parts[1].region, parts[2].region})
	})
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var regions []string
		want := map[string][]int64{}
		var order []string
		for i := range 1 + rng.IntN(30) {
			name := string(rune('a' + rng.IntN(4)))
			if rng.IntN(4) == 0 && len(regions) > 0 {
				name = regions[len(regions)-1]
			}
			if _, seen := want[name]; !seen {
				order = append(order, name)
			}
			regions = append(regions, name)
			want[name] = append(want[name], int64(i))
		}
		data := make(regions, 3)
		items := data.items()
		calls := 0
		parts := split(data, func(attrs pcommon.Map) string { calls++; return regionAttr(attrs) }, nil)
		require.LessOrEqual(t, calls, len(regions), "each resource is decided once")
		got := 0
		var gotOrder []string
		for _, p := range parts {
			gotOrder = append(gotOrder, p.region)
			var ns []int64
			for i := range p.data.resources() {
				attrs := p.data.resource(i)
				require.Equal(t, p.region, regionAttr(attrs))
				n, _ := attrs.Get("n")
				ns = append(ns, n.Int())
			}
			require.Equal(t, want[p.region], ns, "order within a region")
			// Nothing of the resource but its place has changed.
			alone := make(regions, 3)
			for _, whole := range split(alone, regionAttr, nil) {
				if whole.region == p.region {
					require.Equal(t, encode(whole.data), encode(p.data))
				}
			}
			got += p.data.items()
		}
		require.Equal(t, order, gotOrder)
		require.Equal(t, items, got)
	}
}

// A resource costs its region's part an entry; its records cost nothing.
func TestSplitAllocations(t *testing.T) {
	t.Run("metrics", func(t *testing.T) { testSplitAllocations(t, metricsOf) })
	t.Run("logs", func(t *testing.T) { testSplitAllocations(t, logsOf) })
	t.Run("traces", func(t *testing.T) { testSplitAllocations(t, tracesOf) })
}

func testSplitAllocations[T payload[T]](t *testing.T, make func([]string, int) T) {
	const resources = 200
	for _, n := range []int{1, 2, 10} {
		allocs := func(records int) float64 {
			const runs = 5
			batches := []T{}
			for range runs + 1 { // AllocsPerRun warms up once
				batches = append(batches, make(spread(resources, n), records))
			}
			parts := []part[T]{}
			for range 16 {
				parts = append(parts, part[T]{})
			}
			i := 0
			return testing.AllocsPerRun(runs, func() {
				split(batches[i], regionAttr, parts[:0])
				i++
			})
		}
		few, many := allocs(1), allocs(20)
		require.InDelta(t, few, many, 0, "%d regions: allocations depend on the records", n)
		if n == 1 {
			require.Zero(t, few)
			continue
		}
		// Beside one per resource there is what each region's part needs: its containers, which grow as they fill.
		require.LessOrEqual(t, few, float64(resources+25*n), "%d regions", n)
	}
}

// spread returns the regions of so many resources, one after the other.
func spread(resources, regions int) []string {
	names := make([]string, resources)
	for i := range names {
		names[i] = fmt.Sprintf("region-%d", i%regions)
	}
	return names
}

// BenchmarkSplit is the routing step, decision included: 1,000 resources of 10 records each over 1, 2 and 10 regions.
func BenchmarkSplit(b *testing.B) {
	b.Run("metrics", func(b *testing.B) { benchmarkSplit(b, metricsOf) })
	b.Run("logs", func(b *testing.B) { benchmarkSplit(b, logsOf) })
	b.Run("traces", func(b *testing.B) { benchmarkSplit(b, tracesOf) })
}

func benchmarkSplit[T payload[T]](b *testing.B, make func([]string, int) T) {
	const resources, records = 1000, 10
	for _, n := range []int{1, 2, 10} {
		b.Run(fmt.Sprintf("regions=%d", n), func(b *testing.B) {
			dir := directoryOf(b, n)
			decideOn := func(attrs pcommon.Map) string { return decide(dir, "region-0", attrs) }
			parts := []part[T]{}
			data := make(spread(resources, n), records)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				parts = split(data, decideOn, parts[:0])
				// Splitting takes the batch apart; put it together again, outside of what is measured.
				if len(parts) > 1 {
					b.StopTimer()
					data = data.fresh()
					for _, p := range parts {
						for i := range p.data.resources() {
							p.data.moveTo(i, data)
						}
					}
					b.StartTimer()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/resources, "ns/resource")
		})
	}
}

// directoryOf has the regions region-0 to region-(n-1).
func directoryOf(t testing.TB, n int) *region.Directory {
	var text strings.Builder
	text.WriteString("regions:\n")
	for i := range n {
		fmt.Fprintf(&text, "  region-%d: {zone: eu, logs: {endpoint: \"http://region-%d.example/\"}}\n", i, i)
	}
	return parseDirectory(t, text.String())
}
