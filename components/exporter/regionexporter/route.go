// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
)

// destination is an endpoint of a region, with the residency zone that it lies in.
type destination struct {
	region   string
	zone     string
	endpoint string

	// use is held for reading by attempts under way, so that the sender is closed after the last of them.
	use    sync.RWMutex
	sender sender
}

func (d *destination) send(ctx context.Context, payload []byte) answer {
	d.use.RLock()
	defer d.use.RUnlock()
	return d.sender.send(ctx, payload)
}

func (d *destination) close() {
	d.use.Lock()
	defer d.use.Unlock()
	d.sender.close()
}

// check is the last of the three residency checks: what was decided for one zone is sent to no other.
func (d *destination) check(rec *lanequeue.Record) error {
	if rec.Zone != d.zone {
		return fmt.Errorf("records of residency zone %q are held: the endpoint lies in zone %q", rec.Zone, d.zone)
	}
	if rec.Format != d.sender.format() && rec.Format != lanequeue.FormatOTLP {
		return errors.New("records are held: they were stored for remote write and the endpoint takes OTLP only")
	}
	return nil
}

// takesFrom says whether d can take records that were stored for the first of other destinations.
func (d *destination) takesFrom(others []*destination) bool {
	return len(others) == 0 || others[0].sender.format() == lanequeue.FormatOTLP || d.sender.format() == others[0].sender.format()
}

// route is where a lane may deliver, in the order of preference: the endpoint of its own region, then those of the regions that
// stand in for it. It is safe for concurrent use.
type route struct {
	mu         sync.Mutex
	candidates []*destination
	active     int
	changed    chan struct{} // closed when the active destination is another one
}

func newRoute() *route { return &route{changed: make(chan struct{})} }

// current returns the destination to use, nil where the lane has to hold, and a channel that is closed when that changes.
func (r *route) current() (to *destination, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.candidates) > 0 {
		to = r.candidates[r.active]
	}
	return to, r.changed
}

// snapshot returns the candidates and which of them is active.
func (r *route) snapshot() (candidates []*destination, active int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.candidates, r.active
}

// replace sets new candidates, the first of them active, and returns the old ones for the caller to close.
func (r *route) replace(candidates []*destination) (old []*destination) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old, r.candidates, r.active = r.candidates, candidates, 0
	r.announce()
	return old
}

// activate makes candidate to the active one, if both are still those that the caller saw.
func (r *route) activate(from, to *destination) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.candidates) == 0 || r.candidates[r.active] != from {
		return false
	}
	for i, c := range r.candidates {
		if c == to {
			r.active = i
			r.announce()
			return true
		}
	}
	return false
}

func (r *route) announce() {
	close(r.changed)
	r.changed = make(chan struct{})
}
