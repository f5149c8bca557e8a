// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"
	"time"

	"go.uber.org/zap"
)

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
		case f.open == nil && (f.name != e.name || e.name.gz && f.onDisk != e.size || !e.name.gz && f.size != e.size):
			// The number of a deleted file may be a new one's. One that is open isn't given away.
			head, err := headOf(e)
			if err != nil || !bytes.HasPrefix(head, f.head) || !e.name.gz && e.size < f.offset {
				continue
			}
			f.head = head
		}
		if f.done && f.open == nil && !e.name.gz && e.size > f.offset {
			f.done = false // it was written to after all
		}
		f.listed, f.name, f.path, f.onDisk = true, e.name, e.path, e.size
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

// adopt returns what is to be read of an entry that isn't known; nil for a copy of a file that is, and for what can't be read.
func (w *worker) adopt(c *container, e found, now time.Time) *file {
	head, err := headOf(e)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errReplaced) {
			c.again, c.retry, c.relistAt = true, true, now.Add(retryListing)
		} else {
			w.unreadableEntry(c, e, err, now)
		}
		return nil
	}
	for _, f := range c.files {
		if f.id == e.id || f.name.restart != e.name.restart || !isCopy(head, f.head) {
			continue
		}
		if f.open == nil && !f.done && (e.name.gz || !f.listed) {
			// The original went before it could be opened.
			f.id, f.path, f.name, f.onDisk, f.listed = e.id, e.path, e.name, e.size, true
			return nil
		}
		if e.name.gz || f.listed || f.open != nil {
			f.foundAs(e)
			// Before it was known as a copy it may have been taken for a file of its own.
			c.takeStored(func(cp *checkpoint) bool { return cp.id == e.id && cp.isUnbegun() })
			return nil
		}
	}
	f := &file{name: e.name, path: e.path, id: e.id, head: head, size: e.size, onDisk: e.size, listed: true, grewAt: now}
	if e.name.gz {
		f.size = 0
	}
	w.resume(c, f)
	return f
}

// unreadableSince is since when an entry of a directory can't be looked into, and whether that was counted as a gap.
type unreadableSince struct {
	at      time.Time
	counted bool
}

// readPatience is how long something is tried that can't be read: a compressed file may still be being written.
const readPatience = 30 * time.Second

// unreadableEntry deals with an entry that can't be looked into. It is tried for a while, then counted, and from then on tried when the directory
// is listed anyway.
func (w *worker) unreadableEntry(c *container, e found, err error, now time.Time) {
	w.warn("unreadable", "Can't read a log file; trying again.", zap.String("path", e.path), zap.Error(err))
	since, ok := c.unreadableBefore[e.id]
	if !ok {
		since.at = now
	}
	switch {
	case since.counted:
	case now.Sub(since.at) < readPatience:
		c.retry, c.relistAt = true, now.Add(retryListing)
	default:
		since.counted = true
		w.gap(c, reasonUnreadable, e.size)
	}
	if c.unreadable == nil {
		c.unreadable = map[fileID]unreadableSince{}
	}
	c.unreadable[e.id] = since
}

// resume finds the checkpoint of a file: by device and inode, or by its beginning, which rotation and compression keep.
func (w *worker) resume(c *container, f *file) {
	cp := c.takeStored(func(cp *checkpoint) bool { return cp.id == f.id && cp.isOf(f) })
	if cp == nil || cp.isUnbegun() {
		// What was there and not begun may have become the copy of a file that was.
		copied := func(cp *checkpoint) bool {
			return cp.isOfCopy(f.head) && (f.name.gz || f.size >= min(cp.offsets[0], cp.offsets[1]))
		}
		if of := c.takeStored(copied); of != nil {
			cp = of
		}
	}
	if cp == nil {
		f.fresh = true
		if c.fromEnd {
			f.offset, f.done = f.size, f.name.gz
		}
		return
	}
	f.skip = cp.offsets
	f.offset = min(cp.offsets[0], cp.offsets[1])
	f.cutting = cp.cutting
	for s := range f.groups {
		f.groups[s].rest = cp.rest[s]
	}
	f.done = cp.done && (f.name.gz && f.id == cp.id || !f.name.gz && f.size <= f.offset)
}

// takeStored removes and returns the first checkpoint of an earlier run that matches; nil if there is none.
func (c *container) takeStored(matches func(*checkpoint) bool) *checkpoint {
	for i := range c.stored {
		if cp := c.stored[i]; matches(&cp) {
			c.stored = slices.Delete(c.stored, i, i+1)
			return &cp
		}
	}
	return nil
}
