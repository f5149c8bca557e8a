// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"go.uber.org/zap"
)

// list compares a container's directory with what is known of it. What is renamed or compressed meanwhile is found under its new name.
func (w *worker) list(c *container, now time.Time) {
	for n := 0; n == 0 || c.again && n < listAgain; n++ {
		w.reconcile(c, now)
	}
	switch misses := c.misses(); {
	case !misses:
		c.missedAt = time.Time{}
	case c.missedAt.IsZero():
		c.missedAt = now
	}
	if c.retry || c.moving() {
		return // an earlier run may know what couldn't be read
	}
	if c.misses() && now.Sub(c.missedAt) < retryListing {
		c.relistAt = now.Add(retryListing)
		return
	}
	for i := range c.stored {
		// The files are gone that an earlier run began to read.
		if unread := c.stored[i].unread(); unread > 0 {
			w.gap(c, reasonLost, unread)
		}
	}
	c.stored = nil
}

// misses says whether a file wasn't found that an earlier run began to read: it may have been moved just when the directory was listed.
func (c *container) misses() bool {
	return !c.gone && slices.ContainsFunc(c.stored, func(cp checkpoint) bool { return cp.unread() > 0 })
}

// moving says whether files were being renamed when they were listed, which may go on and on.
func (c *container) moving() bool { return c.moves > 0 && c.moves < maxMoves }

func (w *worker) reconcile(c *container, now time.Time) {
	c.relist, c.relistAt, c.retry, c.again = false, time.Time{}, false, false
	known := make([]int, len(c.files))
	for i, f := range c.files {
		known[i] = len(f.head)
	}
	l, err := listLogs(c.dir)
	if err != nil {
		w.warn("unreadable", "Can't list a container's log files.", zap.String("directory", c.dir), zap.Error(err))
		c.relistAt, c.retry = now.Add(retryListing), true
		return
	}
	switch {
	case !l.moved:
		c.moves = 0
	case c.moves < maxMoves:
		c.moves++
	default:
		l.moved = false // it goes on and on
	}
	c.gone, c.linked = !l.exists, false
	w.touch(c)
	c.unreadable, c.unreadableBefore = nil, c.unreadable
	for i, f := range c.files {
		f.listed, f.fresh, f.headListed = false, false, known[i] >= minHead
		if f.open != nil && f.gz == nil && len(f.head) < headSize {
			f.unchanged() // learns what was written since, for copies to be known by
		}
	}
	var unknown []found
	for _, e := range l.files {
		c.linked = c.linked || e.link
		if !c.recognise(e) {
			unknown = append(unknown, e)
		}
	}
	w.countBeyond(c, l.beyond)
	// What is written to comes first, so that it isn't taken for a copy of its copy.
	slices.SortStableFunc(unknown, func(a, b found) int { return min(1, len(a.name.suffix)) - min(1, len(b.name.suffix)) })
	for _, e := range unknown {
		if f := w.adopt(c, e, now); f != nil {
			c.files = append(c.files, f)
		}
	}
	c.sort()
	c.dropBeyond()
	w.openAll(c, now)
	if !l.moved {
		c.fromEnd = false
		w.forgetUnlisted(c, now)
	} else if c.relistAt.IsZero() {
		c.relistAt = now
	}
}

// countBeyond counts files that nobody has read and nobody will, because there are too many newer ones.
func (w *worker) countBeyond(c *container, beyond []found) {
	if len(beyond) == 0 || c.beyond {
		return
	}
	c.beyond = true
	if len(c.files) > 0 {
		return // they are known
	}
	for _, e := range beyond {
		if e.stat() && !slices.ContainsFunc(c.stored, func(cp checkpoint) bool { return cp.id == e.id }) {
			w.gap(c, reasonBeyond, e.size)
		}
	}
}

// dropBeyond forgets files that were just found and are older than all that are known. There have been too many newer ones, so that they may have
// been read and forgotten.
func (c *container) dropBeyond() {
	known := slices.IndexFunc(c.files, func(f *file) bool { return f.listed && !f.fresh })
	if !c.beyond || known < 0 {
		return
	}
	oldest := c.files[known].name
	c.files = slices.DeleteFunc(c.files, func(f *file) bool { return f.fresh && f.name.compare(oldest) < 0 })
}

// maxMoves bounds how many listings in a row may be taken for incomplete. It is no time: a busy worker may list seldom.
const maxMoves = 20

// retryListing is how soon a directory is listed again in which something couldn't be read.
const retryListing = time.Second

// forgetUnlisted drops files that are gone and closed, and weren't there when the directory was listed before.
func (w *worker) forgetUnlisted(c *container, now time.Time) {
	c.files = slices.DeleteFunc(c.files, func(f *file) bool {
		if f.listed || f.open != nil || f.done && (c.needs(f) || f.unfinished()) {
			f.missedAt = time.Time{}
			return false
		}
		if f.missedAt.IsZero() {
			f.missedAt = now
		}
		if !c.gone && now.Sub(f.missedAt) < retryListing {
			c.relistAt = now.Add(retryListing)
			return false
		}
		if bytes := max(f.most, f.size) - f.offset + w.abandon(f); !f.done && (bytes > 0 || f.name.gz) {
			w.gap(c, reasonDeleted, bytes)
		}
		return true
	})
}

// openAll opens what isn't read yet, so that it can be read even when it is deleted; the oldest first.
func (w *worker) openAll(c *container, now time.Time) {
	for i, f := range c.files {
		if f.done || f.open != nil || !f.listed {
			continue
		}
		spare := w.openFiles.take()
		if !spare && unbegun(c.files[i+1:]) == nil {
			w.warn("descriptors", "There are more log files to read than max_open_files; the others wait.", zap.Int64("max_open_files", w.openFiles.max))
			f.unopened = now // which may be long; newer ones wait
			c.relistAt = now.Add(retryListing)
			return
		}
		if err := f.openFile(); err != nil {
			if spare {
				w.openFiles.giveBack()
			}
			if f.unopened.IsZero() {
				f.unopened = now
			}
			c.relistAt = now.Add(retryListing)
			if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errReplaced) {
				w.warn("unreadable", "Can't open a log file; trying again.", zap.String("path", f.path), zap.Error(err))
			} else {
				c.again = true
			}
			continue
		}
		if !spare {
			unbegun(c.files[i+1:]).close() // whose place among the open files it takes
		}
		f.grewAt, f.unopened = now, time.Time{}
	}
}

// unbegun is the newest file that is open and wasn't begun, so that it can be opened again; nil if there is none.
func unbegun(files []*file) *file {
	for _, f := range slices.Backward(files) {
		if f.open != nil && f.listed && f.offset == 0 && !f.done {
			return f
		}
	}
	return nil
}

func (w *worker) closeFile(f *file) {
	if f.open != nil {
		f.close()
		w.openFiles.giveBack()
	}
}

// touch notes that the checkpoints of a container are to be stored.
func (w *worker) touch(c *container) {
	if !c.dirty {
		c.dirty = true
		w.dirty = append(w.dirty, c)
	}
}
