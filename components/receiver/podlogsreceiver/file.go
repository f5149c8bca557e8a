// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/logline"
)

// headSize is how much of a file's beginning it is known by, in bytes.
const headSize = 1024

// file is one log file of a container. Its worker alone uses it.
type file struct {
	name logName
	path string // where it was last seen
	id   fileID
	head []byte // its first bytes, up to headSize, as far as they were written
	// headListed says that the directory was listed since it began with head, so that copies of what it held before are known.
	headListed bool

	open *os.File
	gz   *unzipper // of compressed files that are open

	size int64 // as last seen; for compressed files what was read of it
	// changed is when it was last written to, as last seen; touched, that it was since it was last read.
	changed int64
	touched bool
	most    int64 // the largest size that was seen
	onDisk  int64 // when it was listed, compressed as it is
	offset  int64 // of the next line to read, in bytes of content
	// skip are offsets before which the lines of a stream were taken before a restart.
	skip    [logline.Streams]int64
	cutting cutting
	// groups are the records that are being put together of this file's lines, and of those before if they go on in this file.
	groups [logline.Streams]group

	listed bool      // its directory, or that of its compressed copy, has it
	fresh  bool      // found in the last listing, without a checkpoint
	done   bool      // read to its end, which won't move
	doneAt time.Time // since when
	// missedAt is since when no listing has it, although it isn't open; zero: the last one has.
	missedAt time.Time
	unopened time.Time // since when it couldn't be opened; zero: it could
	grewAt   time.Time // when size was last seen to change
	endedAt  time.Time // since when there is nothing to read; zero: there is

	// twin is a copy of this file: compressed, or by a rotation that copies and truncates.
	twin     fileID
	twinPath string
	twinName logName
}

// unzipper reads a compressed file from its beginning on.
type unzipper struct {
	*gzip.Reader
	at   int64  // how much was read, without back
	back []byte // what was read but not used
}

// openFile opens the file and reads its head if that isn't known.
func (f *file) openFile() error {
	opened, err := os.Open(f.path)
	if err != nil {
		return err
	}
	info, err := opened.Stat()
	if err != nil {
		return errors.Join(err, opened.Close())
	}
	if id, ok := idOf(info); !ok || id != f.id || !info.Mode().IsRegular() {
		return errors.Join(errReplaced, opened.Close())
	}
	f.open = opened
	if f.name.gz {
		zipped, err := gzip.NewReader(opened)
		if err != nil {
			f.close()
			return err
		}
		f.gz = &unzipper{Reader: zipped}
		return nil
	}
	f.size = info.Size()
	f.most = max(f.most, f.size)
	f.unchanged()
	return nil
}

var errReplaced = errors.New("another file has taken its place")

func (f *file) close() {
	if f.open != nil {
		_ = f.open.Close() // nothing was written
		f.open, f.gz = nil, nil
	}
}

// read reads content from offset on. It returns less than fits only at the end of the file, or with an error; what comes with an error is
// content too.
func (f *file) read(buf []byte) (int, error) {
	if f.gz == nil {
		n, err := f.open.ReadAt(buf, f.offset)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return n, err
	}
	if ahead := f.offset - f.gz.at; ahead > 0 {
		n, err := io.CopyN(io.Discard, f.gz, ahead)
		f.gz.at += n
		if errors.Is(err, io.EOF) {
			return 0, nil // all of it was read before
		}
		if err != nil {
			return 0, err
		}
	}
	n := copy(buf, f.gz.back)
	f.gz.back = f.gz.back[:0]
	var err error
	for n < len(buf) && err == nil {
		var more int
		more, err = f.gz.Read(buf[n:])
		n += more
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	f.gz.at += int64(n)
	f.size = max(f.size, f.gz.at)
	return n, err
}

// seen notes the size and the time of the last change.
func (f *file) seen(size, changed int64, now time.Time) {
	f.size, f.changed, f.grewAt = size, changed, now
	f.most = max(f.most, size)
}

// unfinished says whether lines may come that belong to one of this file.
func (f *file) unfinished() bool {
	for i := range f.groups {
		if f.groups[i].unfinished() {
			return true
		}
	}
	return false
}

// torn says whether a line without its newline has waited for long enough.
func (f *file) torn(now time.Time, cfg *Config) bool {
	return f.size > f.offset && now.Sub(f.grewAt) >= cfg.IncompleteTimeout
}

// use says how much was used of what read gave.
func (f *file) use(buf []byte, used int) {
	f.offset += int64(used)
	if f.gz != nil {
		f.gz.back = append(f.gz.back[:0], buf[used:]...)
		f.gz.at -= int64(len(buf) - used)
	}
}

// unchanged says whether the file still begins as it did, and learns more of its beginning. After a read it means that what was
// read is what followed.
func (f *file) unchanged() bool {
	if f.gz != nil {
		return true
	}
	var buf [headSize]byte
	n, err := f.open.ReadAt(buf[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return true // reading on will tell
	}
	if !bytes.HasPrefix(buf[:n], f.head) {
		return false
	}
	if n > len(f.head) {
		f.head = append(f.head, buf[len(f.head):n]...)
	}
	return true
}

// headOf reads the first bytes of a file's content.
func headOf(e found) ([]byte, error) {
	f, err := os.Open(e.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if id, ok := idOf(info); !ok || id != e.id {
		return nil, errReplaced
	}
	var r io.Reader = f
	if e.name.gz {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, err
		}
	}
	buf := make([]byte, headSize)
	n, err := io.ReadFull(r, buf)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return buf[:n], err
}

// isCopy says that a file which begins with head has the content of one that begins with known. What it trusts in is the time of the
// first line, so that it only knows lines of the runtimes' formats.
func isCopy(head, known []byte) bool {
	n := min(len(head), len(known))
	return n >= minHead && bytes.Equal(head[:n], known[:n]) && logline.HasTime(known[:n])
}

// minHead holds the time of a line in CRI format, to the nanosecond.
const minHead = 40
