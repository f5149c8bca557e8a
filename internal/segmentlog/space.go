// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

const (
	// entryCharge is what a live key is taken to need on disk beside its value. It is more than any entry of a number
	// takes, so that a log that was just compacted never looks like garbage.
	entryCharge = 48

	// A batch that adds no key and at most slackBytes, and whose values have at most smallBytes, may use the space that
	// is kept for draining: queues rewrite a small key with every item that they hand out or delete.
	slackBytes = 4 << 10
	smallBytes = 64 << 10

	// fullPause is how long a full disk is taken to be full for batches that need space.
	fullPause = 100 * time.Millisecond
)

func charge(k key, length int64) int64 { return length + entryCharge + k.bytes() }

// Budget is a limit in bytes that several logs share.
type Budget struct {
	limit    int64
	headroom int64

	mu      sync.Mutex
	used    int64
	claimed int64
}

// NewBudget returns a budget of limit bytes, of which headroom is kept for draining.
func NewBudget(limit, headroom int64) *Budget { return &Budget{limit: limit, headroom: headroom} }

// Add books n bytes without a check.
func (b *Budget) Add(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used += n
}

// Used returns the booked bytes.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// claim keeps room for a request until unclaim. A nil budget has no limit.
func (b *Budget) claim(r *request) error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n := r.info.size() + segmentHeader
	if b.used+b.claimed+n > b.limit-b.headroom {
		return &QuotaError{Scope: "total", Limit: b.limit, Used: b.used, Need: n}
	}
	r.claimed = n
	b.claimed += n
	return nil
}

func (b *Budget) unclaim(r *request) {
	if b == nil || r.claimed == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.claimed -= r.claimed
	r.claimed = 0
}

// admit decides whether there is room for the request behind others that need ahead bytes.
func (l *Log) admit(r *request, ahead int64) error {
	l.mu.RLock()
	fullAt := l.fullAt
	l.mu.RUnlock()
	r.maintenance = l.isMaintenance(r)
	need := ahead + r.info.size() + segmentHeader
	if r.maintenance {
		// Refusing these would keep a full log full for ever. Space is made first, so that the excess stays small.
		l.reclaim(func() bool { return l.disk.Load()+need <= l.opts.MaxBytes })
		return nil
	}
	if time.Since(fullAt) < fullPause {
		l.counters.refusedDiskFull.Add(1)
		return &diskFullError{errStillFull}
	}
	if !l.reclaim(func() bool { return l.disk.Load()+need <= l.opts.MaxBytes-l.opts.SegmentBytes }) {
		l.counters.refusedClient.Add(1)
		return &QuotaError{Scope: "client", Limit: l.opts.MaxBytes, Used: l.disk.Load() + ahead, Need: r.info.size()}
	}
	var err error
	if !l.reclaim(func() bool { err = l.opts.Budget.claim(r); return err == nil }) {
		l.counters.refusedTotal.Add(1)
	}
	return err
}

// isMaintenance tells batches that keep a log going without adding to it.
func (l *Log) isMaintenance(r *request) bool {
	if r.info.values > smallBytes {
		return false
	}
	var delta int64
	added := false
	for i, op := range r.ops {
		if op.Type == storage.Get {
			continue
		}
		if loc, ok := l.keys.get(r.keys[i]); ok {
			delta -= charge(r.keys[i], int64(loc.length))
		} else if op.Type == storage.Set {
			added = true
		}
		if op.Type == storage.Set {
			delta += charge(r.keys[i], int64(len(op.Value)))
		}
	}
	return delta <= 0 || (!added && delta <= slackBytes)
}

// reclaim gives garbage back to the disk until enough says so, or nothing more is to be had.
func (l *Log) reclaim(enough func() bool) bool {
	if enough() {
		return true
	}
	l.mu.RLock()
	waiting := len(l.dropped) > 0
	l.mu.RUnlock()
	if waiting {
		if _ = l.sync(false); enough() { // a failed sync is counted and told where it happens
			return true
		}
	}
	// One compaction gives back at least half a segment; more than a few in one batch would hold up the others.
	for range 4 {
		victim, garbage := l.worst()
		if victim == nil || garbage < l.opts.SegmentBytes || l.rewrite(victim) != nil || l.sync(false) != nil {
			return false
		}
		if enough() {
			return true
		}
	}
	return false
}
