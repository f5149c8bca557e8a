// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"time"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/logline"
)

// entry is a record of what is in the worker's buffer.
type entry struct {
	start, end int    // of its content in the buffer
	text       string // its content, if that isn't in the buffer
	time       int64
	stream     logline.Stream
	truncated  bool
	piece      bool // of a line of which another record has the rest
}

func (e *entry) size() int { return e.end - e.start + len(e.text) }

// group is a record that is being put together of several lines of one stream of one file.
type group struct {
	active bool
	// rest is what becomes of the rest of a line whose beginning was passed on before it came. Nothing is active then.
	rest       remainder
	piece      bool // it begins with such a rest
	partial    bool // its last line isn't complete
	inBuffer   bool // its content is in the worker's buffer, else in content
	truncated  bool
	start, end int // in the buffer
	content    []byte
	time       int64 // of the first line

	// Where the first line begins, which is where reading goes on after a restart.
	file   *file
	offset int64

	trace logline.StackTrace
}

// remainder is what becomes of the rest of a line. It is stored in checkpoints.
type remainder uint8

const (
	noRest      remainder = iota // there is none
	restFollows                  // it is a record of its own
	restLeftOut                  // the line is longer than a record may be
)

func (g *group) size() int {
	if g.inBuffer {
		return g.end - g.start
	}
	return len(g.content)
}

const (
	// multilineTimeout is how long a complete line waits for one that goes on with its record.
	multilineTimeout = time.Second
	// maxSpilled bounds what a worker holds of records that are being put together, in bytes.
	maxSpilled = 16 * mib
	// keepSpill is how much memory a group keeps for the next record.
	keepSpill = 4 * kib
)

// unfinished says that a line may come that belongs to it.
func (g *group) unfinished() bool { return g.active || g.rest != noRest }

// overdue says whether it has waited for long enough, for lines of file f.
func (g *group) overdue(f *file, now time.Time, cfg *Config) bool {
	timeout := cfg.IncompleteTimeout
	if !g.partial {
		timeout = min(multilineTimeout, timeout)
	}
	return g.active && now.Sub(f.grewAt) >= timeout
}

// join deals with one line, at buf[start:end] and at pos in the file.
func (w *worker) join(c *container, f *file, l logline.Line, start, end int, pos int64) {
	g := &f.groups[l.Stream]
	if g.rest == restLeftOut {
		w.counts.leftOut += end - start
		if !l.Partial {
			g.rest = noRest
		}
		return
	}
	multiline := c.rule != nil && c.rule.Multiline.enabled()
	if g.active {
		if g.partial || c.continues(g, w.buf[start:end]) {
			w.counts.joined++
			w.extend(g, start, end)
			g.partial = l.Partial
			if !g.partial && !multiline || !g.inBuffer && w.spilled > maxSpilled {
				w.complete(c, f, l.Stream, early)
			}
			return
		}
		w.complete(c, f, l.Stream, ended)
	}
	piece := g.rest == restFollows
	if !l.Partial && !multiline {
		g.rest = noRest
		w.single(c, l, start, end, piece)
		return
	}
	kept := w.bounded(start, end)
	*g = group{
		active: true, piece: piece, partial: l.Partial, inBuffer: true, truncated: kept < end, start: start, end: kept, content: g.content[:0], time: l.Time,
		file: f, offset: pos,
	}
	if multiline && c.rule.Multiline.StackTraces {
		g.trace.First(w.buf[g.start:g.end])
	}
	w.last = g
}

// single makes a record of one line.
func (w *worker) single(c *container, l logline.Line, start, end int, piece bool) {
	kept := w.bounded(start, end)
	w.last = nil
	w.emit(c, entry{start: start, end: kept, time: l.Time, stream: l.Stream, truncated: kept < end, piece: piece})
}

// bounded returns where a record that begins with buf[start:end] ends, and counts what is left out.
func (w *worker) bounded(start, end int) int {
	kept := min(end, start+w.cfg.MaxLineBytes)
	w.counts.leftOut += end - kept
	return kept
}

func (c *container) continues(g *group, line []byte) bool {
	if c.rule.firstLine != nil {
		return !c.rule.firstLine.Match(line)
	}
	return g.trace.Continues(line)
}

// extend appends buf[start:end] to the record; in the buffer itself if nothing else was between.
func (w *worker) extend(g *group, start, end int) {
	separator := 1 // a record of several lines keeps their newlines
	if g.partial {
		separator = 0
	}
	room := w.cfg.MaxLineBytes - g.size() - separator
	if room < end-start {
		g.truncated = true
		kept := start + max(0, room)
		w.counts.leftOut += end - kept
		end = kept
	}
	if room < 0 {
		return
	}
	if g.inBuffer && w.last == g {
		// Headers, or at least a newline, leave the room for the separator.
		if separator == 1 {
			w.buf[g.end] = '\n'
		}
		g.end += separator
		g.end += copy(w.buf[g.end:], w.buf[start:end])
		return
	}
	w.spill(g)
	before := len(g.content)
	if separator == 1 {
		g.content = append(g.content, '\n')
	}
	g.content = append(g.content, w.buf[start:end]...)
	w.spilled += len(g.content) - before
	w.last = g
}

// spill moves the content out of the buffer.
func (w *worker) spill(g *group) {
	if g.inBuffer {
		g.content = append(g.content[:0], w.buf[g.start:g.end]...)
		g.inBuffer = false
		w.spilled += len(g.content)
	}
}

// cause is why a record is completed.
type cause uint8

const (
	ended cause = iota // nothing more can come of it
	early              // it waited for too long, or too much is being put together: its last line may go on
	lost               // what followed can't be read
)

// complete makes a record of what was put together. After an early end within a line, its rest becomes another one, unless the first was cut.
func (w *worker) complete(c *container, f *file, s logline.Stream, why cause) {
	g := &f.groups[s]
	if !g.active {
		if why != early {
			g.rest = noRest
		}
		return
	}
	after := noRest
	switch {
	case !g.partial || why != early:
	case g.truncated:
		after = restLeftOut
	default:
		after = restFollows
	}
	e := entry{time: g.time, stream: s, truncated: g.truncated || g.partial && why == lost, piece: g.piece || after == restFollows}
	if g.inBuffer {
		e.start, e.end = g.start, g.end
	} else {
		e.text = string(g.content)
		w.spilled -= len(g.content)
	}
	content := g.content[:0]
	if cap(content) > keepSpill {
		content = nil
	}
	*g = group{content: content, rest: after}
	if w.last == g {
		w.last = nil
	}
	w.emit(c, e)
}

// emit adds a record to those of this turn, unless the container has had its share.
func (w *worker) emit(c *container, e entry) {
	if c.rule != nil && !c.limit.allow(e.size()) {
		w.counts.limited++
		return
	}
	if e.truncated {
		w.counts.truncated++
	}
	w.entries = append(w.entries, e)
}
