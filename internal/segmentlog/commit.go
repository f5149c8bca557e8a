// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// commit stores the requests in order. The caller holds commitMu.
func (l *Log) commit(requests []*request) {
	if l.closed {
		for _, r := range requests {
			r.done, r.err = true, ErrClosed
		}
		return
	}
	admitted := make([]*request, 0, len(requests))
	var ahead int64
	for _, r := range requests {
		r.done = true
		if r.err = l.admit(r, ahead); r.err == nil {
			admitted = append(admitted, r)
			ahead += r.info.size()
		}
	}
	defer func() {
		for _, r := range requests {
			l.opts.Budget.unclaim(r)
		}
		l.removeDropped()
	}()
	for len(admitted) > 0 {
		n, appends := l.fitting(admitted)
		err := l.write(admitted[:n], appends)
		if isNoSpace(err) {
			for _, r := range admitted[:n] {
				r.err = l.writeWhenFull(r, err)
			}
		} else {
			for _, r := range admitted[:n] {
				r.err = err
			}
		}
		admitted = admitted[n:]
	}
}

// fitting returns how many of the requests fit into one segment, and whether that is the one being written.
func (l *Log) fitting(requests []*request) (n int, appends bool) {
	if l.active != nil {
		size, limit := l.active.size, l.opts.SegmentBytes
		if l.active.reserve {
			limit = reserveBytes
		}
		for _, r := range requests {
			size += r.info.size()
			if size > limit || (l.active.reserve && !r.maintenance) {
				break
			}
			n++
		}
		if n > 0 {
			return n, true
		}
	}
	size := int64(segmentHeader)
	for _, r := range requests {
		if size += r.info.size(); n > 0 && size > l.opts.SegmentBytes {
			break
		}
		n++
	}
	return n, false
}

// write appends the requests to the segment being written, or to a new one, and makes them visible. After an error
// nothing has changed.
func (l *Log) write(requests []*request, appends bool) error {
	if appends {
		return l.append(requests)
	}
	return l.begin(requests)
}

func (l *Log) append(requests []*request) error {
	s := l.active
	end, buffers := l.place(requests, s.id, s.size, nil)
	err := writeVectors(s.file, buffers, s.size)
	if err == nil && l.opts.Sync == SyncAlways {
		err = l.timedSync(s.file)
	}
	if err != nil {
		l.nextNumber -= uint64(len(requests))
		if undoErr := s.cutOff(s.size); undoErr != nil || !isNoSpace(err) {
			// What is behind the last record can't be trusted: leave this file.
			l.mu.Lock()
			s.noIndex = true
			l.sealActive()
			l.mu.Unlock()
			err = errors.Join(err, undoErr)
		}
		return err
	}
	l.publish(requests, s, end)
	return nil
}

// cutOff removes what a failed write left behind. The blocks of a reserve file are kept.
func (s *segment) cutOff(end int64) error {
	if s.reserve {
		return zero(s.file, end, reserveBytes)
	}
	return s.file.Truncate(end)
}

// begin makes a new segment that starts with the requests.
func (l *Log) begin(requests []*request) error {
	id := l.nextID
	if id == math.MaxUint32 {
		return fmt.Errorf("%s: segment numbers are used up; drain the queue and remove the folder", l.dir)
	}
	path := filepath.Join(l.dir, segmentName(id))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	end, buffers := l.place(requests, id, segmentHeader, encodeSegmentHeader(id))
	err = writeVectors(f, buffers, 0)
	if err == nil && l.opts.Sync == SyncAlways {
		err = errors.Join(l.timedSync(f), syncDir(l.dir))
	}
	if err != nil {
		l.nextNumber -= uint64(len(requests))
		return errors.Join(err, f.Close(), os.Remove(path))
	}
	l.nextID++
	s := &segment{id: id, path: path, file: f, size: segmentHeader, disk: segmentHeader}
	l.addDisk(segmentHeader)
	l.install(s)
	l.publish(requests, s, end)
	return nil
}

// install makes s, whose file is open, the segment being written.
func (l *Log) install(s *segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sealActive()
	s.refs = 1
	l.active = s
	l.byID[s.id] = s
	l.order = append(l.order, s)
	l.newNames = l.newNames || l.opts.Sync == SyncInterval
	l.dropDead()
}

// sealActive ends the segment being written. The caller holds mu.
func (l *Log) sealActive() {
	if s := l.active; s != nil {
		l.active, l.dead = nil, true
		_ = l.files.release(s) // closing a file that is not idle can't fail: nothing is buffered
	}
}

// place gives the requests their places and numbers and returns where they end and what to write.
func (l *Log) place(requests []*request, id uint32, offset int64, header []byte) (int64, [][]byte) {
	buffers := make([][]byte, 0, 2+4*len(requests))
	if header != nil {
		buffers = append(buffers, header)
	}
	for _, r := range requests {
		r.offset = offset
		r.info.number = l.nextNumber
		l.nextNumber++
		r.info.put(*r.head, id, offset)
		buffers = append(buffers, *r.head)
		buffers = append(buffers, r.values...)
		offset += r.info.size()
	}
	return offset, buffers
}

// publish makes what was written visible, in order.
func (l *Log) publish(requests []*request, s *segment, end int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.size = end
	s.dirty = s.dirty || l.opts.Sync == SyncInterval
	if end > s.disk {
		l.addDisk(end - s.disk)
		s.disk = end
	}
	for _, r := range requests {
		offset := uint32(r.offset) + recordHeader + r.info.meta
		sums := r.sums
		for i, op := range r.ops {
			switch op.Type {
			case storage.Get:
				l.hold(r, op, r.keys[i])
			case storage.Set:
				loc := location{segment: s.id, offset: offset, length: uint32(len(op.Value)), crc: sums[0]}
				l.put(r.keys[i], loc)
				offset += loc.length
				sums = sums[1:]
			case storage.Delete:
				if old, ok := l.remove(r.keys[i]); ok {
					s.pins = max(s.pins, old.segment)
				}
			}
		}
		s.pins = max(s.pins, r.pins)
		l.grew = l.grew || !r.maintenance
	}
	l.dropDead()
}

// timedSync syncs a file and tells about it.
func (l *Log) timedSync(f *os.File) error {
	start := time.Now()
	err := syncFile(f)
	if err != nil {
		l.counters.syncFailures.Add(1)
	}
	if l.opts.Synced != nil {
		l.opts.Synced(time.Since(start), err)
	}
	return err
}
