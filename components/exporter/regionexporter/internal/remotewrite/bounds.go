// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"math"
	"strconv"
)

// maxCachedBounds is the number of different bucket bounds, and of quantiles, whose labels are kept.
const maxCachedBounds = 4096

var infLe = appendLabel(nil, leLabel, "+Inf")

// bounds caches the encoded labels of bucket bounds and quantiles.
type bounds struct{ les, quantiles floatLabels }

func (b *bounds) init() {
	b.les = floatLabels{name: leLabel, known: map[uint64][]byte{}}
	b.quantiles = floatLabels{name: quantileLabel, known: map[uint64][]byte{}}
}

// le is the encoded label of a histogram's bound i.
func (b *bounds) le(i int, v float64) []byte { return b.les.label(i, v) }

// quantile is the encoded label of a summary's quantile i.
func (b *bounds) quantile(i int, v float64) []byte { return b.quantiles.label(i, v) }

type floatLabels struct {
	name  string
	known map[uint64][]byte // by the number's bits
	// last holds what was asked for at each index: one point after the other has the same bounds.
	last []floatLabel
}

type floatLabel struct {
	bits  uint64
	label []byte
}

func (f *floatLabels) label(i int, v float64) []byte {
	bits := math.Float64bits(v)
	if i < len(f.last) && f.last[i].bits == bits && f.last[i].label != nil {
		return f.last[i].label
	}
	label, ok := f.known[bits]
	if !ok {
		label = appendLabel(nil, f.name, strconv.FormatFloat(v, 'f', -1, 64))
		if len(f.known) >= maxCachedBounds {
			clear(f.known)
		}
		f.known[bits] = label
	}
	const maxLast = 64
	if i < maxLast {
		if i >= len(f.last) {
			f.last = append(f.last, make([]floatLabel, i+1-len(f.last))...)
		}
		f.last[i] = floatLabel{bits: bits, label: label}
	}
	return label
}
