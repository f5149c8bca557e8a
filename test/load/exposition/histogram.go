// SPDX-License-Identifier: Apache-2.0

package exposition

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// histogram is all series of one histogram with the same labels; its count moves it.
type histogram struct {
	buckets []float64 // cumulative, the last one is +Inf
	sum     float64   // in seconds, by the nanosecond
	bounds  []float64
	rate    float64 // observations per second
	typical float64 // the median observation, in seconds
}

// histogram adds a histogram with the given bounds to the page.
func (p *Page) histogram(name, labels string, bounds []float64, rate, typical float64) {
	h := &histogram{bounds: bounds, buckets: make([]float64, len(bounds)+1), rate: rate, typical: typical}
	h.observe(p.rng, arrivals(p.rng, rate*86_400))
	f := p.family(name, "histogram")
	comma := ""
	if labels != "" {
		comma = ","
	}
	for i := range h.buckets {
		le := "+Inf"
		if i < len(bounds) {
			le = strconv.FormatFloat(bounds[i], 'g', -1, 64)
		}
		f.add(name+"_bucket", labels+comma+`le="`+le+`"`, bucketOf{h, i}, 0)
	}
	f.add(name+"_sum", labels, sumOf{h}, 0)
	f.add(name+"_count", labels, countOf{h}, 0)
}

// maxDrawn bounds what a step costs; more observations are these, several times.
const maxDrawn = 50

func (h *histogram) observe(rng *rand.Rand, n float64) {
	if n <= 0 {
		return
	}
	drawn := min(n, maxDrawn)
	each := math.Floor(n / drawn)
	for range int(drawn) {
		took := math.Round(h.typical*math.Exp(rng.NormFloat64())*1e9) / 1e9
		h.sum += took * each
		for i := range h.buckets {
			if i == len(h.bounds) || took <= h.bounds[i] {
				h.buckets[i] += each
			}
		}
	}
}

type bucketOf struct {
	h *histogram
	i int
}

func (b bucketOf) step(*rand.Rand)           {}
func (b bucketOf) current(time.Time) float64 { return b.h.buckets[b.i] }

type sumOf struct{ h *histogram }

func (s sumOf) step(*rand.Rand)           {}
func (s sumOf) current(time.Time) float64 { return s.h.sum }

type countOf struct{ h *histogram }

func (c countOf) step(rng *rand.Rand)       { c.h.observe(rng, arrivals(rng, c.h.rate*interval)) }
func (c countOf) current(time.Time) float64 { return c.h.buckets[len(c.h.bounds)] }
