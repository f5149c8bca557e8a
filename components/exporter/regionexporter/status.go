// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
	"github.com/k0rdent/kof/internal/status"
)

// laneStatus returns what each lane does now.
func (e *regionExporter) laneStatus() []status.Lane {
	var all []status.Lane
	known := e.routing.Load().directory.Regions
	for _, l := range *e.visible.Load() {
		s := l.status()
		s.Exporter = e.set.ID.String()
		if r := known[l.region]; r != nil && s.Zone == "" {
			s.Zone = r.Zone // it has no endpoint for the signal
		}
		all = append(all, s)
	}
	return all
}

func (l *lane) status() status.Lane {
	t := l.queue.Totals()
	s := status.Lane{
		Region: l.region, Signal: string(l.signal), State: status.StateHolding,
		AcceptedItems: t.AcceptedItems, DeliveredItems: t.DeliveredItems, ReleasedItems: t.ReleasedItems,
		HeldItems: t.HeldItems, HeldBytes: t.HeldBytes, ResidualItems: t.Residual(),
		DroppedItems: map[string]int64{},
		OldestHeld:   l.queue.OldestAccepted(context.Background()),
		RefusedKept:  l.queue.RefusedKept(), Refused: l.refused,
	}
	for _, reason := range lanequeue.Reasons() {
		if n := t.DroppedItems[reason]; n > 0 {
			s.DroppedItems[reason.String()] = n
		}
	}
	l.health.mu.Lock()
	failing := !l.health.failingSince.IsZero()
	s.LastDelivered, s.LastError, s.LastErrorAt = l.health.lastDelivered, l.health.lastError, l.health.lastErrorAt
	l.health.mu.Unlock()

	candidates, active := l.route.snapshot()
	if len(candidates) == 0 {
		return s
	}
	to := candidates[active]
	s.Zone, s.Via, s.Endpoint = to.zone, to.region, to.endpoint
	switch {
	case failing:
		s.State = status.StateRetrying
	case l.leaving.Load():
		s.State = status.StateDraining
	case active > 0:
		s.State = status.StateFailover
	default:
		s.State = status.StateDelivering
	}
	return s
}
