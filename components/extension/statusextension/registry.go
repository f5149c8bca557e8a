// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"slices"
	"sync"
)

// registry knows who has lanes, or refused senders, to show.
type registry[T any] struct {
	mu      sync.Mutex
	sources []*source[T]
}

type source[T any] struct {
	mu      sync.Mutex // held during a call, so that remove can wait for it
	now     func() []T
	removed bool
}

// add adds a source. It never waits for one, as whoever adds may hold what a source waits for. Once remove has returned, now is
// not called any more; now must not call remove itself.
func (r *registry[T]) add(now func() []T) (remove func()) {
	s := &source[T]{now: now}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sources = append(r.sources, s)
	return func() {
		r.mu.Lock()
		r.sources = slices.DeleteFunc(r.sources, func(other *source[T]) bool { return other == s })
		r.mu.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.removed = true
	}
}

// all asks all sources.
func (r *registry[T]) all() []T {
	r.mu.Lock()
	sources := slices.Clone(r.sources)
	r.mu.Unlock()
	var all []T
	for _, s := range sources {
		all = append(all, s.ask()...)
	}
	return all
}

func (s *source[T]) ask() []T {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.removed {
		return nil
	}
	return s.now()
}
