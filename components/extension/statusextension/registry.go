// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"slices"
	"sync"

	"github.com/k0rdent/kof/internal/status"
)

// registry knows who has lanes to show.
type registry struct {
	mu      sync.Mutex
	sources []*source
}

type source struct {
	mu      sync.Mutex // held during a call, so that remove can wait for it
	lanes   status.LaneSource
	removed bool
}

// add adds a source. It never waits for one, as whoever adds may hold what a source waits for. Once remove has returned, lanes is
// not called any more; lanes must not call remove itself.
func (r *registry) add(lanes status.LaneSource) (remove func()) {
	s := &source{lanes: lanes}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources = append(r.sources, s)
	return func() {
		r.mu.Lock()
		r.sources = slices.DeleteFunc(r.sources, func(other *source) bool { return other == s })
		r.mu.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.removed = true
	}
}

// lanes asks all sources.
func (r *registry) lanes() []status.Lane {
	r.mu.Lock()
	sources := slices.Clone(r.sources)
	r.mu.Unlock()
	var all []status.Lane
	for _, s := range sources {
		all = append(all, s.ask()...)
	}
	return all
}

func (s *source) ask() []status.Lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.removed {
		return nil
	}
	return s.lanes()
}
