// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

type bucket struct{ le, count float64 }

// encodeExp encodes one exponential histogram point and returns its buckets by bound, and the other lines.
func encodeExp(t *testing.T, set func(pmetric.ExponentialHistogramDataPoint)) (buckets []bucket, others []string) {
	md, _, m := oneMetric("m", "")
	h := m.SetEmptyExponentialHistogram()
	h.SetAggregationTemporality(cumulative)
	dp := h.DataPoints().AppendEmpty()
	dp.SetTimestamp(testTime)
	set(dp)
	series, result := encode(t, newEncoder(t, Options{}), md)
	require.Equal(t, 1, result.Points)
	var rest []prompb.TimeSeries
	for _, ts := range series {
		if ts.Labels[0].Value != "m_bucket" {
			rest = append(rest, ts)
			continue
		}
		require.Equal(t, leLabel, ts.Labels[1].Name)
		le, err := strconv.ParseFloat(ts.Labels[1].Value, 64)
		require.NoError(t, err)
		buckets = append(buckets, bucket{le, ts.Samples[0].Value})
	}
	require.True(t, slices.IsSortedFunc(buckets, func(a, b bucket) int {
		if a.le == b.le {
			return -1
		}
		return int(math.Copysign(1, a.le-b.le))
	}), "bounds rise: %v", buckets)
	require.LessOrEqual(t, len(buckets), MaxExponentialBuckets+4)
	return buckets, lines(rest)
}

func TestExponentialHistogram(t *testing.T) {
	inf := math.Inf(1)
	tests := []struct {
		name    string
		set     func(pmetric.ExponentialHistogramDataPoint)
		buckets []bucket
		others  []string
	}{
		{"empty", func(pmetric.ExponentialHistogramDataPoint) {}, []bucket{{0, 0}, {inf, 0}}, []string{"m_count{} 0"}},
		{
			"scale 0", func(p pmetric.ExponentialHistogramDataPoint) {
				p.SetCount(10)
				p.SetSum(20)
				p.SetZeroCount(1)
				p.Positive().SetOffset(-1)
				p.Positive().BucketCounts().FromRaw([]uint64{2, 0, 3, 4})
			},
			[]bucket{{0, 1}, {0.5, 1}, {1, 3}, {2, 3}, {4, 6}, {8, 10}, {inf, 10}},
			[]string{"m_count{} 10", "m_sum{} 20"},
		},
		{
			"empty buckets at the ends", func(p pmetric.ExponentialHistogramDataPoint) {
				p.SetCount(1)
				p.Positive().BucketCounts().FromRaw([]uint64{0, 0, 1, 0, 0})
			},
			[]bucket{{0, 0}, {4, 0}, {8, 1}, {inf, 1}}, []string{"m_count{} 1"},
		},
		{
			"both signs and a zero threshold", func(p pmetric.ExponentialHistogramDataPoint) {
				p.SetCount(21)
				p.SetZeroCount(6)
				p.SetZeroThreshold(0.25)
				p.Negative().SetOffset(0)
				p.Negative().BucketCounts().FromRaw([]uint64{1, 2})
				p.Positive().SetOffset(0)
				p.Positive().BucketCounts().FromRaw([]uint64{5, 7})
			},
			[]bucket{{-4, 0}, {-2, 2}, {-1, 3}, {0.25, 9}, {1, 9}, {2, 14}, {4, 21}, {inf, 21}}, []string{"m_count{} 21"},
		},
		{
			"too fine a scale is merged", func(p pmetric.ExponentialHistogramDataPoint) {
				p.SetScale(4) // 4 buckets become one
				p.SetCount(10)
				p.Positive().SetOffset(-5)
				p.Positive().BucketCounts().FromRaw([]uint64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1})
			},
			[]bucket{{0, 0}, {0.707107, 0}, {0.840896, 1}, {1, 5}, {1.18921, 9}, {1.41421, 10}, {inf, 10}}, []string{"m_count{} 10"},
		},
		{
			"a coarse scale", func(p pmetric.ExponentialHistogramDataPoint) {
				p.SetScale(-3) // a bucket spans a factor of 256
				p.SetCount(3)
				p.Positive().SetOffset(-1)
				p.Positive().BucketCounts().FromRaw([]uint64{1, 2})
			},
			[]bucket{{0, 0}, {0.00390625, 0}, {1, 1}, {256, 3}, {inf, 3}}, []string{"m_count{} 3"},
		},
		{
			"the coarsest scale", func(p pmetric.ExponentialHistogramDataPoint) {
				p.SetScale(math.MinInt32)
				p.SetCount(3)
				p.Positive().SetOffset(-1)
				p.Positive().BucketCounts().FromRaw([]uint64{1, 2})
			},
			[]bucket{{0, 0}, {1, 1}, {inf, 3}}, []string{"m_count{} 3"},
		},
		{
			"the finest scale", func(p pmetric.ExponentialHistogramDataPoint) {
				p.SetScale(math.MaxInt32)
				p.SetCount(3)
				p.Positive().SetOffset(-1)
				p.Positive().BucketCounts().FromRaw([]uint64{1, 2})
			},
			[]bucket{{0, 0}, {0.840896, 0}, {1, 1}, {1.18921, 3}, {inf, 3}}, []string{"m_count{} 3"},
		},
		{
			"beyond the range of a float", func(p pmetric.ExponentialHistogramDataPoint) {
				p.SetCount(6)
				p.Positive().SetOffset(math.MaxInt32 - 1)
				p.Positive().BucketCounts().FromRaw([]uint64{1, 1, 1})
				p.Negative().SetOffset(math.MinInt32)
				p.Negative().BucketCounts().FromRaw([]uint64{1, 1, 1})
			},
			[]bucket{{0, 3}, {inf, 6}}, []string{"m_count{} 6"},
		},
		{
			"a zero threshold above buckets", func(p pmetric.ExponentialHistogramDataPoint) {
				p.SetCount(5)
				p.SetZeroCount(2)
				p.SetZeroThreshold(3)
				p.Positive().BucketCounts().FromRaw([]uint64{1, 1, 1})
			},
			[]bucket{{3, 2}, {4, 4}, {8, 5}, {inf, 5}}, []string{"m_count{} 5"},
		},
		{
			"stale", func(p pmetric.ExponentialHistogramDataPoint) {
				p.SetFlags(noRecordedValue)
				p.Positive().BucketCounts().FromRaw([]uint64{1, 1, 1})
			},
			[]bucket{{inf, stale}}, []string{"m_count{} stale", "m_sum{} stale"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			buckets, others := encodeExp(t, tt.set)
			require.Equal(t, tt.others, others)
			require.Len(t, buckets, len(tt.buckets), "%v", buckets)
			for i, b := range buckets {
				require.Equal(t, tt.buckets[i].le, b.le)
				require.Equal(t, valueText(tt.buckets[i].count), valueText(b.count), "le=%v", b.le)
			}
		})
	}
}

func TestExponentialHistogramReasons(t *testing.T) {
	for _, tt := range []struct {
		reason      Reason
		temporality pmetric.AggregationTemporality
		time        pcommon.Timestamp
		attributes  attrs
	}{
		{ReasonDeltaTemporality, delta, testTime, nil},
		{ReasonUnspecifiedTemporality, unspecified, testTime, nil},
		{ReasonNoTimestamp, cumulative, 0, nil},
		{ReasonInvalidName, cumulative, testTime, attrs{"": "v"}},
	} {
		md, _, m := oneMetric("m", "")
		h := m.SetEmptyExponentialHistogram()
		h.SetAggregationTemporality(tt.temporality)
		dp := h.DataPoints().AppendEmpty()
		dp.SetTimestamp(tt.time)
		require.NoError(t, dp.Attributes().FromRaw(tt.attributes))
		_, result := encode(t, newEncoder(t, Options{}), md)
		require.Equal(t, 1, result.Dropped[tt.reason], tt.reason)
	}
}

// Whatever the scale and the range of the observations, each bucket that is sent counts exactly the observations up to its
// bound, and a quantile interpolated from them is off by no more than a bucket's width.
func TestExponentialHistogramAgainstObservations(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		scale := int32(rng.IntN(26) - 5)
		octaves := rng.Float64() * 30
		if scale > 8 {
			octaves /= math.Exp2(float64(scale - 8)) // an SDK's scale goes with the range: at most some thousand buckets
		}
		center := rng.Float64()*40 - 20
		signs := []float64{1, 1, -1}[:1+rng.IntN(3)]
		var seen []float64
		pos, neg := map[int32]uint64{}, map[int32]uint64{}
		for range 500 {
			exponent := center + rng.Float64()*octaves
			v := signs[rng.IntN(len(signs))] * math.Exp2(exponent)
			seen = append(seen, v)
			index := int32(math.Ceil(exponent*math.Exp2(float64(scale)))) - 1
			if v > 0 {
				pos[index]++
			} else {
				neg[index]++
			}
		}
		zeros := rng.IntN(20)
		for range zeros {
			seen = append(seen, 0)
		}
		buckets, _ := encodeExp(t, func(p pmetric.ExponentialHistogramDataPoint) {
			p.SetScale(scale)
			p.SetCount(uint64(len(seen)))
			p.SetZeroCount(uint64(zeros))
			setDense(p.Positive(), pos)
			setDense(p.Negative(), neg)
		})
		slices.Sort(seen)
		for _, b := range buckets {
			want := 0
			// A bound's label is rounded; observations between both are as good as on it.
			for want < len(seen) && seen[want] <= b.le+math.Abs(b.le)*1e-5 {
				want++
			}
			slack := 0
			for _, v := range seen {
				if math.Abs(v-b.le) <= math.Abs(b.le)*1e-5 {
					slack++
				}
			}
			require.InDelta(t, want, b.count, float64(slack), "scale %d, le=%v", scale, b.le)
		}
		require.Equal(t, float64(len(seen)), buckets[len(buckets)-1].count)
	}
}

func setDense(b pmetric.ExponentialHistogramDataPointBuckets, counts map[int32]uint64) {
	lo, hi := int32(math.MaxInt32), int32(math.MinInt32)
	for i := range counts {
		lo, hi = min(lo, i), max(hi, i)
	}
	b.SetOffset(lo)
	for i := lo; i <= hi && len(counts) > 0; i++ {
		b.BucketCounts().Append(counts[i])
	}
}

// The bounds of a coarser scale are among those of a finer one, so that the series of a histogram go on when it rescales.
func TestExponentialBoundsAreStable(t *testing.T) {
	labels := func(octaves int) []float64 {
		buckets, _ := encodeExp(t, func(p pmetric.ExponentialHistogramDataPoint) {
			p.SetScale(3)
			counts := make([]uint64, 8*octaves)
			for i := range counts {
				counts[i] = 1
			}
			p.Positive().BucketCounts().FromRaw(counts)
		})
		var les []float64
		for _, b := range buckets {
			les = append(les, b.le)
		}
		return les
	}
	fine, coarse := labels(20), labels(21)
	require.Len(t, fine, 83) // 80 buckets, the lower bound of the first, zero, infinity
	require.Len(t, coarse, 45)
	require.Subset(t, fine, coarse[:42])
}
