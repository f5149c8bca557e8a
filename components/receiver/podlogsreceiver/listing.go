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

// maxListed bounds the files of one container; the kubelet keeps five by default.
const maxListed = 256

// listLogs lists a container's log files in the order in which they were written. No directory is no error: then there are no files. moved
// says that a file may be missing, or be there under the name of another one: files are being renamed.
func listLogs(dir string) (files []found, exists, moved bool, err error) {
	for range listAgain {
		if files, exists, moved, err = listOnce(dir); err != nil || !moved {
			break
		}
		time.Sleep(settleTime / (listAgain - 1))
	}
	return files, exists, moved, err
}

const (
	// listAgain bounds how often a directory is listed at once in which files move.
	listAgain = 5
	// settleTime is how long ago a directory has to have changed: the clock of files' times ticks every 1 to 10 ms.
	settleTime = 10 * time.Millisecond
)

// listOnce lists the files once. moved says that some came, went or got another name meanwhile.
func listOnce(dir string) (files []found, exists, moved bool, err error) {
	unmoved := watchMoves(dir)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, false, nil
	}
	if err != nil {
		return nil, true, false, err
	}
	for _, e := range entries {
		name, ok := parseLogName(e.Name())
		if !ok || len(files) >= maxListed {
			continue
		}
		path := filepath.Join(dir, e.Name())
		link := e.Type()&fs.ModeSymlink != 0
		file, ok := stat(path, name)
		if link && name.suffix == "" {
			rotated, alsoMoved := rotatedTargets(path, name)
			files, moved = append(files, rotated...), moved || alsoMoved
		}
		if ok {
			file.link = link
			files = append(files, file)
		}
		moved = moved || !ok && !link
	}
	slices.SortStableFunc(files, func(a, b found) int { return a.name.compare(b.name) })
	return files, true, moved || twice(files) || len(files) > 1 && !unmoved(), nil
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
		return err == nil && errAfter == nil && after.ModTime().Equal(before.ModTime()) && time.Since(after.ModTime()) > settleTime
	}
}

func stat(path string, name logName) (f found, ok bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return f, false // gone again, or a link to nothing
	}
	id, ok := idOf(info)
	return found{name: name, path: path, id: id, size: info.Size()}, ok
}

// rotatedTargets lists what the file that a link leads to was rotated into: Docker rotates in a directory of its own, which has no
// links to rotated files.
func rotatedTargets(link string, name logName) (files []found, moved bool) {
	target, err := os.Readlink(link)
	if err != nil {
		return nil, true
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(link), target)
	}
	base := filepath.Base(target)
	if base == "" || filepath.Dir(target) == filepath.Dir(link) {
		return nil, false // rotated files there are listed anyway
	}
	unmoved := watchMoves(filepath.Dir(target))
	entries, err := os.ReadDir(filepath.Dir(target))
	if err != nil {
		return nil, false
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), base)
		if !ok || rest == "" || len(files) >= maxListed {
			continue
		}
		rotated := name
		if !rotated.setSuffix(rest) {
			continue
		}
		f, ok := stat(filepath.Join(filepath.Dir(target), e.Name()), rotated)
		if ok {
			files = append(files, f)
		}
		moved = moved || !ok
	}
	return files, moved || !unmoved()
}
