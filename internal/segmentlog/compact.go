// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"errors"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// moveBytes is about how much one record of moved values holds.
const moveBytes = 1 << 20

// worst returns the segment with the smallest share of live bytes if at most half of it is live, and the garbage of the
// whole log in bytes.
func (l *Log) worst() (victim *segment, garbage int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	best := 0.5
	var size int64
	for _, s := range l.order {
		size += s.size
		share := float64(s.liveBytes) / float64(s.size)
		if s.reserve || share > best || (s == l.active && s.size < MinSegmentBytes) {
			continue
		}
		if victim == nil || share < best {
			victim, best = s, share
		}
	}
	return victim, size - l.liveBytes
}

// compact rewrites segments while the log has too much garbage: more than live bytes and more than two segments, which
// keeps the writing of moved bytes below that of new ones. When idle, a megabyte of garbage is enough. The caller holds
// commitMu.
func (l *Log) compact(idle bool) {
	bound := 2 * l.opts.SegmentBytes
	if idle {
		bound = MinSegmentBytes
	}
	for range 8 { // the rest at the next call
		victim, garbage := l.worst()
		if victim == nil || garbage <= max(bound, l.liveBytes) {
			return
		}
		if err := l.rewrite(victim); err != nil {
			if !isNoSpace(err) {
				l.opts.Logger.Error("Compaction failed", zap.String("segment", victim.path), zap.Error(err))
			}
			return
		}
	}
}

// rewrite copies what is still needed of a segment to the end of the log, so that the segment can be removed.
// The caller holds commitMu.
func (l *Log) rewrite(victim *segment) error {
	if victim == l.active {
		l.mu.Lock()
		l.sealActive()
		l.mu.Unlock()
	}
	if err := l.files.acquire(victim); err != nil {
		return err
	}
	defer func() { _ = l.files.release(victim) }()
	c, err := l.contents(victim)
	if err != nil {
		return err
	}
	if err := l.moveValues(victim, c); err != nil {
		return err
	}
	if err := l.moveDeletes(victim, c); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	victim.pins, l.dead = 0, true
	l.dropDead()
	return nil
}

func (l *Log) contents(s *segment) (*contents, error) {
	l.mu.RLock()
	id, size, disk, indexed := s.id, s.size, s.disk, s.indexed
	verify := s.damaged // what was taken as missing when the log was opened must not come back
	l.mu.RUnlock()
	return readContents(s.file, id, size, disk, indexed, verify)
}

func (l *Log) moveValues(victim *segment, c *contents) error {
	var ops []*storage.Operation
	var size int64
	flush := func() error {
		if len(ops) == 0 {
			return nil
		}
		r, err := newRequest(ops)
		if err != nil {
			return err
		}
		defer r.free()
		ops, size = nil, 0
		return l.writeMoved(r)
	}
	for k, loc := range c.sets.all() {
		if now, ok := l.keys.get(k); !ok || now != loc {
			continue
		}
		value, err := readValue(victim, loc)
		if errors.Is(err, ErrCorrupt) {
			l.loseValue(victim, k, loc, err)
			continue
		}
		if err != nil {
			return err
		}
		ops = append(ops, storage.SetOperation(k.String(), value))
		if size += int64(loc.length) + entryCharge; size >= moveBytes {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// loseValue forgets a key whose value can't be read any more; the segment will be set aside, not removed.
func (l *Log) loseValue(s *segment, k key, loc location, err error) {
	l.opts.Logger.Error("A stored value is lost", zap.String("key", k.String()), zap.Error(err))
	l.counters.corrupt.Add(int64(loc.length))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(k)
	s.damaged = true
}

// moveDeletes copies the deletes that still hide something in older segments.
func (l *Log) moveDeletes(victim *segment, c *contents) error {
	if l.byID[victim.id] != victim || l.order[0].id > victim.pins || !c.hasDeletes() {
		return nil
	}
	r, err := newRequest(nil)
	if err != nil {
		return err
	}
	defer r.free()
	b := *r.head
	for _, whole := range mergeRanges(c.deletes) {
		for _, absent := range l.absent(whole) {
			b = appendDeleteRange(b, absent)
			r.info.entries++
		}
	}
	for name := range c.deleteNames {
		if _, ok := l.keys.names[name]; !ok {
			b = appendDeleteName(b, name)
			r.info.entries++
		}
	}
	if r.info.entries == 0 {
		return nil
	}
	r.pins = victim.pins
	r.seal(b, 0)
	return l.writeMoved(r)
}

// absent returns the parts of r in which no key is live.
func (l *Log) absent(r keyRange) []keyRange {
	var parts []keyRange
	next := r.first
	for _, n := range l.keys.within(r) {
		if n > next {
			parts = append(parts, keyRange{next, n - 1})
		}
		if n == r.last {
			return parts
		}
		next = n + 1
	}
	return append(parts, keyRange{next, r.last})
}

func (l *Log) writeMoved(r *request) error {
	r.maintenance = true
	requests := []*request{r}
	_, appends := l.fitting(requests)
	return l.write(requests, appends)
}
