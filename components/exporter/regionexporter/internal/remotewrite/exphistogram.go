// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const (
	// expScale is the finest scale that is sent: 4 buckets per power of two, each 19 % wide. A histogram starts with a
	// fine scale and becomes coarser as its range grows; with a limit as coarse as this the buckets hardly ever change.
	expScale = 2
	// maxExpShift bounds the step between bounds of very coarse scales: two such bounds are out of a float's range.
	maxExpShift = 13
	// maxExpScale is fine enough: at any finer scale, too, all buckets that a point can have lie next to 1.
	maxExpScale = 64
	// boundDigits are the significant digits of a bound in its label: enough for bounds 19 % apart, and the same text on
	// every processor.
	boundDigits = 6
)

// expMantissas are 2^(i/4): with them every bound of the grid is exact but for one rounding.
var expMantissas = [1 << expScale]float64{1, 1.189207115002721, math.Sqrt2, 1.681792830507429}

// expBuckets caches the le labels of the grid of bounds ±2^(g/4).
type expBuckets struct {
	positive, negative map[int64][]byte // by g: the range of a float bounds their number to about 8,600
	zero               []byte
}

func (b *expBuckets) init() {
	b.positive, b.negative = map[int64][]byte{}, map[int64][]byte{}
}

// gridBound is 2^(g/4); 0 or +Inf out of a float's range.
func gridBound(g int64) float64 {
	return math.Ldexp(expMantissas[g&(1<<expScale-1)], int(g>>expScale))
}

func expLabel(dst []byte, bound float64) []byte {
	return appendLabel(dst, leLabel, strconv.FormatFloat(bound, 'g', boundDigits, 64))
}

func (b *expBuckets) le(g int64, bound float64) []byte {
	known := b.positive
	if bound < 0 {
		known = b.negative
	}
	label, ok := known[g]
	if !ok {
		label = expLabel(nil, bound)
		known[g] = label
	}
	return label
}

// expRange is the buckets of one sign between the first and the last that is not empty.
type expRange struct {
	counts      pcommon.UInt64Slice
	offset      int64
	first, last int64 // bucket indexes at the point's scale; none if last < first
}

func newExpRange(b pmetric.ExponentialHistogramDataPointBuckets) expRange {
	r := expRange{counts: b.BucketCounts(), offset: int64(b.Offset())}
	lo, hi := 0, r.counts.Len()
	for lo < hi && r.counts.At(lo) == 0 {
		lo++
	}
	for hi > lo && r.counts.At(hi-1) == 0 {
		hi--
	}
	r.first, r.last = r.offset+int64(lo), r.offset+int64(hi)-1
	return r
}

func (r *expRange) empty() bool { return r.last < r.first }

// width is the number of buckets when 2^down of them are merged into one.
func (r *expRange) width(down uint) int64 {
	if r.empty() {
		return 0
	}
	return r.last>>down - r.first>>down + 1
}

// count is the number of observations in the merged bucket index.
func (r *expRange) count(index int64, down uint) uint64 {
	var n uint64
	for i := max(r.first, index<<down); i <= r.last && i>>down == index; i++ {
		n += r.counts.At(int(i - r.offset))
	}
	return n
}

// expHistogramPoint sends an exponential histogram as classic cumulative buckets.
func (e *Encoder) expHistogramPoint(dst []byte, m *metricName, p pmetric.ExponentialHistogramDataPoint) ([]byte, Reason) {
	if !e.setTimestamp(p.Timestamp()) {
		return dst, ReasonNoTimestamp
	}
	if r := e.shape(m, p.Attributes(), leLabel); r != representable {
		return dst, r
	}
	e.beginPoint(&m.plan)
	if e.series.tooLarge(MaxExponentialBuckets+6, m.bucket) {
		return dst, ReasonTooLarge
	}
	if p.Flags().NoRecordedValue() {
		dst = e.appendSeries(dst, m.sum, nil, stale)
		dst = e.appendSeries(dst, m.count, nil, stale)
		return e.appendSeries(dst, m.bucket, infLe, stale), representable
	}
	if p.HasSum() {
		dst = e.appendSeries(dst, m.sum, nil, p.Sum())
	}
	count := float64(p.Count())
	dst = e.appendSeries(dst, m.count, nil, count)
	dst = e.appendExpBuckets(dst, m, p)
	return e.appendSeries(dst, m.bucket, infLe, count), representable
}

// appendExpBuckets appends the finite buckets, from the lowest bound up. The lower bound of the lowest bucket is sent too:
// without it a quantile in that bucket would be interpolated from 0.
func (e *Encoder) appendExpBuckets(dst []byte, m *metricName, p pmetric.ExponentialHistogramDataPoint) []byte {
	neg, pos := newExpRange(p.Negative()), newExpRange(p.Positive())
	scale := min(int64(p.Scale()), maxExpScale)
	down := uint(max(scale-expScale, 0))
	for neg.width(down)+pos.width(down) > MaxExponentialBuckets {
		down++
	}
	shift := min(expScale-scale+int64(down), maxExpShift) // from bounds of the merged buckets to the grid

	var cumulative uint64
	last := math.Inf(-1)
	put := func(g int64, sign float64) {
		bound := sign * gridBound(g)
		if bound > last && !math.IsInf(bound, 0) && bound != 0 {
			last = bound
			dst = e.appendSeries(dst, m.bucket, e.exp.le(g, bound), float64(cumulative))
		}
	}
	if !neg.empty() {
		lo, hi := neg.first>>down, neg.last>>down
		put((hi+1)<<shift, -1)
		for i := hi; i >= lo; i-- {
			cumulative += neg.count(i, down)
			put(i<<shift, -1)
		}
	}
	cumulative += p.ZeroCount()
	if zero := math.Abs(p.ZeroThreshold()); zero > last && !math.IsInf(zero, 1) {
		last = zero
		e.exp.zero = expLabel(e.exp.zero[:0], zero)
		dst = e.appendSeries(dst, m.bucket, e.exp.zero, float64(cumulative))
	}
	if !pos.empty() {
		lo, hi := pos.first>>down, pos.last>>down
		put(lo<<shift, 1)
		for i := lo; i <= hi; i++ {
			cumulative += pos.count(i, down)
			put((i+1)<<shift, 1)
		}
	}
	return dst
}
