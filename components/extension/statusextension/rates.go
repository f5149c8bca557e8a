// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"time"

	"github.com/k0rdent/kof/internal/status"
)

const (
	sampleInterval = 5 * time.Second
	shortWindow    = 15 * time.Second
	longWindow     = 5 * time.Minute
	// maxSamples spans the long window.
	maxSamples = int(longWindow/sampleInterval) + 1
	// maxLanes bounds what is remembered and shown: a history takes 2 KiB, so all take 6 MiB at most.
	maxLanes = 3000
)

// rate is what went on in a lane during some seconds. Items are data points, log records or spans.
type rate struct {
	Seconds   float64 `json:"seconds"` // measured: less than the window while the lane is young, more when samples came late
	Accepted  float64 `json:"accepted_items_per_second"`
	Delivered float64 `json:"delivered_items_per_second"`
	Dropped   int64   `json:"dropped_items"`
}

// rates has no rate until a lane was seen twice.
type rates struct {
	Short *rate `json:"15s,omitempty"`
	Long  *rate `json:"5m,omitempty"`
}

type laneKey struct {
	exporter, region, signal string
}

func keyOf(l status.Lane) laneKey { return laneKey{l.Exporter, l.Region, l.Signal} }

// sample is a lane's counters at a time since the start of the extension.
type sample struct {
	at                           time.Duration
	accepted, delivered, dropped int64
}

func sampleOf(l status.Lane, at time.Duration) sample {
	s := sample{at: at, accepted: l.AcceptedItems, delivered: l.DeliveredItems}
	for _, n := range l.DroppedItems {
		s.dropped += n
	}
	return s
}

// history is a ring of the last samples of a lane.
type history struct {
	samples [maxSamples]sample
	count   int
	next    int // where the next sample goes
	round   uint64
}

// add adds a sample. A counter that went back is of another queue, and nothing before is of use.
func (h *history) add(s sample) {
	if h.count > 0 {
		last := h.back(0)
		if s.at <= last.at {
			return
		}
		if s.accepted < last.accepted || s.delivered < last.delivered || s.dropped < last.dropped {
			h.count = 0
		}
	}
	h.samples[h.next] = s
	h.next = (h.next + 1) % maxSamples
	h.count = min(h.count+1, maxSamples)
}

// back returns the i-th sample before the newest.
func (h *history) back(i int) sample {
	return h.samples[(h.next-1-i+2*maxSamples)%maxSamples]
}

// over returns the rate between the newest sample and the oldest one in a window before it, or the one before it if there is none
// in the window. It is nil with fewer than two samples.
func (h *history) over(window time.Duration) *rate {
	if h == nil || h.count < 2 {
		return nil
	}
	newest, oldest := h.back(0), h.back(1)
	for i := 2; i < h.count; i++ {
		// Ticks come some milliseconds early or late.
		if newest.at-h.back(i).at > window+sampleInterval/2 {
			break
		}
		oldest = h.back(i)
	}
	seconds := (newest.at - oldest.at).Seconds()
	return &rate{
		Seconds:   seconds,
		Accepted:  float64(newest.accepted-oldest.accepted) / seconds,
		Delivered: float64(newest.delivered-oldest.delivered) / seconds,
		Dropped:   newest.dropped - oldest.dropped,
	}
}

// histories are those of all lanes; not safe for concurrent use.
type histories struct {
	lanes map[laneKey]*history
	round uint64
}

// sample adds a sample of each lane and forgets the lanes that are gone. What is beyond maxLanes has no history.
func (h *histories) sample(lanes []status.Lane, at time.Duration) {
	h.round++
	for _, l := range lanes {
		if known := h.lanes[keyOf(l)]; known != nil {
			known.round = h.round
			known.add(sampleOf(l, at))
		}
	}
	for key, known := range h.lanes {
		if known.round != h.round {
			delete(h.lanes, key)
		}
	}
	for _, l := range lanes {
		if key := keyOf(l); h.lanes[key] == nil && len(h.lanes) < maxLanes {
			known := &history{round: h.round}
			known.add(sampleOf(l, at))
			h.lanes[key] = known
		}
	}
}

func (h *histories) rates(l status.Lane) rates {
	known := h.lanes[keyOf(l)]
	return rates{Short: known.over(shortWindow), Long: known.over(longWindow)}
}
