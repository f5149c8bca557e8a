// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"testing"

	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// The units of what the encoder makes of anything are those of its data points: encoded one by one, they are the same bytes.
func TestUnits(t *testing.T) {
	plain := newEncoder(t, Options{})
	exact, points := 0, 0
	for seed := range uint64(2000) {
		md := newGenerator(seed, seed%2 == 0).metrics()
		request, result := plain.Append(nil, md)
		units, err := Units(request, int64(result.Points))
		require.NoError(t, err)
		want := []int{}
		end := 0
		for i := range md.DataPointCount() {
			one, r := plain.AppendRange(nil, md, i, i+1)
			if r.Points == 1 {
				end += len(one)
				want = append(want, end)
			}
		}
		points++
		if len(units) == len(want) {
			exact++
			for i := range want {
				require.Equal(t, Unit{End: want[i], Points: 1}, units[i])
			}
		} else {
			require.Len(t, units, result.Samples, "seed %d: the fallback is one unit per series", seed)
		}
	}
	require.Greater(t, exact, points*95/100)
}

func TestUnitsOfTargetInfo(t *testing.T) {
	e := newEncoder(t, Options{TargetInfo: true})
	infos := 0
	for seed := range uint64(500) {
		md := newGenerator(seed, false).metrics()
		request, result := e.Append(nil, md)
		units, err := Units(request, int64(result.Points))
		require.NoError(t, err)
		sum := 0
		for _, u := range units {
			sum += u.Points
			if u.Points == 0 {
				infos++
			}
		}
		if len(units) != result.Samples {
			require.Equal(t, result.Points, sum)
		}
	}
	require.Positive(t, infos)
}

// gaugesNamed are gauges beside each other that have nothing but a name.
func gaugesNamed(names ...string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	for _, name := range names {
		m := metrics.AppendEmpty()
		m.SetName(name)
		p := m.SetEmptyGauge().DataPoints().AppendEmpty()
		p.SetTimestamp(testTime)
		p.SetDoubleValue(1)
	}
	return md
}

func TestUnitsThatOnlyLookLikeAPoint(t *testing.T) {
	e := newEncoder(t, Options{})
	for _, names := range [][]string{{"x_sum", "x_count"}, {"target_info"}, {"a", "x_sum", "x_count", "target_info"}, {"x_count", "x_bucket"}} {
		request, result := e.Append(nil, gaugesNamed(names...))
		units, err := Units(request, int64(result.Points))
		require.NoError(t, err)
		require.Len(t, units, len(names), names)
		for _, u := range units {
			require.Equal(t, 1, u.Points)
		}
	}
}

func TestUnitsOfNoRequest(t *testing.T) {
	_, err := Units([]byte{0x0a, 0xff, 0xff}, 1)
	require.Error(t, err)
	units, err := Units(nil, 0)
	require.NoError(t, err)
	require.Empty(t, units)
}

func FuzzUnits(f *testing.F) {
	e := newEncoder(f, Options{TargetInfo: true})
	for seed := range uint64(5) {
		request, _ := e.Append(nil, newGenerator(seed, false).metrics())
		f.Add(request)
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		units, err := Units(request, -1) // never adds up
		if err != nil {
			return
		}
		var parsed prompb.WriteRequest
		if parsed.Unmarshal(request) == nil {
			require.GreaterOrEqual(t, len(units), len(parsed.Timeseries))
		}
		last := 0
		for _, u := range units {
			require.Greater(t, u.End, last)
			last = u.End
		}
		require.Equal(t, len(request), last)
	})
}
