// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/logline"
)

// serve reads once from a container's current file, and says whether there may be more to read at once.
func (w *worker) serve(c *container, now time.Time) (more bool) {
	f := c.current()
	if f == nil {
		return false
	}
	c.limit.refill(now)
	n, err := f.read(w.buf)
	if err != nil {
		return w.unreadable(c, f, err, now)
	}
	if f.gz == nil {
		f.touched = false
		size, _, err := sizeOf(f.open)
		if err == nil && size < f.offset || !f.unchanged() {
			w.truncated(c, f, now)
			return true
		}
		if f.offset == 0 && f.name.suffix != "" {
			if len(f.head) < minHead && now.Sub(f.grewAt) < retryListing {
				return false // it may be a copy that is being made
			}
			if w.dropTwin(c, f) {
				return true
			}
		}
	}
	atEnd := n < len(w.buf)
	final := atEnd && w.ended(c, f, n, now)
	used := w.lines(c, f, n, final, now)
	if final && f.endedAt.IsZero() {
		w.completeAll(c) // it is overdue
	}
	if used > 0 {
		w.touch(c)
	}
	if final && !f.endedAt.IsZero() {
		w.finish(c, f, now)
		more = true
	} else if used > 0 {
		f.endedAt = time.Time{}
	}
	for i := range c.groups {
		w.spill(&c.groups[i])
	}
	w.last = nil
	w.records(c, f, w.buf[:used], now)
	f.use(w.buf[:n], used)
	w.batch.add(used, now)
	return more || !atEnd
}

// ended says that the rest of a file, which is n bytes, is to be taken as it is: nothing more will come, which sets endedAt, or what
// isn't complete has waited for long enough.
func (w *worker) ended(c *container, f *file, n int, now time.Time) bool {
	if f.gz != nil {
		f.endedAt = now
		return true
	}
	if c.next(f) != nil || !f.listed && c.gone {
		switch complete := n == 0 || bytes.IndexByte(w.buf[:n], '\n') < 0; {
		case !complete:
			return false
		case f.endedAt.IsZero():
			f.endedAt = now // whoever writes it may just be about to
			return false
		default:
			return now.Sub(f.endedAt) >= w.cfg.PollInterval
		}
	}
	f.endedAt = time.Time{}
	return c.overdue(f, now, w.cfg)
}

// finish notes that a file was read to its end.
func (w *worker) finish(c *container, f *file, now time.Time) {
	f.done, f.doneAt = true, now
	if next := c.next(f); next == nil || next.name.restart != f.name.restart {
		w.completeAll(c) // else a line may go on in the next file
	}
	if f.gz != nil {
		w.closeFile(f)
	}
	w.touch(c)
}

// lines deals with the lines in buf[:n], and returns how many bytes they are. With final that is all; else the last line needs a newline.
func (w *worker) lines(c *container, f *file, n int, final bool, now time.Time) (used int) {
	if f.cutting {
		end := bytes.IndexByte(w.buf[:n], '\n')
		if end < 0 {
			return n
		}
		f.cutting, used = false, end+1
	}
	for used < n {
		length := bytes.IndexByte(w.buf[used:n], '\n')
		if length < 0 {
			break
		}
		w.line(c, f, used, used+length, now)
		used += length + 1
	}
	if used == 0 && n == len(w.buf) {
		f.cutting = true // a line that is longer than any may be
		w.line(c, f, 0, n, now)
		return n
	}
	if final && used < n {
		w.line(c, f, used, n, now)
		used = n
	}
	return used
}

func (w *worker) line(c *container, f *file, start, end int, now time.Time) {
	l, ok := w.parser.Parse(w.buf[start:end])
	if !ok {
		w.counts.malformed++
		l = logline.Line{Time: now.UnixNano(), End: end - start}
	}
	if pos := f.offset + int64(start); pos >= f.skip[l.Stream] {
		w.join(c, f, l, start+l.Start, start+l.End, pos)
	}
}

// unreadable deals with a file that can't be read, or not yet.
func (w *worker) unreadable(c *container, f *file, err error, now time.Time) (more bool) {
	// A compressed file may still be being written.
	const patience = 30 * time.Second
	if f.endedAt.IsZero() {
		f.endedAt = now
	}
	w.closeFile(f)
	if f.gz == nil && !errors.Is(err, io.ErrUnexpectedEOF) || now.Sub(f.endedAt) > patience {
		w.warn("unreadable", "Can't read a log file.", zap.String("path", f.path), zap.Error(err))
		w.gap(c, reasonUnreadable, max(f.most, f.size)-f.offset)
		f.done, f.doneAt = true, now
	}
	c.relistAt = now.Add(retryListing)
	return false
}

// dropTwin finds out that a new file is a copy of another one, which couldn't be seen while it was empty.
func (w *worker) dropTwin(c *container, f *file) bool {
	for _, other := range c.files {
		if other != f && other.name.restart == f.name.restart && isCopy(f.head, other.head) {
			other.twin, other.twinPath, other.twinName = f.id, f.path, f.name
			w.closeFile(f)
			c.files = slices.DeleteFunc(c.files, func(one *file) bool { return one == f })
			return true
		}
	}
	return false
}

// truncated deals with a file that was cut and written anew. What wasn't read of it is in a copy, if whoever cut it made one.
func (w *worker) truncated(c *container, f *file, now time.Time) {
	for range 5 {
		if w.list(c, now); c.relistAt.IsZero() {
			break // else the copy may be among what was just being renamed or compressed
		}
	}
	if f.twin != (fileID{}) && f.twinName.restart == f.name.restart {
		copied := &file{
			name: f.twinName, path: f.twinPath, id: f.twin, head: slices.Clone(f.head), size: f.most, most: f.most, offset: f.offset, skip: f.skip,
			cutting: f.cutting, listed: true, grewAt: now,
		}
		for i := range c.groups {
			if c.groups[i].file == f {
				c.groups[i].file = copied
			}
		}
		c.files = slices.Insert(c.files, slices.Index(c.files, f), copied)
	} else {
		w.completeAll(c)
		w.records(c, f, nil, now)
		if lost := f.most - f.offset; lost > 0 {
			w.gap(c, reasonTruncated, lost)
		}
	}
	f.head, f.offset, f.size, f.most = nil, 0, 0, 0
	f.skip = [logline.Streams]int64{}
	f.cutting, f.twin, f.twinPath, f.endedAt = false, fileID{}, "", time.Time{}
	f.unchanged()
	w.openAll(c, now)
	w.touch(c)
}
