// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"testing"

	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Whatever pdata holds: no panic, every data point counted once, labels sorted, unique, bounded and valid. One encoder
// takes all of it, so that no state of one input can spoil the next.
func TestWildMetrics(t *testing.T) {
	e := newEncoder(t, Options{TargetInfo: true, ResourceLabels: map[string]string{"cloud.region": "region"}})
	var total Result
	for seed := range uint64(2000) {
		md := newGenerator(seed, true).metrics()
		warm, result := encode(t, e, md)
		total.Points += result.Points
		for r, n := range result.Dropped {
			total.Dropped[r] += n
		}
		if seed%10 == 0 {
			cold, _ := encode(t, newEncoder(t, Options{TargetInfo: true, ResourceLabels: map[string]string{"cloud.region": "region"}}), md)
			require.Equal(t, lines(cold), lines(warm), "seed %d: caches change nothing", seed)
		}
		for _, ts := range warm {
			requireIdentity(t, md, ts.Labels)
		}
	}
	require.Greater(t, total.Points, 5_000)
	for r, n := range total.Dropped {
		if r := Reason(r); r != ReasonTooLarge { // has a test of its own
			require.Positive(t, n, "the generator makes no %s", r)
		}
	}
}

// requireIdentity checks that a tenant is one that a resource has, if all resources have one.
func requireIdentity(t *testing.T, md pmetric.Metrics, labels []prompb.Label) {
	tenants := map[string]bool{}
	for _, rm := range md.ResourceMetrics().All() {
		v, ok := rm.Resource().Attributes().Get("kof.tenant")
		if !ok || v.AsString() == "" {
			return
		}
		clean, _ := cleanValue(v.AsString())
		tenants[clean] = true
	}
	for _, l := range labels {
		if l.Name == "tenant" {
			require.True(t, tenants[l.Value], l.Value)
		}
	}
}

// Ranges that cover metrics give together what one call gives, wherever they are cut.
func TestRanges(t *testing.T) {
	for seed := range uint64(300) {
		g := newGenerator(seed, true)
		md := g.metrics()
		n := md.DataPointCount()
		e := newEncoder(t, Options{})
		whole, want := e.Append(nil, md)
		var parts []byte
		var sum Result
		for from := 0; from < n; {
			to := from + 1 + g.IntN(n)
			var r Result
			parts, r = e.AppendRange(parts, md, from, to)
			require.Equal(t, min(to, n)-from, r.Points+r.DroppedPoints())
			sum.Points += r.Points
			sum.Samples += r.Samples
			for i := range r.Dropped {
				sum.Dropped[i] += r.Dropped[i]
			}
			from = to
		}
		require.Equal(t, whole, parts)
		sum.Truncated = want.Truncated // labels of a resource are made anew for each range
		require.Equal(t, want, sum)

		for _, r := range [][2]int{{-5, 0}, {0, 0}, {n, n + 7}, {3, 1}} {
			none, result := e.AppendRange(nil, md, r[0], r[1])
			require.Empty(t, none)
			require.Equal(t, Result{}, result)
		}
	}
}

// In steady state nothing is allocated, but for attributes that are maps, slices, bytes or floating-point numbers.
func TestAllocations(t *testing.T) {
	md := nodeAgentMix(6)
	for _, rm := range md.ResourceMetrics().All() {
		rm.Resource().Attributes().PutInt("process.pid", 4321)
	}
	md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Sum().DataPoints().At(0).Attributes().PutInt("code", 1234567)
	e := newEncoder(t, Options{TargetInfo: true})
	dst, _ := e.Append(nil, md)
	allocs := testing.AllocsPerRun(10, func() { dst, _ = e.Append(dst[:0], md) })
	// One string per resource: job is not joined here.
	require.LessOrEqual(t, allocs, float64(md.ResourceMetrics().Len()))
}

// FuzzAppend takes OTLP protobuf. Its seeds are large: fuzz with -fuzzminimizetime=1x, or most of the time goes into making
// inputs smaller.
func FuzzAppend(f *testing.F) {
	for seed := range uint64(20) {
		raw, err := new(pmetric.ProtoMarshaler).MarshalMetrics(newGenerator(seed, true).metrics())
		require.NoError(f, err)
		f.Add(raw)
	}
	e := newEncoder(f, Options{TargetInfo: true})
	f.Fuzz(func(t *testing.T, raw []byte) {
		md, err := new(pmetric.ProtoUnmarshaler).UnmarshalMetrics(raw)
		if err != nil {
			return
		}
		encode(t, e, md)
	})
}
