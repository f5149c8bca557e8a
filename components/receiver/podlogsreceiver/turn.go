// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"bytes"
	"errors"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/logline"
)

// serve reads once from a container's current file, and says whether there may be more to read at once.
func (w *worker) serve(c *container, now time.Time) (more bool) {
	f := c.current(now)
	if f == nil {
		return false
	}
	c.limit.refill(now)
	n, err := f.read(w.buf)
	if err != nil && bytes.IndexByte(w.buf[:n], '\n') < 0 {
		return w.unreadable(c, f, err, now)
	}
	if f.gz == nil {
		f.touched = false
		size, changed, err := sizeOf(f.open)
		if err == nil && size < f.offset || !f.unchanged() {
			w.truncated(c, f, now)
			return true
		}
		if err == nil && size != f.size {
			f.seen(size, changed, now) // so that it isn't overdue
		}
		if f.offset == 0 && f.name.suffix == "" && n > 0 && !f.headListed {
			// What was read may have followed what is in a copy that isn't known yet.
			if w.list(c, now); c.current(now) != f {
				return c.current(now) != nil
			}
		}
		if f.offset == 0 && f.name.suffix != "" {
			patience := retryListing
			if len(f.head) > 0 && bytes.IndexByte(f.head, '\n') < 0 {
				patience = w.cfg.IncompleteTimeout // there is no whole line
			}
			if len(f.head) < minHead && now.Sub(f.grewAt) < patience {
				return false // it may be a copy that is being made
			}
			if w.dropTwin(c, f, now) || w.findTruncated(c, now) {
				return true
			}
		}
	}
	if n > 0 {
		w.pull(c, f)
	}
	atEnd := n < len(w.buf) && err == nil
	final := atEnd && w.ended(c, f, n, now)
	used := w.lines(c, f, n, final, now)
	if atEnd && !c.superseded(f) {
		w.expire(c, f, now)
	}
	if used > 0 {
		w.touch(c)
	}
	if final && !f.endedAt.IsZero() && (c.superseded(f) || !f.unfinished()) {
		w.finish(c, f, now)
		more = true
	} else if used > 0 {
		f.endedAt = time.Time{}
	}
	for s := range logline.Streams {
		if w.spill(&f.groups[s]); w.spilled > maxSpilled {
			w.complete(c, f, s, early)
		}
	}
	w.last = nil
	w.records(c, f, w.buf[:used], now)
	f.use(w.buf[:n], used)
	w.batch.add(used, now)
	return more || !atEnd
}

// ended says that the rest of a file, which is n bytes, is to be taken as it is: nothing more will come, which sets endedAt, or what
// isn't complete has waited for long enough for its newline.
func (w *worker) ended(c *container, f *file, n int, now time.Time) bool {
	if f.gz != nil {
		f.endedAt = now
		return true
	}
	if c.superseded(f) {
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
	return f.torn(now, w.cfg)
}

// finish notes that a file was read to its end.
func (w *worker) finish(c *container, f *file, now time.Time) {
	f.done, f.doneAt = true, now
	w.pull(c, f) // if it was empty
	if next := c.next(f); next == nil || next.name.restart != f.name.restart || next.done || next.offset > 0 {
		for s := range logline.Streams {
			w.complete(c, f, s, ended) // else a line may go on in the next file
		}
	}
	if f.gz != nil {
		w.closeFile(f)
	}
	w.touch(c)
}

// lines deals with the lines in buf[:n], and returns how many bytes they are. With final that is all; else the last line needs a newline.
func (w *worker) lines(c *container, f *file, n int, final bool, now time.Time) (used int) {
	if f.cutting != notCutting && n > 0 {
		if used = w.rest(c, f, n, final, now); f.cutting != notCutting {
			return used
		}
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
		f.cutting = cuttingLong
		w.line(c, f, 0, n, now)
		return n
	}
	if final && used < n {
		f.cutting = cuttingTorn
		w.line(c, f, used, n, now)
		used = n
	}
	return used
}

// cutting says that a file is read on from inside a line that was taken without its newline. It is stored in checkpoints.
type cutting uint8

const (
	notCutting  cutting = iota
	cuttingLong         // it was longer than any may be; the rest is left out
	cuttingTorn         // it had waited for long enough; the rest is left out, unless whoever wrote it died and the next line follows
)

// rest deals with what follows the beginning of a line that was taken, in buf[:n], and returns how many bytes that is.
func (w *worker) rest(c *container, f *file, n int, final bool, now time.Time) (used int) {
	end := bytes.IndexByte(w.buf[:n], '\n')
	switch {
	case end < 0 && f.cutting == cuttingTorn && !final && n < len(w.buf):
		return 0
	case end < 0:
		w.counts.leftOut += n
		return n
	}
	if f.cutting == cuttingTorn {
		if l, ok := w.parser.Parse(w.buf[:end]); ok {
			f.cutting = notCutting
			w.parsed(c, f, l, 0)
			return end + 1
		}
	}
	f.cutting = notCutting
	w.counts.leftOut += end
	return end + 1
}

func (w *worker) line(c *container, f *file, start, end int, now time.Time) {
	l, ok := w.parser.Parse(w.buf[start:end])
	if !ok {
		w.counts.malformed++
		l = logline.Line{Time: now.UnixNano(), End: end - start}
		if g := &f.groups[l.Stream]; g.partial || g.rest != noRest {
			if f.offset+int64(start) >= f.skip[l.Stream] {
				w.single(c, l, start, end, false) // no runtime wrote it, so that it is no part of a line
			}
			return
		}
	}
	w.parsed(c, f, l, start)
}

// parsed deals with a line that begins at buf[start].
func (w *worker) parsed(c *container, f *file, l logline.Line, start int) {
	if pos := f.offset + int64(start); pos >= f.skip[l.Stream] {
		w.join(c, f, l, start+l.Start, start+l.End, pos)
	}
}

// unreadable deals with a file that can't be read, or not yet.
func (w *worker) unreadable(c *container, f *file, err error, now time.Time) (more bool) {
	if f.endedAt.IsZero() {
		f.endedAt = now
	}
	w.closeFile(f)
	if f.gz == nil && !errors.Is(err, io.ErrUnexpectedEOF) || now.Sub(f.endedAt) > readPatience {
		w.warn("unreadable", "Can't read a log file.", zap.String("path", f.path), zap.Error(err))
		w.gap(c, reasonUnreadable, max(f.most, f.size)-f.offset)
		w.lose(c, f, now)
		f.done, f.doneAt = true, now
		f.offset, f.cutting = max(f.most, f.size, f.offset), cuttingLong
		w.touch(c)
	}
	c.relistAt = now.Add(retryListing)
	return false
}
