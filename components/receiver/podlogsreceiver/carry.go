// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"slices"
	"time"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/logline"
)

// before is the file that was written before f; nil if there is none.
func (c *container) before(f *file) *file {
	if at := slices.Index(c.files, f); at > 0 {
		return c.files[at-1]
	}
	return nil
}

// holder is the file that was read to its end and whose last lines may go on in f; nil if there is none. Its groups wait there until f is
// begun: until then another file may be found that was written in between.
func (c *container) holder(f *file) *file {
	if before := c.before(f); before != nil && before.done && f.offset == 0 && before.unfinished() {
		return before
	}
	return nil
}

// pull lets what isn't complete at the end of the file before go on in f, which is begun.
func (w *worker) pull(c *container, f *file) {
	if from := c.holder(f); from != nil {
		w.carry(c, from, f)
	}
}

// carry lets what isn't complete in one file go on in another one, unless that is another run's or was begun already.
func (w *worker) carry(c *container, from, to *file) {
	for s := range logline.Streams {
		g := &from.groups[s]
		if to.name.restart == from.name.restart && to.offset == 0 && !to.groups[s].unfinished() {
			w.spill(g)
			to.groups[s] = *g
		} else {
			w.complete(c, from, s, ended)
		}
		*g = group{}
	}
}

// overdue says whether something that isn't complete, and could go on in f, has waited for long enough.
func (c *container) overdue(f *file, now time.Time, cfg *Config) bool {
	for _, one := range []*file{c.holder(f), f} {
		if one == nil {
			continue
		}
		for i := range one.groups {
			if one.groups[i].overdue(f, now, cfg) {
				return true
			}
		}
	}
	return f.torn(now, cfg)
}

// expire passes on what has waited for too long. The file was read to its end.
func (w *worker) expire(c *container, f *file, now time.Time) {
	for _, one := range []*file{c.holder(f), f} {
		if one == nil {
			continue
		}
		for s := range logline.Streams {
			if one.groups[s].overdue(f, now, w.cfg) {
				w.complete(c, one, s, early)
				w.touch(c)
			}
		}
	}
}

// abandon forgets what was put together of a file, and returns how many bytes that was.
func (w *worker) abandon(f *file) (bytes int64) {
	for s := range f.groups {
		if g := &f.groups[s]; g.active {
			bytes += int64(len(g.content))
			w.spilled -= len(g.content)
		}
		f.groups[s] = group{}
	}
	return bytes
}

// lose passes on what was put together of a file that can't be read on, and of the file before, whose last lines may have gone on in it.
func (w *worker) lose(c *container, f *file, now time.Time) {
	for _, one := range []*file{c.holder(f), f} {
		if one == nil {
			continue
		}
		for s := range logline.Streams {
			w.complete(c, one, s, lost)
		}
	}
	w.records(c, f, nil, now)
}
