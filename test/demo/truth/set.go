// SPDX-License-Identifier: Apache-2.0

// Package truth holds what the demo's sources have sent: the side of the comparison that does not come from the
// collector or from a backend.
package truth

import (
	"maps"
	"sync"
	"time"
)

// Signal is one of the three kinds of telemetry.
type Signal string

// The signals, as the region exporter names them in its metrics.
const (
	Metrics Signal = "metrics"
	Logs    Signal = "logs"
	Traces  Signal = "traces"
)

// Signals lists every signal in the order in which tables show them.
func Signals() []Signal { return []Signal{Metrics, Logs, Traces} }

// Key names one row of the comparison.
type Key struct {
	Region string
	Signal Signal
}

// Source is something that sends records of one signal, all of which belong to one region.
type Source struct {
	// Name is unique among the sources of a run.
	Name   string
	Region string
	Signal Signal
}

// Key returns the row that the records of the source count in.
func (s Source) Key() Key { return Key{Region: s.Region, Signal: s.Signal} }

// Item is one record that a source has sent: a log line, a span, a sample of a series.
type Item struct {
	// ID is unique in the run.
	ID string
	// At is the record's own time.
	At time.Time
	// Value is the value of a sample; 0 for the other signals.
	Value float64
}

// Record is a kept Item together with the source that sent it.
type Record struct {
	Item
	Source Source
}

// Set counts what was sent, and keeps the identifiers when it was made to. It is safe for concurrent use.
type Set struct {
	mu      sync.Mutex
	maxIDs  int
	counts  map[Source]uint64
	records map[Signal]map[string]Record
	kept    int
	refused uint64
	follow  map[Signal]func(Record)
}

// New returns an empty Set that keeps the records of at most maxIDs items; with 0 it only counts.
func New(maxIDs int) *Set {
	return &Set{
		maxIDs:  maxIDs,
		counts:  map[Source]uint64{},
		records: map[Signal]map[string]Record{Metrics: {}, Logs: {}, Traces: {}},
		follow:  map[Signal]func(Record){},
	}
}

// Follow has f called with every item of the signal, kept or not, before Sent returns. It is for set-up, before the first
// item; a signal has one follower.
func (s *Set) Follow(signal Signal, f func(Record)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow[signal] = f
}

// Sent notes that the source has sent the item.
func (s *Set) Sent(source Source, item Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[source]++
	if f := s.follow[source.Signal]; f != nil {
		f(Record{Item: item, Source: source})
	}
	if s.maxIDs == 0 {
		return
	}
	if s.kept >= s.maxIDs {
		s.refused++
		return
	}
	s.kept++
	s.records[source.Signal][item.ID] = Record{Item: item, Source: source}
}

// Sources returns the number of items that each source has sent.
func (s *Set) Sources() map[Source]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// Counts returns the number of items sent per row.
func (s *Set) Counts() map[Key]uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := make(map[Key]uint64, len(s.counts))
	for source, n := range s.counts {
		counts[source.Key()] += n
	}
	return counts
}

// Records returns the kept records of a signal by ID.
func (s *Set) Records(signal Signal) map[string]Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.records[signal])
}

// Refused returns how many items were counted but not kept because the Set was full. A comparison by identifiers is
// only complete while this is 0.
func (s *Set) Refused() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}
