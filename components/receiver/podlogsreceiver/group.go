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
}

func (e *entry) size() int { return e.end - e.start + len(e.text) }

// group is a record that is being put together of several lines of one stream.
type group struct {
	active     bool
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

func (g *group) timeout(cfg *Config) time.Duration {
	if g.partial {
		return cfg.IncompleteTimeout
	}
	return min(multilineTimeout, cfg.IncompleteTimeout)
}

// join deals with one line, at buf[start:end] and at pos in the file.
func (w *worker) join(c *container, f *file, l logline.Line, start, end int, pos int64) {
	g := &c.groups[l.Stream]
	multiline := c.rule != nil && c.rule.Multiline.enabled()
	if g.active {
		if g.partial || c.continues(g, w.buf[start:end]) {
			w.counts.joined++
			w.extend(g, start, end)
			g.partial = l.Partial
			if !g.partial && !multiline || w.spilled > maxSpilled {
				w.complete(c, l.Stream)
			}
			return
		}
		w.complete(c, l.Stream)
	}
	if !l.Partial && !multiline {
		e := entry{start: start, end: end, time: l.Time, stream: l.Stream}
		if end-start > w.cfg.MaxLineBytes {
			e.end, e.truncated = start+w.cfg.MaxLineBytes, true
		}
		w.last = nil
		w.emit(c, e)
		return
	}
	*g = group{
		active: true, partial: l.Partial, inBuffer: true, start: start, end: end, content: g.content[:0], time: l.Time, file: f, offset: pos,
	}
	if end-start > w.cfg.MaxLineBytes {
		g.end, g.truncated = start+w.cfg.MaxLineBytes, true
	}
	if multiline && c.rule.Multiline.StackTraces {
		g.trace.First(w.buf[g.start:g.end])
	}
	w.last = g
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
		end = start + max(0, room)
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

// complete makes a record of what was put together.
func (w *worker) complete(c *container, s logline.Stream) {
	g := &c.groups[s]
	if !g.active {
		return
	}
	e := entry{time: g.time, stream: s, truncated: g.truncated || g.partial && w.spilled > maxSpilled}
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
	*g = group{content: content}
	if w.last == g {
		w.last = nil
	}
	w.emit(c, e)
}

func (w *worker) completeAll(c *container) {
	for s := range logline.Streams {
		w.complete(c, s)
	}
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
