// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"os"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/logline"
)

// container is one container's logs. Its worker alone uses it.
type container struct {
	id    containerID
	key   string
	dir   string
	rule  *workload // nil: none
	limit limiter

	// unreadable are the entries of the last listing that can't be looked into, unreadableBefore those of the one before.
	unreadable, unreadableBefore map[fileID]unreadableSince

	files  []*file      // in the order in which they are read
	stored []checkpoint // of an earlier run, for which no file was found yet

	fromEnd bool // its files were there at the first start of all, and are to be begun at their ends
	relist  bool // something changed in the directory
	// relistAt is when to list the directory although nothing changed; zero: not at all.
	relistAt time.Time
	// missedAt is since when files are missed that an earlier run began to read.
	missedAt time.Time
	moves    int  // listings in a row during which files were being renamed, so that one may not have been seen
	beyond   bool // it has had more files than are listed
	again    bool // something went just when it was to be looked into
	retry    bool // something couldn't be listed or looked into, and is tried again
	gone     bool // the directory is gone
	queued   bool // in its worker's ring
	linked   bool // its file is a symbolic link, whose changes inotify doesn't tell
	dirty    bool // its checkpoints aren't stored yet

	slots [logline.Streams]slot
}

// slot is where a container's records of one stream go in the batch with this number.
type slot struct {
	batch   uint64
	restart int
	records plog.LogRecordSlice
}

// sort brings the files into the order in which they were written.
func (c *container) sort() {
	slices.SortStableFunc(c.files, func(a, b *file) int { return a.name.compare(b.name) })
}

// current is the file to read: the oldest that isn't done; nil if there is none that is open. None is begun while an older one is missed
// that may only have been moved, or can't be opened for a while, since the first lines may go on with its last one.
func (c *container) current(now time.Time) *file {
	missed := c.misses() && now.Sub(c.missedAt) < openPatience || c.moving()
	for _, since := range c.unreadable {
		missed = missed || now.Sub(since.at) < openPatience
	}
	for _, f := range c.files {
		switch {
		case f.done:
		case f.open == nil:
			missed = missed || !f.listed || now.Sub(f.unopened) < openPatience
		case missed && f.offset == 0:
			return nil
		default:
			return f
		}
	}
	return nil
}

// openPatience is how long newer files wait for one that can't be opened.
const openPatience = 5 * time.Second

// next returns the file that was written after f; nil if there is none.
func (c *container) next(f *file) *file {
	if at := slices.Index(c.files, f); at >= 0 && at+1 < len(c.files) {
		return c.files[at+1]
	}
	return nil
}

// lag is how many bytes are known to be there and not read.
func (c *container) lag() int64 {
	var sum int64
	for _, f := range c.files {
		if !f.done {
			sum += max(0, f.size-f.offset)
		}
	}
	return sum
}

// finished says that nothing will come any more.
func (c *container) finished() bool {
	return c.gone && !slices.ContainsFunc(c.files, func(f *file) bool { return !f.done || f.open != nil })
}

// checkpoints are those of all files, given that what was read has been taken.
func (c *container) checkpoints() []checkpoint {
	list := make([]checkpoint, 0, len(c.files)+len(c.stored))
	for i, f := range c.files {
		cp := checkpoint{id: f.id, headSize: len(f.head), hash: hashOf(f.head), size: f.size, cutting: f.cutting, done: f.done, beyond: c.beyond}
		for s := range cp.offsets {
			cp.offsets[s], cp.rest[s] = c.takenTo(i, logline.Stream(s))
			cp.offsets[s] = max(f.skip[s], cp.offsets[s])
			cp.done = cp.done && cp.offsets[s] == f.offset
		}
		if min(cp.offsets[0], cp.offsets[1]) < f.offset {
			cp.cutting = notCutting // it is cut again when the line is read again
		}
		if f.name.gz && cp.done {
			cp.size = f.onDisk
		}
		list = append(list, cp)
	}
	return append(list, c.stored...)
}

// takenTo is where the first line of a stream begins in file i that isn't part of a whole record yet, and whether it is the rest of one that was.
func (c *container) takenTo(i int, s logline.Stream) (int64, remainder) {
	at := c.files[i]
	for _, f := range c.files[i:] {
		switch g := &f.groups[s]; {
		case !g.active:
		case g.file == at && g.piece:
			return g.offset, restFollows
		case g.file == at:
			return g.offset, noRest
		case slices.Contains(c.files[:i], g.file): // it goes on from a file before
			return 0, noRest
		}
	}
	return at.offset, at.groups[s].rest
}

// needs says whether a record is being put together that begins in file f.
func (c *container) needs(f *file) bool {
	return slices.ContainsFunc(c.files, func(other *file) bool {
		for s := range other.groups {
			if g := &other.groups[s]; g.active && g.file == f {
				return true
			}
		}
		return false
	})
}

// superseded says that no more will be written to a file.
func (c *container) superseded(f *file) bool {
	return c.next(f) != nil || !f.listed && c.gone
}

// limiter bounds the records of one container per second. The zero value bounds nothing.
type limiter struct {
	lines, bytes         float64 // per second; 0: no bound
	linesLeft, bytesLeft float64
	at                   time.Time
}

func newLimiter(cfg RateLimitConfig) limiter {
	l := limiter{lines: float64(cfg.LinesPerSecond), bytes: float64(cfg.BytesPerSecond)}
	l.linesLeft, l.bytesLeft = l.lines, l.bytes
	return l
}

// refill gives what the time since the last refill brings, up to a second's worth.
func (l *limiter) refill(now time.Time) {
	if passed := now.Sub(l.at).Seconds(); passed > 0 {
		l.linesLeft = min(l.lines, l.linesLeft+passed*l.lines)
		l.bytesLeft = min(l.bytes, l.bytesLeft+passed*l.bytes)
		l.at = now
	}
}

// allow says whether a record may pass. A record may take more bytes than are left, which later ones then lack.
func (l *limiter) allow(bytes int) bool {
	if l.lines > 0 && l.linesLeft < 1 || l.bytes > 0 && l.bytesLeft <= 0 {
		return false
	}
	l.linesLeft--
	l.bytesLeft -= float64(bytes)
	return true
}

// relinked says whether another file than the one that is read stands behind a symbolic link.
func (c *container) relinked() bool {
	for i := len(c.files) - 1; i >= 0; i-- {
		if f := c.files[i]; f.name.suffix == "" {
			info, err := os.Stat(f.path)
			if err != nil {
				return f.listed
			}
			id, ok := idOf(info)
			return ok && id != f.id
		}
	}
	return false
}
