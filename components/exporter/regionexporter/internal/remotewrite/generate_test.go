// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"fmt"
	"math"
	"math/rand/v2"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// generator makes random metrics. Tame ones are those on which the stock translator is to agree; wild ones use all that
// pdata can hold.
type generator struct {
	*rand.Rand
	wild bool
}

func newGenerator(seed uint64, wild bool) *generator {
	return &generator{rand.New(rand.NewPCG(seed, 99)), wild}
}

func (g *generator) metrics() pmetric.Metrics {
	md := pmetric.NewMetrics()
	for range g.IntN(4) {
		rm := md.ResourceMetrics().AppendEmpty()
		g.resource(rm.Resource().Attributes())
		for range g.IntN(3) {
			sm := rm.ScopeMetrics().AppendEmpty()
			sm.Scope().SetName("scope")
			for range g.IntN(8) {
				g.metric(sm.Metrics().AppendEmpty())
			}
		}
	}
	return md
}

func (g *generator) resource(m pcommon.Map) {
	keys := []string{"service.name", "service.namespace", "service.instance.id", "os.type", "host.name"}
	if g.wild {
		keys = append(keys, "kof.tenant", "k8s.cluster.name", "k8s.pod.name", "cloud.region", "cluster", "__name__", "", "____")
	}
	for _, k := range keys {
		if g.IntN(3) > 0 {
			g.attribute(m, k)
		}
	}
}

func (g *generator) attribute(m pcommon.Map, key string) {
	kinds := 4
	if g.wild {
		kinds = 10
	}
	switch g.IntN(kinds) {
	default:
		m.PutStr(key, fmt.Sprintf("value-%d", g.IntN(3)))
	case 1:
		m.PutInt(key, g.Int64N(3)*1000)
	case 2:
		m.PutBool(key, g.IntN(2) == 0)
	case 3:
		m.PutDouble(key, g.Float64())
	case 4:
		m.PutStr(key, "")
	case 5:
		m.PutStr(key, "\xff\xfe bad")
	case 6:
		m.PutStr(key, string(make([]byte, g.IntN(3*MaxLabelValueLength))))
	case 7:
		m.PutEmptyMap(key).PutStr("k", "v")
	case 8:
		m.PutEmptySlice(key).AppendEmpty().SetInt(1)
	case 9:
		m.PutEmptyBytes(key).Append(1, 2)
	}
}

func (g *generator) attributes(m pcommon.Map) {
	keys := []string{"a", "b.c", "b_c", "b/c", "Upper", "_under", "1digit", "pod", "namespace", "node", "日本", "__x__", "http.status_code"}
	if g.wild {
		keys = append(keys, "tenant", "cluster", "clusterNamespace", "exported_tenant", "le", "quantile", "__name__", "job", "instance",
			"vm_account_id", "", "____", string(make([]byte, g.IntN(2000))), "exported_"+string(make([]byte, 250)))
	}
	g.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, k := range keys[:g.IntN(6)] {
		g.attribute(m, k)
	}
	if g.wild && g.IntN(50) == 0 {
		for i := range g.IntN(300) {
			m.PutStr(fmt.Sprint("many", i), "v")
		}
	}
}

func (g *generator) temporality() pmetric.AggregationTemporality {
	return []pmetric.AggregationTemporality{cumulative, cumulative, cumulative, delta, unspecified}[g.IntN(5)]
}

func (g *generator) metric(m pmetric.Metric) {
	names := []string{"m", "http.server.duration", "x_total", "y_ratio", "9lives", "with:colon", "__dunder__", "naïve"}
	if g.wild {
		names = append(names, "", "___", string(make([]byte, g.IntN(3000))))
	}
	m.SetName(names[g.IntN(len(names))])
	m.SetUnit([]string{"", "s", "By", "1", "By/s", "{thing}", "%"}[g.IntN(7)])
	kinds := 5
	if g.wild {
		kinds = 6 // the sixth is none
	}
	n := g.IntN(5)
	switch g.IntN(kinds) {
	case 0:
		dps := m.SetEmptyGauge().DataPoints()
		for range n {
			g.number(dps.AppendEmpty())
		}
	case 1:
		s := m.SetEmptySum()
		s.SetIsMonotonic(g.IntN(2) == 0)
		s.SetAggregationTemporality(g.temporality())
		for range n {
			g.number(s.DataPoints().AppendEmpty())
		}
	case 2:
		h := m.SetEmptyHistogram()
		h.SetAggregationTemporality(g.temporality())
		for range n {
			g.histogram(h.DataPoints().AppendEmpty())
		}
	case 3:
		h := m.SetEmptyExponentialHistogram()
		h.SetAggregationTemporality(g.temporality())
		for range n {
			g.exponential(h.DataPoints().AppendEmpty())
		}
	case 4:
		for range n {
			g.summary(m.SetEmptySummary().DataPoints().AppendEmpty())
		}
	}
}

func (g *generator) time() pcommon.Timestamp {
	if g.wild && g.IntN(10) == 0 {
		return []pcommon.Timestamp{0, 1, math.MaxUint64, math.MaxInt64}[g.IntN(4)]
	}
	return testTime + pcommon.Timestamp(g.Int64N(1e12))
}

func (g *generator) flags() pmetric.DataPointFlags {
	return pmetric.DefaultDataPointFlags.WithNoRecordedValue(g.IntN(8) == 0)
}

func (g *generator) float() float64 {
	return []float64{0, 1, -1, g.NormFloat64(), math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat64, 1e-300}[g.IntN(9)]
}

func (g *generator) number(p pmetric.NumberDataPoint) {
	g.attributes(p.Attributes())
	p.SetTimestamp(g.time())
	p.SetFlags(g.flags())
	switch g.IntN(5) {
	case 0, 1:
		p.SetIntValue(g.Int64() - math.MaxInt64/2)
	case 2, 3:
		p.SetDoubleValue(g.float())
	default:
		if !g.wild {
			p.SetIntValue(0)
		}
	}
}

func (g *generator) histogram(p pmetric.HistogramDataPoint) {
	g.attributes(p.Attributes())
	p.SetTimestamp(g.time())
	p.SetFlags(g.flags())
	p.SetCount(g.Uint64())
	// The stock translator ends no _sum that a stale point lacks.
	if g.wild || p.Flags().NoRecordedValue() || g.IntN(2) == 0 {
		p.SetSum(g.float())
	}
	bounds := g.IntN(12)
	for i := range bounds {
		p.ExplicitBounds().Append(float64(i)*1.7 - 3)
		p.BucketCounts().Append(g.Uint64N(1000))
	}
	p.BucketCounts().Append(g.Uint64N(1000))
	if g.wild {
		for range g.IntN(3) {
			p.ExplicitBounds().Append(g.float())
		}
	}
}

func (g *generator) exponential(p pmetric.ExponentialHistogramDataPoint) {
	g.attributes(p.Attributes())
	p.SetTimestamp(g.time())
	p.SetCount(g.Uint64N(1_000_000))
	p.SetSum(g.NormFloat64())
	p.SetZeroCount(g.Uint64N(3))
	// Finer scales than 8 the stock translator merges, and then puts counts after empty buckets into the wrong one.
	p.SetScale(int32(g.IntN(13) - 4))
	for range g.IntN(200) {
		p.Positive().BucketCounts().Append(g.Uint64N(5))
	}
	p.Positive().SetOffset(int32(g.IntN(400) - 200))
	if !g.wild {
		return
	}
	p.SetFlags(g.flags())
	p.SetScale(int32(g.Uint32()) >> g.IntN(32))
	p.SetZeroThreshold(g.float())
	p.Positive().SetOffset(int32(g.Uint32()) >> g.IntN(32))
	for range g.IntN(200) {
		p.Negative().BucketCounts().Append(g.Uint64() >> g.IntN(64))
	}
	p.Negative().SetOffset(int32(g.Uint32()) >> g.IntN(32))
}

func (g *generator) summary(p pmetric.SummaryDataPoint) {
	g.attributes(p.Attributes())
	p.SetTimestamp(g.time())
	p.SetFlags(g.flags())
	p.SetCount(g.Uint64())
	p.SetSum(g.float())
	for i := range g.IntN(5) {
		q := p.QuantileValues().AppendEmpty()
		q.SetQuantile(float64(i) / 4)
		q.SetValue(g.float())
	}
}
