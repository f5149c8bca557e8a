// SPDX-License-Identifier: Apache-2.0

package podlogs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// keepRotated is how many rotated files stay, as the kubelet's containerLogMaxFiles of 5 leaves four.
const keepRotated = 4

// file is the current log file of a container, restart count 0.
type file struct {
	dir     string
	f       *os.File
	size    int64
	maxSize int64
}

func openFile(dir string, maxSize int64) (*file, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("pod log folder: %w", err)
	}
	l := &file{dir: dir, maxSize: maxSize}
	if err := l.create(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *file) create() error {
	f, err := os.OpenFile(l.path(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("pod log file: %w", err)
	}
	l.f, l.size = f, 0
	return nil
}

func (l *file) path() string { return filepath.Join(l.dir, "0.log") }

// write appends one record, which may be several lines, and rotates the file when it has reached its size.
func (l *file) write(record []byte, now time.Time) error {
	n, err := l.f.Write(record)
	l.size += int64(n)
	if err != nil {
		return fmt.Errorf("pod log file: %w", err)
	}
	if l.size < l.maxSize {
		return nil
	}
	return l.rotate(now)
}

// rotate renames the file to 0.log.<time> and begins a new one. The time has a resolution of one second, as the
// kubelet's has; a second rotation within that second waits for the next record, because it would overwrite the first.
func (l *file) rotate(now time.Time) error {
	rotated := l.path() + "." + now.UTC().Format("20060102-150405")
	if _, err := os.Lstat(rotated); err == nil {
		return nil
	}
	if err := os.Rename(l.path(), rotated); err != nil {
		return fmt.Errorf("pod log rotation: %w", err)
	}
	if err := l.f.Close(); err != nil {
		return fmt.Errorf("pod log rotation: %w", err)
	}
	if err := l.create(); err != nil {
		return err
	}
	return l.prune()
}

// prune removes all but the newest rotated files.
func (l *file) prune() error {
	rotated, err := filepath.Glob(l.path() + ".*")
	if err != nil {
		return fmt.Errorf("pod log rotation: %w", err)
	}
	slices.Sort(rotated)
	var errs []error
	for len(rotated) > keepRotated {
		errs = append(errs, os.Remove(rotated[0]))
		rotated = rotated[1:]
	}
	return errors.Join(errs...)
}

func (l *file) close() error { return l.f.Close() }
