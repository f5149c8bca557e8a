// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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

// listLogs lists a container's log files in the order in which they were written. No directory is no error: then there are no files.
func listLogs(dir string) (files []found, exists bool, err error) {
	for range 5 {
		var moved bool
		if files, exists, moved, err = listOnce(dir); err != nil || !moved {
			break
		}
		// A file that was renamed or compressed just now may be there under neither name.
	}
	return files, exists, err
}

// listOnce lists the files once. moved says that some went meanwhile.
func listOnce(dir string) (files []found, exists, moved bool, err error) {
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
			files = append(files, rotatedTargets(path, name)...)
		}
		if ok {
			file.link = link
			files = append(files, file)
		}
		moved = moved || !ok && !link
	}
	slices.SortStableFunc(files, func(a, b found) int { return a.name.compare(b.name) })
	return files, true, moved, nil
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
func rotatedTargets(link string, name logName) []found {
	target, err := os.Readlink(link)
	if err != nil {
		return nil
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(link), target)
	}
	base := filepath.Base(target)
	if base == "" || filepath.Dir(target) == filepath.Dir(link) {
		return nil // rotated files there are listed anyway
	}
	entries, err := os.ReadDir(filepath.Dir(target))
	if err != nil {
		return nil
	}
	var files []found
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), base)
		if !ok || rest == "" || len(files) >= maxListed {
			continue
		}
		rotated := name
		if !rotated.setSuffix(rest) {
			continue
		}
		if f, ok := stat(filepath.Join(filepath.Dir(target), e.Name()), rotated); ok {
			files = append(files, f)
		}
	}
	return files
}
