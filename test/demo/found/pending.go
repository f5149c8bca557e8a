// SPDX-License-Identifier: Apache-2.0

package found

import (
	"sync"
	"time"

	"github.com/k0rdent/kof/test/demo/truth"
)

// maxPending bounds the spans of one region that are waited for; about an hour at the demo's rate. Spans beyond it are
// never counted as found.
const maxPending = 150_000

// Pending are the spans of one region that were sent and have not been found yet. It lets the live table count what was
// found without reading all traces again every second, and remembers what a Jaeger with a memory store forgets when it
// ends.
type Pending struct {
	mu    sync.Mutex
	spans map[string]time.Time
	found int64
}

// NewPending returns an empty Pending.
func NewPending() *Pending { return &Pending{spans: map[string]time.Time{}} }

// Sent adds a span.
func (p *Pending) Sent(item truth.Item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.spans) < maxPending {
		p.spans[item.ID] = item.At
	}
}

// Found takes the spans away that a backend holds.
func (p *Pending) Found(ids map[string]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range ids {
		if _, ok := p.spans[id]; ok {
			delete(p.spans, id)
			p.found++
		}
	}
}

// Count returns how many spans were found so far, and how many are waited for.
func (p *Pending) Count() (found int64, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.found, len(p.spans)
}

// Oldest returns the start of the oldest span that is waited for; ok is false when there is none.
func (p *Pending) Oldest() (start time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.spans {
		if !ok || at.Before(start) {
			start, ok = at, true
		}
	}
	return start, ok
}
