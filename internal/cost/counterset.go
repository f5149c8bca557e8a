// SPDX-License-Identifier: Apache-2.0

package cost

import "time"

// CounterSet keeps a [Counter] for each of the things that are there. An interval is charged by what was there at its
// beginning, so that the sum over a set of things that share a price is exact when they come and go.
type CounterSet[K comparable] struct {
	MaxGap  time.Duration // as for Counter.Set
	entries map[K]*setEntry
	gen     uint64
}

type setEntry struct {
	Counter
	gen uint64
}

// Total is the state of one counter.
type Total[K comparable] struct {
	Key   K
	Cost  float64
	Start time.Time
	Gone  bool // this is its last value
}

// Update takes the prices per hour of all that is there now and calls f for each counter, also once more for each of what
// is gone.
func (s *CounterSet[K]) Update(now time.Time, prices map[K]float64, f func(Total[K])) {
	if s.entries == nil {
		s.entries = map[K]*setEntry{}
	}
	s.gen++
	for k, price := range prices {
		e := s.entries[k]
		if e == nil {
			e = &setEntry{}
			s.entries[k] = e
		}
		e.gen = s.gen
		total, start := e.Set(now, price, s.MaxGap)
		f(Total[K]{k, total, start, false})
	}
	for k, e := range s.entries {
		if e.gen == s.gen {
			continue
		}
		total, start := e.Set(now, 0, s.MaxGap)
		f(Total[K]{k, total, start, true})
		delete(s.entries, k)
	}
}
