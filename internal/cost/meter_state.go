// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"encoding/json"
	"fmt"
	"time"
)

// stateVersion is raised when the meaning of the state changes; another version's state isn't read.
const stateVersion = 1

type meterState struct {
	Version    int                   `json:"version"`
	Node       string                `json:"node"`
	Last       time.Time             `json:"last"`
	Start      time.Time             `json:"start"`
	Resources  []string              `json:"resources"`
	Capacity   []float64             `json:"capacity"`
	Price      []float64             `json:"price"`
	NodeCost   []float64             `json:"node_cost"`
	Idle       []float64             `json:"idle"`
	Unbilled   time.Duration         `json:"unbilled"`
	Containers map[string]entryState `json:"containers"`
}

type entryState struct {
	Cost       []float64 `json:"cost"`
	Start      time.Time `json:"start"`
	CPUSeconds float64   `json:"cpu_seconds,omitempty"`
	CPUAt      time.Time `json:"cpu_at,omitzero"`
	Open       bool      `json:"open,omitempty"`
}

// MarshalState returns the counters as of the last observation, for [Meter.UnmarshalState] after a restart on the same
// node. About 200 bytes a container.
func (m *Meter) MarshalState(node string) ([]byte, error) {
	s := meterState{
		Version: stateVersion, Node: node, Last: m.last, Start: m.start, Resources: m.resources,
		NodeCost: m.node, Idle: m.idle, Unbilled: m.unbilled, Containers: make(map[string]entryState, len(m.entries)),
	}
	for _, r := range m.rates {
		s.Capacity, s.Price = append(s.Capacity, r.Capacity), append(s.Price, r.Price)
	}
	for k, e := range m.entries {
		s.Containers[k] = entryState{e.cost, e.start, e.cpuSeconds, e.cpuAt, e.open}
	}
	return json.Marshal(s)
}

// UnmarshalState continues where the state ends: the time since then is charged at the next observation, once, if it is
// not longer than MaxGap, at the rates of then until new ones are set. State of another node or version is refused, and so
// is one from the future, since time would be charged twice.
func (m *Meter) UnmarshalState(raw []byte, node string, now time.Time) error {
	var s meterState
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("state of the cost counters: %w", err)
	}
	n := len(s.Resources)
	switch {
	case s.Version != stateVersion:
		return fmt.Errorf("state of the cost counters has version %d, not %d", s.Version, stateVersion)
	case s.Node != node:
		return fmt.Errorf("state of the cost counters is of node %q, not %q", s.Node, node)
	case s.Last.After(now):
		return fmt.Errorf("state of the cost counters is from the future (%s)", s.Last.Format(time.RFC3339))
	case n < baseResources || len(s.NodeCost) != n || len(s.Idle) != n || len(s.Capacity) != n || len(s.Price) != n:
		return fmt.Errorf("state of the cost counters is damaged: vectors of different length")
	}
	rates := make([]Rate, n)
	for i, name := range s.Resources {
		rates[i] = Rate{name, s.Capacity[i], s.Price[i]}
	}
	fresh := NewMeter(m.MaxGap)
	fresh.Unscaled = m.Unscaled
	fresh.grow(rates)
	fresh.rates = rates
	fresh.last, fresh.ratesAt, fresh.start, fresh.unbilled = s.Last, s.Last, s.Start, s.Unbilled
	copy(fresh.node, s.NodeCost)
	copy(fresh.idle, s.Idle)
	for k, c := range s.Containers {
		if len(c.Cost) > n {
			return fmt.Errorf("state of the cost counters is damaged: container with %d costs", len(c.Cost))
		}
		fresh.entries[k] = &entry{cost: c.Cost, start: c.Start, cpuSeconds: c.CPUSeconds, cpuAt: c.CPUAt, open: c.Open}
		e := fresh.entries[k]
		e.used, e.allocation = make([]float64, len(c.Cost)), make([]float64, len(c.Cost))
	}
	*m = *fresh
	return nil
}
