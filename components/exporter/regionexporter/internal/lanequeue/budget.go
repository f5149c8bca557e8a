// SPDX-License-Identifier: Apache-2.0

package lanequeue

import "sync/atomic"

// Budget bounds the bytes that several queues hold together.
type Budget struct {
	max  int64
	used atomic.Int64
}

// NewBudget returns a budget of maxBytes, which must be positive.
func NewBudget(maxBytes int64) *Budget { return &Budget{max: maxBytes} }

// Used returns the bytes taken; past the maximum only where the queues held more when they were opened.
func (b *Budget) Used() int64 { return b.used.Load() }

// reserve takes n bytes if they are there. A negative n, which gives bytes back, is always taken.
func (b *Budget) reserve(n int64) bool {
	if b.used.Add(n) <= b.max || n <= 0 {
		return true
	}
	b.used.Add(-n)
	return false
}

// add takes bytes without asking, or gives them back.
func (b *Budget) add(n int64) { b.used.Add(n) }
