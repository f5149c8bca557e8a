// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"slices"
	"time"
)

// The resources that every node has, by their place in the vectors of [Meter]; extended resources come after.
const (
	CPU = iota // cores
	RAM        // GiB
	GPU        // GPUs
	baseResources
)

// Rate is what one resource of a node offers and costs.
type Rate struct {
	Resource string
	Capacity float64 // units
	Price    float64 // per unit and hour, in the currency and with the discount that the counters are to show
}

// Rates turns a node's price into rates: the discount goes off CPU and RAM only, as in OpenCost's assets.
func (p NodePrice) Rates(c Currency) []Rate {
	f := c.PerUSD
	out := make([]Rate, 0, baseResources+len(p.Extended))
	out = append(out,
		Rate{"cpu", p.Cores, p.CPU * (1 - p.Discount) * f},
		Rate{"ram", p.GiB, p.RAM * (1 - p.Discount) * f},
		Rate{"gpu", p.GPUs.Physical, p.GPU * f})
	for _, e := range p.Extended {
		out = append(out, Rate{e.Resource, e.Capacity, e.Price * f})
	}
	return out
}

// Sample is one container at one collection.
type Sample struct {
	Key     string    // never changes while the container lives and is never used again
	From    time.Time // start of its activity; counts when it is seen for the first time or after an end
	To      time.Time // end of its activity, zero while it lasts
	Run     time.Time // start of its present run, from which CPUSeconds counts; zero if that is From
	Request []float64 // units by resource, in the order of Meter.Resources; what lies beyond its end is 0

	CPUSeconds float64   // cumulative CPU time
	CPUAt      time.Time // when that was read, zero if it is not known
	MemoryGiB  float64   // working set, 0 if it is not known
}

// Charge is what the meter says about a sample.
type Charge struct {
	Used       []float64 // units by resource: CPU and RAM; the others count as used when requested
	Allocation []float64 // units by resource: max(request, used)
	Cost       []float64 // since Start, by resource
	Start      time.Time // when the counters were zero
	New        bool      // seen for the first time
}

// Meter turns what containers allocate of one node into cost counters that never fall.
//
// Between two observations every container is charged max(request, used) × price for the part of the interval in which
// it was active. Where the sum over the containers exceeds what the node offers (usage above requests can do that), all
// charges of that resource are scaled down to it, so that for each resource and any interval
//
//	Σ containers + idle = node's cost, and idle ≥ 0.
//
// Gauges of allocation are not scaled. With Unscaled, OpenCost's way, the charges aren't either and the sum may exceed
// the node's cost; idle is then 0.
//
// A Meter is not safe for concurrent use.
type Meter struct {
	MaxGap   time.Duration // a longer interval between two observations isn't charged; 0 means no limit
	Unscaled bool

	resources []string
	rates     []Rate    // in force since ratesAt
	ratesAt   time.Time // up to here offered and due are filled
	last      time.Time // of the last observation
	start     time.Time // when the node's counters were zero
	offered   []float64 // ∫capacity dt since last, unit-hours
	due       []float64 // ∫capacity×price dt since last
	priced    []float64 // ∫price dt since last, for resources that have no capacity
	node      []float64
	idle      []float64
	unbilled  time.Duration
	entries   map[string]*entry
	gen       uint64
	charges   []Charge
	hours     []float64 // scratch: active hours by sample
	sum       []float64 // scratch: allocated unit-hours by resource
}

type entry struct {
	cost       []float64
	used       []float64
	allocation []float64
	start      time.Time
	cpuSeconds float64
	cpuAt      time.Time
	open       bool // was active at the last observation
	gen        uint64
}

// NewMeter returns a meter whose counters are zero.
func NewMeter(maxGap time.Duration) *Meter {
	m := &Meter{MaxGap: maxGap, entries: map[string]*entry{}}
	m.grow([]Rate{{Resource: "cpu"}, {Resource: "ram"}, {Resource: "gpu"}})
	return m
}

// Resources names the places of the vectors. It only grows.
func (m *Meter) Resources() []string { return m.resources }

// Start is when the node's counters were zero.
func (m *Meter) Start() time.Time { return m.start }

// Last is the time of the last observation, zero before the first.
func (m *Meter) Last() time.Time { return m.last }

// Node and Idle are the cost counters of the node, by resource.
func (m *Meter) Node() []float64 { return m.node }

// Idle is the part of Node that no container was charged.
func (m *Meter) Idle() []float64 { return m.idle }

// Unbilled is the time that wasn't charged since gaps were longer than MaxGap.
func (m *Meter) Unbilled() time.Duration { return m.unbilled }

// SetRates says what the node offers and costs from now on. The time before is charged by the rates before, so that a
// change of price counts from the moment it is known and not from the observation before it.
func (m *Meter) SetRates(at time.Time, rates []Rate) {
	m.grow(rates)
	m.accrue(at)
	for i := range m.rates {
		m.rates[i].Capacity, m.rates[i].Price = 0, 0
	}
	for _, r := range rates {
		m.rates[slices.Index(m.resources, r.Resource)] = r
	}
}

func (m *Meter) grow(rates []Rate) {
	for _, r := range rates {
		if slices.Contains(m.resources, r.Resource) {
			continue
		}
		m.resources = append(m.resources, r.Resource)
		m.rates = append(m.rates, Rate{Resource: r.Resource})
		for _, v := range []*[]float64{&m.offered, &m.due, &m.priced, &m.node, &m.idle, &m.sum} {
			*v = append(*v, 0)
		}
	}
}

// accrue adds what the rates in force are worth up to now.
func (m *Meter) accrue(now time.Time) {
	if m.last.IsZero() {
		return
	}
	if h := now.Sub(m.ratesAt).Hours(); h > 0 {
		for i, r := range m.rates {
			m.offered[i] += r.Capacity * h
			m.due[i] += r.Capacity * r.Price * h
			m.priced[i] += r.Price * h
		}
		m.ratesAt = now
	}
}
