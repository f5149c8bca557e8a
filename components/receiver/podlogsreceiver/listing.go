// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// found is a log file in a container's directory.
type found struct {
	name logName
	path string
	id   fileID
	size int64
	link bool // path is a symbolic link to it
}

// listing is what a container's directory holds.
type listing struct {
	files  []found // in the order in which they were written
	beyond []found // older ones than maxListed; their sizes aren't known
	exists bool    // the directory
	// moved says that a file may be missing, or be there under the name of another one: files are being renamed.
	moved bool
}

// maxListed bounds the files of one container; the kubelet keeps five by default, of two runs.
const maxListed = 1024

// listLogs lists a container's log files. No directory is no error: then there are no files.
func listLogs(dir string) (l listing, err error) {
	for range listAgain {
		if l, err = listOnce(dir); err != nil || !l.moved {
			break
		}
		time.Sleep(settleTime / (listAgain - 1))
	}
	return l, err
}

const (
	// listAgain bounds how often a directory is listed at once in which files move.
	listAgain = 5
	// settleTime is how long ago a directory has to have changed, or how far ahead, if the clock was set back. The clock of files' times ticks every
	// 1 to 10 ms.
	settleTime = 10 * time.Millisecond
)

func listOnce(dir string) (l listing, err error) {
	unmoved := watchMoves(dir)
	names, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	l.exists = true
	if err != nil {
		return l, err
	}
	var entries []found
	for _, n := range names {
		name, ok := parseLogName(n.Name())
		if !ok || n.IsDir() {
			continue
		}
		e := found{name: name, path: filepath.Join(dir, n.Name()), link: n.Type()&fs.ModeSymlink != 0}
		if e.link && name.suffix == "" {
			rotated, moved := rotatedTargets(e)
			entries, l.moved = append(entries, rotated...), l.moved || moved
		}
		entries = append(entries, e)
	}
	slices.SortStableFunc(entries, func(a, b found) int { return a.name.compare(b.name) })
	if n := len(entries) - maxListed; n > 0 {
		l.beyond, entries = entries[:n:n], entries[n:]
	}
	for _, e := range entries {
		if e.stat() {
			l.files = append(l.files, e)
		} else {
			l.moved = l.moved || !e.link // a link may lead to nothing
		}
	}
	l.moved = l.moved || twice(l.files) || len(l.files) > 1 && !unmoved()
	return l, nil
}

// twice says whether a file is there under two names: it was renamed while names were looked up.
func twice(files []found) bool {
	for i := range files {
		if slices.ContainsFunc(files[:i], func(f found) bool { return f.id == files[i].id }) {
			return true
		}
	}
	return false
}

// watchMoves returns a function that says whether no file of a directory came, went or got another name since.
func watchMoves(dir string) func() bool {
	before, err := os.Stat(dir)
	return func() bool {
		after, errAfter := os.Stat(dir)
		return err == nil && errAfter == nil && after.ModTime().Equal(before.ModTime()) && time.Since(after.ModTime()).Abs() > settleTime
	}
}

// stat completes an entry of a directory. It is false when that is gone again, a link to nothing, or no file.
func (e *found) stat() bool {
	info, err := os.Stat(e.path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	id, ok := idOf(info)
	e.id, e.size = id, info.Size()
	return ok
}

// rotatedTargets lists what the file that a link leads to was rotated into: Docker rotates in a directory of its own, which has no
// links to rotated files.
func rotatedTargets(link found) (entries []found, moved bool) {
	target, err := os.Readlink(link.path)
	if err != nil {
		return nil, true
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(link.path), target)
	}
	dir, base := filepath.Split(target)
	if base == "" || filepath.Clean(dir) == filepath.Dir(link.path) {
		return nil, false // rotated files there are listed anyway
	}
	unmoved := watchMoves(dir)
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, false
	}
	for _, n := range names {
		rest, ok := strings.CutPrefix(n.Name(), base)
		e := found{name: link.name, path: filepath.Join(dir, n.Name())}
		if ok && rest != "" && e.name.setSuffix(rest) {
			entries = append(entries, e)
		}
	}
	return entries, !unmoved()
}
