// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"sync"
	"time"
)

// health is what a lane knows of its attempts to deliver.
type health struct {
	mu            sync.Mutex
	notBefore     time.Time // until then the server wants no request
	failingSince  time.Time // of the first failure after the last delivery; zero while delivering
	lastDelivered time.Time
	lastError     string
	lastErrorAt   time.Time
}

func (h *health) delivered(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failingSince, h.lastDelivered = time.Time{}, now
}

// failed notes an attempt that failed for a reason other than the data.
func (h *health) failed(now time.Time, a answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failingSince.IsZero() {
		h.failingSince = now
	}
	h.lastErrorAt, h.lastError = now, a.class
	if a.err != nil {
		h.lastError = a.err.Error()
	}
	if a.retryAfter > 0 {
		h.notBefore = now.Add(a.retryAfter)
	}
}

// throttled returns how long the server still wants no request; it counts for all senders of the lane.
func (h *health) throttled(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.notBefore.Sub(now)
}

// restart forgets a failure: what follows is of another endpoint.
func (h *health) restart() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failingSince, h.notBefore = time.Time{}, time.Time{}
}

// failing returns for how long no attempt has delivered; 0 while delivering.
func (h *health) failing(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failingSince.IsZero() {
		return 0
	}
	return now.Sub(h.failingSince)
}
