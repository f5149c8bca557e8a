// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"iter"
	"math/bits"
	"slices"
)

// location is where a live value lies.
type location struct {
	segment uint32
	offset  uint32 // of the value in the segment's file
	length  uint32
	crc     uint32
}

// directory holds the location of every live key. Queues number their items in sequence, so numbers are kept in blocks
// of 64 neighbours: about 20 bytes a key in sequence, at most about 90 when no two keys are neighbours.
type directory struct {
	blocks map[uint64]*block
	names  map[string]location
	nums   int
	peak   int
}

// block holds the keys of one 64-aligned window in ascending order; mask tells which are there.
type block struct {
	mask uint64
	locs []location
}

func newDirectory() *directory {
	return &directory{blocks: map[uint64]*block{}, names: map[string]location{}}
}

func (d *directory) len() int { return d.nums + len(d.names) }

func (d *directory) get(k key) (location, bool) {
	if k.name != "" {
		loc, ok := d.names[k.name]
		return loc, ok
	}
	b := d.blocks[k.num>>6]
	if b == nil {
		return location{}, false
	}
	bit := uint64(1) << (k.num & 63)
	if b.mask&bit == 0 {
		return location{}, false
	}
	return b.locs[bits.OnesCount64(b.mask&(bit-1))], true
}

func (d *directory) set(k key, loc location) (old location, had bool) {
	if k.name != "" {
		old, had = d.names[k.name]
		d.names[k.name] = loc
		return old, had
	}
	b := d.blocks[k.num>>6]
	if b == nil {
		b = &block{}
		d.blocks[k.num>>6] = b
	}
	bit := uint64(1) << (k.num & 63)
	i := bits.OnesCount64(b.mask & (bit - 1))
	if b.mask&bit != 0 {
		old, b.locs[i] = b.locs[i], loc
		return old, true
	}
	b.mask |= bit
	b.locs = slices.Insert(b.locs, i, loc)
	d.nums++
	d.peak = max(d.peak, len(d.blocks))
	return location{}, false
}

func (d *directory) delete(k key) (old location, had bool) {
	if k.name != "" {
		old, had = d.names[k.name]
		delete(d.names, k.name)
		return old, had
	}
	b := d.blocks[k.num>>6]
	bit := uint64(1) << (k.num & 63)
	if b == nil || b.mask&bit == 0 {
		return location{}, false
	}
	i := bits.OnesCount64(b.mask & (bit - 1))
	old = b.locs[i]
	b.mask &^= bit
	d.nums--
	switch {
	case b.mask == 0:
		delete(d.blocks, k.num>>6)
	case i == 0:
		b.locs = b.locs[1:] // a queue deletes from the front: nothing to move
	default:
		b.locs = slices.Delete(b.locs, i, i+1)
	}
	// A Go map keeps the memory of its largest size.
	if len(d.blocks) == 0 && d.peak > 1024 {
		d.blocks, d.peak = map[uint64]*block{}, 0
	}
	return old, true
}

// within returns the live numbers of r in ascending order. It costs no more than the smaller of the range and the directory.
func (d *directory) within(r keyRange) []uint64 {
	var windows []uint64
	lo, hi := r.first>>6, r.last>>6
	if hi-lo < uint64(len(d.blocks)) {
		for w := lo; w <= hi; w++ {
			if d.blocks[w] != nil {
				windows = append(windows, w)
			}
		}
	} else {
		for w := range d.blocks {
			if w >= lo && w <= hi {
				windows = append(windows, w)
			}
		}
		slices.Sort(windows)
	}
	var nums []uint64
	for _, w := range windows {
		for m := d.blocks[w].mask; m != 0; m &= m - 1 {
			if n := w<<6 | uint64(bits.TrailingZeros64(m)); n >= r.first && n <= r.last {
				nums = append(nums, n)
			}
		}
	}
	return nums
}

// all yields the keys, numbers in ascending order first.
func (d *directory) all() iter.Seq2[key, location] {
	return func(yield func(key, location) bool) {
		windows := make([]uint64, 0, len(d.blocks))
		for w := range d.blocks {
			windows = append(windows, w)
		}
		slices.Sort(windows)
		for _, w := range windows {
			b := d.blocks[w]
			i := 0
			for m := b.mask; m != 0; m &= m - 1 {
				if !yield(key{num: w<<6 | uint64(bits.TrailingZeros64(m))}, b.locs[i]) {
					return
				}
				i++
			}
		}
		for name, loc := range d.names {
			if !yield(key{name: name}, loc) {
				return
			}
		}
	}
}
