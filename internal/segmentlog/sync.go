// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"errors"
	"os"
	"time"

	"go.uber.org/zap"
)

// manyDropped segments are removed without waiting for the next regular sync. A sync slows the drain down, so a few are
// not worth one; a quota that needs their space doesn't wait either.
const manyDropped = 16

// Maintain does what must not hold up batches: it syncs, removes segments without live keys, writes indexes, and
// compacts. It is to be called every second or so, or every sync interval.
func (l *Log) Maintain() error {
	l.maintainMu.Lock()
	defer l.maintainMu.Unlock()
	l.mu.Lock()
	closed, idle := l.closed, !l.grew
	l.grew = false
	l.mu.Unlock()
	if closed {
		return nil
	}
	var err error
	if l.opts.Sync != SyncNever {
		err = l.sync(false)
	}
	l.writeIndexes()

	l.commitMu.Lock()
	defer l.commitMu.Unlock()
	l.compact(idle)
	l.refillReserves()
	l.removeDropped()
	return err
}

// sync makes durable what was written before the call, and then removes the segments that this made superfluous: were
// they removed first, a power loss could take a delete and leave what came with it, or the only copy of a moved value.
// Dropped segments are not synced any more; that saves writing data that was delivered within the interval. With
// force, segments are removed even if the sync fails.
func (l *Log) sync(force bool) error {
	l.syncMu.Lock()
	defer l.syncMu.Unlock()

	l.mu.Lock()
	dropped := l.dropped
	l.dropped = nil
	names := l.newNames
	l.newNames = false
	var dirty []*segment
	var err error
	for _, s := range l.order {
		if !s.dirty {
			continue
		}
		if acquireErr := l.files.acquire(s); acquireErr != nil {
			err = errors.Join(err, acquireErr)
			continue
		}
		s.dirty = false
		dirty = append(dirty, s)
	}
	l.mu.Unlock()

	var failed []*segment
	for _, s := range dirty {
		if syncErr := l.timedSync(s.file); syncErr != nil {
			err = errors.Join(err, syncErr)
			failed = append(failed, s)
		}
		err = errors.Join(err, l.files.release(s))
	}
	if names {
		err = errors.Join(err, syncDir(l.dir))
	}
	if err == nil || force {
		var left []*segment
		for i, s := range dropped {
			// In ascending order, and none after one that failed: a delete must not go before what it hides.
			if removeErr := l.removeFile(s); removeErr != nil {
				err, left = errors.Join(err, removeErr), dropped[i:]
				break
			}
		}
		dropped = left
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range failed {
		s.dirty = true
	}
	l.newNames = l.newNames || (names && err != nil)
	l.dropped = append(dropped, l.dropped...)
	return err
}

// dropDead takes segments out of the log that no live key and no needed delete is in. The caller holds commitMu and mu.
func (l *Log) dropDead() {
	if !l.dead {
		return
	}
	l.dead = false
	kept := l.order[:0]
	for _, s := range l.order {
		older := len(kept) > 0 && kept[0].id <= s.pins
		if s.live > 0 || s == l.active || older {
			kept = append(kept, s)
			continue
		}
		delete(l.byID, s.id)
		l.dropped = append(l.dropped, s)
	}
	clear(l.order[len(kept):])
	l.order = kept
}

// removeDropped gives the space of dropped segments back if that needn't wait for a sync, and else asks for one if it
// is much.
func (l *Log) removeDropped() {
	l.mu.RLock()
	n := len(l.dropped)
	l.mu.RUnlock()
	switch {
	case n == 0:
	case l.opts.Sync != SyncInterval:
		_ = l.sync(false) // what can't be removed now is tried again with the next
	case n >= manyDropped:
		l.wake()
	}
}

// removeFile gives the space of a dropped segment back.
func (l *Log) removeFile(s *segment) error {
	defer func() {
		l.mu.Lock()
		l.fullAt = time.Time{}
		l.mu.Unlock()
	}()
	switch {
	case s.damaged:
		if err := l.setAside(s.path); err != nil {
			return err
		}
		return l.files.forget(s)
	case s.reserve && l.recycle(s):
		return nil
	}
	if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l.addDisk(-s.disk)
	return l.files.forget(s)
}

// writeIndexes gives sealed segments that are on disk their index.
func (l *Log) writeIndexes() {
	l.mu.RLock()
	var sealed []*segment
	for _, s := range l.order {
		if s != l.active && !s.dirty && !s.indexed && !s.noIndex && !s.reserve && l.files.acquire(s) == nil {
			sealed = append(sealed, s)
		}
	}
	l.mu.RUnlock()
	for _, s := range sealed {
		if err := l.writeIndex(s); err != nil && !isNoSpace(err) {
			l.opts.Logger.Warn("Could not index a segment; opening it will take longer", zap.String("segment", s.path), zap.Error(err))
		}
		_ = l.files.release(s)
	}
}

func (l *Log) writeIndex(s *segment) error {
	c, err := l.contents(s)
	if err != nil {
		return err
	}
	b := c.encodeIndex(s.id, s.size)
	_, err = s.file.WriteAt(b, s.size)
	if err != nil {
		err = errors.Join(err, s.file.Truncate(s.size))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		s.noIndex = true
		return err
	}
	s.indexed = true
	if l.byID[s.id] == s {
		s.disk += int64(len(b))
		l.addDisk(int64(len(b)))
	}
	return nil
}
