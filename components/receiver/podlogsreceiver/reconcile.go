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
	for again, n := true, 0; again && n < listAgain; n++ {
		again = w.reconcile(c, now)
	}
	if !c.relistAt.IsZero() {
		return // something couldn't be read that an earlier run may know
	}
	if c.misses() {
		if c.missedAt.IsZero() {
			c.missedAt = now
		}
		if now.Sub(c.missedAt) < retryListing {
			c.relistAt = now.Add(retryListing)
			return
		}
	}
	for i := range c.stored {
		// The files are gone that an earlier run began to read.
		if unread := c.stored[i].unread(); unread > 0 {
			w.gap(c, reasonLost, unread)
		}
	}
	c.stored, c.fromEnd = nil, false
}

// misses says whether a file wasn't found that an earlier run began to read: it may have been moved just when the directory was listed.
func (c *container) misses() bool {
	return !c.gone && slices.ContainsFunc(c.stored, func(cp checkpoint) bool { return cp.unread() > 0 })
}

// reconcile says whether something went just when it was to be read.
func (w *worker) reconcile(c *container, now time.Time) (again bool) {
	c.relist, c.relistAt = false, time.Time{}
	files, exists, moved, err := listLogs(c.dir)
	if err != nil {
		w.warn("unreadable", "Can't list a container's log files.", zap.String("directory", c.dir), zap.Error(err))
		c.relistAt = now.Add(retryListing)
		return false
	}
	switch {
	case !moved:
		c.moves = 0
	case c.moves < maxMoves:
		c.moves++
	default:
		c.moves, moved = 0, false // it goes on and on
	}
	c.gone, c.linked = !exists, false
	w.touch(c)
	for _, f := range c.files {
		f.listed = false
		if f.open != nil && f.gz == nil && len(f.head) < headSize {
			f.unchanged() // learns what was written since, for copies to be known by
		}
	}
	var unknown []found
	for _, e := range files {
		c.linked = c.linked || e.link
		if !c.recognise(e) {
			unknown = append(unknown, e)
		}
	}
	// What is written to comes first, so that it isn't taken for a copy of its copy.
	slices.SortStableFunc(unknown, func(a, b found) int { return min(1, len(a.name.suffix)) - min(1, len(b.name.suffix)) })
	for _, e := range unknown {
		if f := w.adopt(c, e, now); f != nil {
			c.files = append(c.files, f)
		}
	}
	c.sort()
	w.openAll(c, now)
	again = !c.relistAt.IsZero()
	if !moved {
		w.forgetUnlisted(c, now)
	} else if c.relistAt.IsZero() {
		c.relistAt = now
	}
	return again
}

// recognise finds the file that an entry of the directory is, or is a copy of, by its device and inode.
func (c *container) recognise(e found) bool {
	for _, f := range c.files {
		switch {
		case f.twin == e.id && f.twin != (fileID{}):
			if f.twinName != e.name {
				// The number of a deleted copy may be a new file's.
				if head, err := headOf(e); err != nil || !isCopy(head, f.head) {
					f.twin = fileID{}
					continue
				}
			}
			f.foundAs(e)
			return true
		case f.id != e.id || f.name.gz != e.name.gz:
			continue
		case f.open == nil && e.name.compare(f.name) > 0:
			continue // the number of a deleted file is a newer one's: names of rotated files only tell of more age
		case f.open == nil && (f.name != e.name || f.size != e.size):
			// The number of a deleted file may be a new one's. One that is open isn't given away.
			head, err := headOf(e)
			if err != nil || len(head) < len(f.head) || !isSame(head, f.head) || !e.name.gz && e.size < f.offset {
				continue
			}
		}
		if f.done && f.open == nil && !e.name.gz && e.size > f.offset {
			f.done = false // it was written to after all
		}
		f.listed, f.name, f.path = true, e.name, e.path
		if !e.name.gz {
			f.size = max(f.size, e.size)
		}
		return true
	}
	return false
}

// foundAs notes a copy of the file.
func (f *file) foundAs(e found) {
	if e.name.gz && !f.listed {
		f.name.suffix = e.name.suffix // it was rotated, and is gone; the order of files has to show it
	}
	f.twin, f.twinPath, f.twinName, f.listed = e.id, e.path, e.name, true
}

func isSame(head, known []byte) bool { return string(head[:len(known)]) == string(known) }

// maxMoves bounds how many listings in a row may be taken for incomplete. It is no time: a busy worker may list seldom.
const maxMoves = 20

// retryListing is how soon a directory is listed again in which something couldn't be read.
const retryListing = time.Second

// adopt returns what is to be read of an entry that isn't known; nil for a copy of a file that is, and for what can't be read.
func (w *worker) adopt(c *container, e found, now time.Time) *file {
	head, err := headOf(e)
	if err != nil {
		c.relistAt = now.Add(retryListing) // it may have gone, or be compressed just now
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errReplaced) {
			w.warn("unreadable", "Can't read a log file; trying again.", zap.String("path", e.path), zap.Error(err))
		}
		return nil
	}
	for _, f := range c.files {
		if f.id == e.id || f.name.restart != e.name.restart || !isCopy(head, f.head) {
			continue
		}
		if e.name.gz && f.open == nil && !f.done {
			// The original went before it could be opened.
			f.id, f.path, f.name, f.listed = e.id, e.path, e.name, true
			return nil
		}
		if e.name.gz || f.listed || f.open != nil {
			f.foundAs(e)
			return nil
		}
	}
	f := &file{name: e.name, path: e.path, id: e.id, head: head, size: e.size, listed: true, grewAt: now}
	if e.name.gz {
		f.size = 0
	}
	w.resume(c, f)
	return f
}

// resume finds the checkpoint of a file: by device and inode, or by its beginning, which rotation and compression keep.
func (w *worker) resume(c *container, f *file) {
	at := slices.IndexFunc(c.stored, func(cp checkpoint) bool { return cp.id == f.id && cp.isOf(f) })
	if at < 0 {
		at = slices.IndexFunc(c.stored, func(cp checkpoint) bool { return cp.isOfCopy(f.head) })
	}
	if at < 0 {
		if c.fromEnd {
			f.offset, f.done = f.size, f.name.gz
		}
		return
	}
	cp := c.stored[at]
	if f.id != cp.id && !f.name.gz && f.size < min(cp.offsets[0], cp.offsets[1]) {
		return // it only begins like the other one
	}
	c.stored = slices.Delete(c.stored, at, at+1)
	f.skip = cp.offsets
	f.offset = min(cp.offsets[0], cp.offsets[1])
	f.cutting = cp.cutting
	for s := range f.groups {
		f.groups[s].passedOn = cp.passedOn[s]
	}
	f.done = cp.done && (f.name.gz || f.size <= f.offset)
}

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
		if !f.done {
			w.gap(c, reasonDeleted, max(f.most, f.size)-f.offset+w.abandon(f))
		}
		return true
	})
}

// openAll opens what isn't read yet, so that it can be read even when it is deleted.
func (w *worker) openAll(c *container, now time.Time) {
	for _, f := range c.files {
		if f.done || f.open != nil || !f.listed || !w.openFiles.take() {
			continue
		}
		if err := f.openFile(); err != nil {
			w.openFiles.giveBack()
			c.relistAt = now.Add(retryListing)
			if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errReplaced) {
				w.warn("unreadable", "Can't open a log file; trying again.", zap.String("path", f.path), zap.Error(err))
			}
			continue
		}
		f.grewAt = now
	}
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
