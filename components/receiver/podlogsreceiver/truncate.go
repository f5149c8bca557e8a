// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"slices"
	"time"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/logline"
)

// dropTwin finds out that a new file is a copy of another one, which couldn't be seen while it was empty.
func (w *worker) dropTwin(c *container, f *file, now time.Time) bool {
	for _, other := range c.files {
		if other != f && other.name.restart == f.name.restart && isCopy(f.head, other.head) {
			other.twin, other.twinPath, other.twinName = f.id, f.path, f.name
			w.carry(c, f, other)
			w.records(c, f, nil, now)
			w.closeFile(f)
			c.files = slices.DeleteFunc(c.files, func(one *file) bool { return one == f })
			return true
		}
	}
	return false
}

// findTwin finds out that one of the new files is a copy of f, which couldn't be seen while it was empty.
func (w *worker) findTwin(c *container, f *file, now time.Time) {
	for _, copied := range c.files {
		if copied != f && copied.offset == 0 && copied.name.restart == f.name.restart && copied.open != nil && copied.unchanged() && isCopy(copied.head, f.head) {
			w.dropTwin(c, copied, now)
			return
		}
	}
}

// findTruncated looks for a file that was cut and written anew, and deals with it: a new file may be a copy of what was written after that.
func (w *worker) findTruncated(c *container, now time.Time) bool {
	for _, f := range c.files {
		if f.open == nil || f.gz != nil {
			continue
		}
		if size, _, err := sizeOf(f.open); err == nil && size < f.offset || !f.unchanged() {
			w.truncated(c, f, now)
			return true
		}
	}
	return false
}

// truncated deals with a file that was cut and written anew. What wasn't read of it is in a copy, if whoever cut it made one.
func (w *worker) truncated(c *container, f *file, now time.Time) {
	w.list(c, now)
	if f.twin == (fileID{}) {
		w.findTwin(c, f, now)
	}
	if f.twin != (fileID{}) && f.twinName.restart == f.name.restart {
		copied := &file{
			name: f.twinName, path: f.twinPath, id: f.twin, head: slices.Clone(f.head), size: f.most, most: f.most, offset: f.offset, skip: f.skip,
			cutting: f.cutting, groups: f.groups, listed: true, grewAt: now,
		}
		for i := range copied.groups {
			if copied.groups[i].file == f {
				copied.groups[i].file = copied
			}
		}
		c.files = append(c.files, copied)
		c.sort() // more than one copy may have been made
	} else {
		if unread := f.most - f.offset; unread > 0 || f.offset > 0 {
			w.lose(c, f, now)
			if unread > 0 {
				w.gap(c, reasonTruncated, unread)
			}
		}
	}
	f.head, f.headListed, f.offset, f.size, f.most = nil, false, 0, 0, 0
	f.skip, f.groups = [logline.Streams]int64{}, [logline.Streams]group{}
	f.cutting, f.twin, f.twinPath, f.endedAt = notCutting, fileID{}, "", time.Time{}
	f.unchanged()
	w.openAll(c, now)
	w.touch(c)
}
