// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"slices"
	"time"
)

// Observe charges the time since the last observation to the samples, which must have different keys. The first
// observation only starts the clock. The charges are in the order of the samples and valid until the next call.
// Containers without a sample are forgotten. A clock that went back charges nothing until it has caught up.
func (m *Meter) Observe(now time.Time, samples []Sample) []Charge {
	m.gen++
	from := m.last
	switch {
	case from.IsZero():
		from, m.last, m.ratesAt = now, now, now
		if m.start.IsZero() {
			m.start = now
		}
	case m.MaxGap > 0 && now.Sub(from) > m.MaxGap:
		m.unbilled += now.Sub(from)
		m.discard()
		from, m.ratesAt = now, now
	case now.Before(from):
		now = from
	default:
		m.accrue(now)
	}
	m.charges = slices.Grow(m.charges[:0], len(samples))
	m.hours = slices.Grow(m.hours[:0], len(samples))
	clear(m.sum)
	for i := range samples {
		m.measure(&samples[i], from, now)
	}
	m.settle(now.Sub(from).Hours())
	for k, e := range m.entries {
		if e.gen != m.gen {
			delete(m.entries, k)
		}
	}
	m.discard()
	m.last = now
	return m.charges
}

// measure finds out what one container allocated.
func (m *Meter) measure(s *Sample, from, now time.Time) {
	e, known := m.entries[s.Key]
	if !known {
		e = &entry{start: later(from, s.From)}
		if e.start.After(now) {
			e.start = now
		}
		m.entries[s.Key] = e
	}
	e.gen = m.gen
	n := len(m.resources)
	for len(e.cost) < n {
		e.cost, e.used, e.allocation = append(e.cost, 0), append(e.used, 0), append(e.allocation, 0)
	}
	begin, end := from, now
	if !e.open {
		begin = later(from, s.From)
	}
	e.open = s.To.IsZero()
	if !s.To.IsZero() && s.To.Before(end) {
		end = s.To
	}
	hours := max(0, end.Sub(begin).Hours())
	e.cpu(s)
	e.used[RAM] = s.MemoryGiB
	for r := range n {
		var request float64
		if r < len(s.Request) {
			request = s.Request[r]
		}
		if r >= GPU {
			e.used[r] = request
		}
		e.allocation[r] = max(request, e.used[r])
		m.sum[r] += e.allocation[r] * hours
	}
	m.hours = append(m.hours, hours)
	m.charges = append(m.charges, Charge{Used: e.used, Allocation: e.allocation, Cost: e.cost, Start: e.start, New: !known})
}

// cpu turns the cumulative CPU time into cores. A counter that fell belongs to a restarted container and counts from the
// start of its activity.
func (e *entry) cpu(s *Sample) {
	if s.CPUAt.IsZero() {
		e.used[CPU] = 0
		return
	}
	seconds, since := s.CPUSeconds-e.cpuSeconds, e.cpuAt
	if e.cpuAt.IsZero() || seconds < 0 {
		seconds, since = s.CPUSeconds, s.Run
		if s.Run.IsZero() {
			since = s.From
		}
	}
	if d := s.CPUAt.Sub(since).Seconds(); d > 0 {
		e.used[CPU] = seconds / d
		e.cpuSeconds, e.cpuAt = s.CPUSeconds, s.CPUAt
	} // else the kubelet hasn't read anew: the rate before stands
}

// settle charges the interval.
func (m *Meter) settle(hours float64) {
	for r := range m.resources {
		price := 0.0 // average over the interval
		switch {
		case m.offered[r] > 0:
			price = m.due[r] / m.offered[r]
		case hours > 0:
			price = m.priced[r] / hours
		}
		scale := 1.0
		if !m.Unscaled && m.sum[r] > m.offered[r] {
			scale = m.offered[r] / m.sum[r]
		}
		charged := 0.0
		for i := range m.charges {
			c := m.charges[i].Allocation[r] * m.hours[i] * price * scale
			m.charges[i].Cost[r] += c
			charged += c
		}
		m.node[r] += m.due[r]
		m.idle[r] += max(0, m.due[r]-charged)
	}
}

func (m *Meter) discard() {
	clear(m.offered)
	clear(m.due)
	clear(m.priced)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
