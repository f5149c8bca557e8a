// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.uber.org/zap"
)

// Open opens the log in dir, making the folder if need be. Half-written records at the end are cut off. Damaged segments
// are set aside after what is intact in them was copied. Both are logged and counted, and are no errors. It is up to the
// caller that nobody else has the folder open.
//
// The error matches ErrNewerVersion, or is one of the file system.
func Open(dir string, opts Options) (*Log, error) {
	if opts.Logger == nil {
		opts.Logger = zap.NewNop()
	}
	l := &Log{dir: dir, opts: opts, nextID: 1, nextNumber: 1, keys: newDirectory(), byID: map[uint32]*segment{}}
	_, statErr := os.Stat(dir)
	err := os.MkdirAll(dir, 0o700)
	if err == nil && statErr != nil && opts.Sync != SyncNever {
		err = syncDir(filepath.Dir(dir))
	}
	if err != nil {
		return nil, err
	}
	found, err := l.list()
	if err == nil {
		err = l.load(found)
	}
	if err != nil {
		l.addDisk(-l.disk.Load())
		for _, s := range found {
			_ = l.files.forget(s)
		}
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return l, nil
}

// list finds the files of the log and refuses those of a newer version, before anything is changed.
func (l *Log) list() ([]*segment, error) {
	names, err := os.ReadDir(l.dir)
	if err != nil {
		return nil, err
	}
	var found []*segment
	for _, name := range names {
		path := filepath.Join(l.dir, name.Name())
		id, isSegment := parseSegmentName(name.Name())
		isReserve := strings.HasSuffix(name.Name(), reserveSuffix)
		if !isSegment && !isReserve && !strings.Contains(name.Name(), damagedMark) {
			continue
		}
		info, err := name.Info()
		if err != nil {
			return found, err
		}
		l.addDisk(info.Size())
		switch {
		case isSegment:
			found = append(found, &segment{id: id, path: path, disk: info.Size()})
		case isReserve && (info.Size() != reserveBytes || len(l.reserves) == reserveCount):
			// Made while the disk ran full, or left over.
			if err := os.Remove(path); err != nil {
				return found, err
			}
			l.addDisk(-info.Size())
		case isReserve:
			l.reserves = append(l.reserves, path)
		}
	}
	slices.SortFunc(found, func(a, b *segment) int { return cmp.Compare(a.id, b.id) })
	for _, s := range found {
		if err := l.files.acquire(s); err != nil {
			return found, err
		}
		version, _, err := readSegmentHeader(s)
		_ = l.files.release(s)
		if err == nil && version > formatVersion {
			return found, fmt.Errorf("%s is of format version %d, and this program knows up to version %d: %w",
				filepath.Base(s.path), version, formatVersion, ErrNewerVersion)
		}
	}
	return found, nil
}

func readSegmentHeader(s *segment) (uint16, uint32, error) {
	b := make([]byte, segmentHeader)
	if _, err := s.file.ReadAt(b, 0); err != nil {
		return 0, 0, errors.Join(errBadHeader, err)
	}
	return decodeSegmentHeader(b)
}

// load replays the segments in order and makes the log ready for writing.
func (l *Log) load(found []*segment) error {
	for _, s := range found {
		l.nextID = max(l.nextID, s.id+1)
		if err := l.replay(s); err != nil {
			return err
		}
	}
	l.commitMu.Lock()
	defer l.commitMu.Unlock()
	if err := l.resume(); err != nil {
		return err
	}
	for _, s := range slices.Clone(l.order) {
		if s.damaged {
			l.salvage(s)
		}
	}
	l.mu.Lock()
	l.dead = true
	l.dropDead()
	l.mu.Unlock()
	if err := l.sync(true); err != nil {
		l.opts.Logger.Warn("Could not remove a segment that is not needed any more", zap.Error(err))
	}
	l.refillReserves()
	return nil
}

// replay applies one segment to the keys.
func (l *Log) replay(s *segment) error {
	if err := l.files.acquire(s); err != nil {
		return err
	}
	defer func() { _ = l.files.release(s) }()
	c, size, err := readIndex(s.file, s.id, s.disk)
	_, id, headerErr := readSegmentHeader(s)
	if err == nil && headerErr == nil && id == s.id {
		s.size, s.indexed = size, true
	} else {
		c = newContents()
		var result scanned
		result, err = scan(s.file, s.id, s.disk, true, c.applyRecord(s.id))
		if err != nil {
			return err
		}
		c.lastNumber = result.lastNumber
		s.size = result.end
		if headerErr != nil || id != s.id {
			if result.badHeader(s.disk); !result.damaged {
				l.counters.truncated.Add(s.disk)
				l.dropped = append(l.dropped, s)
				return nil
			}
		}
		if err := l.judge(s, result); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nextNumber = max(l.nextNumber, c.lastNumber+1)
	l.byID[s.id] = s
	l.order = append(l.order, s)
	if c.hasDeletes() {
		s.pins = s.id - 1
	}
	for _, r := range c.deletes {
		for _, n := range l.keys.within(r) {
			l.remove(key{num: n})
		}
	}
	for name := range c.deleteNames {
		l.remove(key{name: name})
	}
	for k, loc := range c.sets.all() {
		l.put(k, loc)
	}
	return nil
}

// badHeader judges a segment whose header is not intact: if it is only that or zeros, it was just being made.
func (r *scanned) badHeader(size int64) {
	switch {
	case r.lastNumber > 0:
		r.damaged = true
		r.lostBytes += segmentHeader
	case size > segmentHeader && !r.zeroTail:
		r.damaged = true
		r.lostBytes, r.tornBytes = size, 0
	}
}

// judge counts and logs what is wrong with a scanned segment, and cuts off what follows its last record.
func (l *Log) judge(s *segment, r scanned) error {
	name := filepath.Base(s.path)
	s.reserve = s.disk == reserveBytes && (r.zeroTail || r.tornBytes > 0)
	if r.damaged {
		s.damaged = true
		l.counters.corrupt.Add(r.lostBytes + r.tornBytes)
		l.opts.Logger.Error("A segment is damaged; intact records were kept",
			zap.String("segment", name), zap.Int64("lost_bytes", r.lostBytes+r.tornBytes),
			zap.Uint64("lost_batches", r.lostBatches), zap.Int("lost_keys_known", r.lostKeys), zap.Error(r.readErr))
		return nil
	}
	if r.tornBytes > 0 {
		l.counters.truncated.Add(r.tornBytes)
		l.opts.Logger.Warn("Cut off a half-written record", zap.String("segment", name), zap.Int64("bytes", r.tornBytes))
	}
	if s.size == s.disk || (s.reserve && r.zeroTail) {
		return nil
	}
	if err := s.cutOff(s.size); err != nil {
		return err
	}
	if !s.reserve {
		l.addDisk(s.size - s.disk)
		s.disk = s.size
	}
	return nil
}

// resume goes on writing in the last segment if it has room, so that starting often doesn't make many small ones. One
// that has an index must be checked for that, so it is only done when there is little to read.
func (l *Log) resume() error {
	if len(l.order) == 0 {
		return nil
	}
	s := l.order[len(l.order)-1]
	if s.damaged || s.size >= l.opts.SegmentBytes || (s.indexed && s.size > l.opts.SegmentBytes/4) {
		return nil
	}
	if err := l.files.acquire(s); err != nil {
		return err
	}
	if s.indexed {
		// Without its index, only records that are intact count.
		result, _ := scan(s.file, s.id, s.size, true, func(int64, recordHead, []byte) error { return nil })
		if result.damaged || result.tornBytes > 0 {
			return l.files.release(s)
		}
		if err := s.file.Truncate(s.size); err != nil {
			return errors.Join(err, l.files.release(s))
		}
		l.addDisk(s.size - s.disk)
		s.disk, s.indexed = s.size, false
	}
	l.active = s
	return nil
}
