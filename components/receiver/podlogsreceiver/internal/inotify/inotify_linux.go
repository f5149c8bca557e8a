// SPDX-License-Identifier: Apache-2.0

// Package inotify tells when the entries of directories change: created, renamed, deleted. It doesn't tell of writes to files, which
// is why it isn't fsnotify: that asks the kernel for them too, and gets an event for each line that a container logs.
package inotify

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"unsafe"
)

// Watcher watches directories. Add and Remove may be called from several goroutines, Next from one.
type Watcher struct {
	fd   int
	file *os.File // the same descriptor, with a Read that Close ends
	buf  []byte
	rest []byte // events of the last read

	mu    sync.Mutex
	paths map[int]string
	wds   map[string]int
}

const mask = syscall.IN_CREATE | syscall.IN_MOVED_FROM | syscall.IN_MOVED_TO | syscall.IN_DELETE | syscall.IN_ONLYDIR

// New returns a watcher without directories.
func New() (*Watcher, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_CLOEXEC | syscall.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("inotify: %w", err)
	}
	return &Watcher{
		fd: fd, file: os.NewFile(uintptr(fd), "inotify"), buf: make([]byte, 64<<10), paths: map[int]string{}, wds: map[string]int{},
	}, nil
}

// Add watches a directory; one that is watched already is no error.
func (w *Watcher) Add(dir string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	wd, err := syscall.InotifyAddWatch(w.fd, dir, mask)
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("inotify: the user's watches are used up; raise fs.inotify.max_user_watches: %w", err)
	}
	if err != nil {
		return fmt.Errorf("inotify: %s: %w", dir, err)
	}
	w.paths[wd], w.wds[dir] = dir, wd
	return nil
}

// Remove ends watching a directory.
func (w *Watcher) Remove(dir string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if wd, ok := w.wds[dir]; ok {
		_, _ = syscall.InotifyRmWatch(w.fd, uint32(wd)) // a directory that is gone has no watch any more
		w.forget(wd)
	}
}

func (w *Watcher) forget(wd int) {
	if dir, ok := w.paths[wd]; ok {
		delete(w.paths, wd)
		if w.wds[dir] == wd {
			delete(w.wds, dir)
		}
	}
}

// Event is a change in a directory.
type Event struct {
	Dir string
	// Overflow says that changes were missed, in any directory.
	Overflow bool
}

// Next waits for the next event. It returns an error after Close.
func (w *Watcher) Next() (Event, error) {
	for {
		for len(w.rest) >= syscall.SizeofInotifyEvent {
			raw := (*syscall.InotifyEvent)(unsafe.Pointer(&w.rest[0])) // the kernel's struct, aligned by it
			w.rest = w.rest[syscall.SizeofInotifyEvent+int(raw.Len):]
			if raw.Mask&syscall.IN_Q_OVERFLOW != 0 {
				return Event{Overflow: true}, nil
			}
			w.mu.Lock()
			dir, ok := w.paths[int(raw.Wd)]
			if raw.Mask&syscall.IN_IGNORED != 0 {
				w.forget(int(raw.Wd))
			}
			w.mu.Unlock()
			if ok {
				return Event{Dir: filepath.Clean(dir)}, nil
			}
		}
		n, err := w.file.Read(w.buf)
		if err != nil {
			return Event{}, err
		}
		w.rest = w.buf[:n]
	}
}

// Close ends the watcher, and Next.
func (w *Watcher) Close() error {
	w.mu.Lock()
	w.fd = -1 // the number may soon be another file's
	w.mu.Unlock()
	return w.file.Close()
}
