// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"cmp"
	"slices"
	"time"

	"github.com/k0rdent/kof/internal/status"
)

// apiVersion is that of the JSON's shape. Fields may be added to it; none changes its meaning or goes away.
const apiVersion = "v1"

// unknownRegion is the lane that the region exporter keeps for records of regions that the directory doesn't know.
const unknownRegion = "_unknown"

// report is what the page and the JSON show.
type report struct {
	APIVersion string       `json:"api_version"`
	Node       string       `json:"node"`
	Build      string       `json:"build"` // name and version of the collector
	Time       time.Time    `json:"time"`
	Summary    summary      `json:"summary"`
	Lanes      []laneReport `json:"lanes"` // the worst regions first, then by name
	// RefusedSenders are those that were refused of late, the last one first; at most maxSenders.
	RefusedSenders []status.Sender `json:"refused_senders,omitempty"`
}

// summary is of all lanes, also of those that are left out of the report.
type summary struct {
	Lanes         int   `json:"lanes"`
	LanesOmitted  int   `json:"lanes_omitted"` // beyond 3,000
	Regions       int   `json:"regions"`
	NeedAttention int   `json:"need_attention"`
	Level         level `json:"level"` // the worst of all lanes; at least a warning with refused senders
	// RefusedSenders is how many senders, by signal, were refused in the last 5 minutes.
	RefusedSenders int   `json:"refused_senders,omitempty"`
	HeldItems      int64 `json:"held_items"`
	HeldBytes      int64 `json:"held_bytes"`
	ResidualItems  int64 `json:"residual_items"` // the sum of the lanes' absolute values: 0, or there is a defect
	// The sums of the lanes' short rates, nil while there is none.
	Accepted  *float64 `json:"accepted_items_per_second,omitempty"`
	Delivered *float64 `json:"delivered_items_per_second,omitempty"`
}

// laneReport is a lane with what the extension adds.
type laneReport struct {
	status.Lane
	Rates     rates     `json:"rates"`
	Level     level     `json:"level"`
	Attention []finding `json:"attention"` // the worst first
}

func newReport(lanes []status.Lane, ratesOf func(status.Lane) rates, now time.Time) *report {
	r := &report{APIVersion: apiVersion, Time: now.UTC(), Summary: summary{Level: levelOK}, Lanes: make([]laneReport, 0, len(lanes))}
	for _, l := range lanes {
		r.Lanes = append(r.Lanes, newLaneReport(l, ratesOf(l), now))
	}
	regions := map[string]level{} // the worst of each
	for _, l := range r.Lanes {
		r.Summary.add(l)
		if known, ok := regions[l.Region]; !ok || l.Level.rank() < known.rank() {
			regions[l.Region] = l.Level
		}
	}
	for name := range regions {
		if name != unknownRegion {
			r.Summary.Regions++
		}
	}
	slices.SortFunc(r.Lanes, func(a, b laneReport) int {
		return cmp.Or(
			cmp.Compare(regions[a.Region].rank(), regions[b.Region].rank()),
			// Where nothing belongs comes after where something does.
			cmp.Compare(fallback(a.Region), fallback(b.Region)),
			cmp.Compare(a.Region, b.Region),
			cmp.Compare(a.Exporter, b.Exporter),
			cmp.Compare(a.Signal, b.Signal),
		)
	})
	if len(r.Lanes) > maxLanes {
		r.Summary.LanesOmitted = len(r.Lanes) - maxLanes
		r.Lanes = r.Lanes[:maxLanes]
	}
	return r
}

func newLaneReport(l status.Lane, r rates, now time.Time) laneReport {
	l.Endpoint, l.LastError = cleanEndpoint(l.Endpoint), cleanError(l.LastError)
	if l.DroppedItems == nil {
		l.DroppedItems = map[string]int64{}
	}
	found := attention(l, r, now)
	return laneReport{Lane: l, Rates: r, Level: worst(found), Attention: found}
}

func (s *summary) add(l laneReport) {
	s.Lanes++
	if len(l.Attention) > 0 {
		s.NeedAttention++
	}
	if l.Level.rank() < s.Level.rank() {
		s.Level = l.Level
	}
	s.HeldItems += l.HeldItems
	s.HeldBytes += l.HeldBytes
	s.ResidualItems += max(l.ResidualItems, -l.ResidualItems)
	if short := l.Rates.Short; short != nil {
		if s.Accepted == nil {
			s.Accepted, s.Delivered = new(float64), new(float64)
		}
		*s.Accepted += short.Accepted
		*s.Delivered += short.Delivered
	}
}

func fallback(region string) int {
	if region == unknownRegion {
		return 1
	}
	return 0
}
