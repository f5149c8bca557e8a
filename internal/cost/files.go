// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// MaxFileBytes bounds a price file.
const MaxFileBytes = 64 << 20

// Files reads the price files and keeps the last good content of each: a file that can't be read or holds nothing good
// is reported and what was read before stays in force.
type Files struct {
	listPath, tablePath string
	mu                  sync.Mutex
	list                loaded[*PriceList]
	table               loaded[*InstanceTable]
}

type loaded[T any] struct {
	value    T
	at       time.Time         // modification time of the file
	sum      [sha256.Size]byte // of what was read last, good or bad
	problems []Problem
	err      error
}

// NewFiles names the files; an empty path means that there is none.
func NewFiles(listPath, tablePath string) *Files {
	return &Files{listPath: listPath, tablePath: tablePath}
}

// Load reads files that have changed. It returns whether any content in force changed.
func (f *Files) Load() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := load(f.listPath, &f.list, ParsePriceList)
	b := load(f.tablePath, &f.table, ParseInstanceTable)
	return a || b
}

// Apply puts what is in force into the resolver.
func (f *Files) Apply(r *Resolver) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.List, r.ListAt, r.Table = f.list.value, f.list.at, f.table.value
}

// Problems returns the bad rows of what is in force, bounded by limit, how many there are, and the errors of files that
// can't be used at all.
func (f *Files) Problems(limit int) (rows []Problem, count int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := append(append([]Problem(nil), f.list.problems...), f.table.problems...)
	return all[:min(limit, len(all))], len(all), errors.Join(f.list.err, f.table.err)
}

func load[T any](path string, l *loaded[T], parse func(string, io.Reader) (T, []Problem, error)) bool {
	if path == "" {
		return false
	}
	raw, at, err := read(path)
	if err != nil {
		l.err, l.sum = err, [sha256.Size]byte{}
		return false
	}
	sum := sha256.Sum256(raw)
	if sum == l.sum {
		return false
	}
	l.sum = sum
	v, problems, err := parse(filepath.Base(path), bytes.NewReader(raw))
	l.err, l.problems = err, problems
	if err != nil {
		return false
	}
	l.value, l.at = v, at
	return true
}

func read(path string) ([]byte, time.Time, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return nil, time.Time{}, err
	}
	raw, err := io.ReadAll(io.LimitReader(file, MaxFileBytes+1))
	if err == nil && len(raw) > MaxFileBytes {
		err = fmt.Errorf("%s: longer than %d bytes", path, MaxFileBytes)
	}
	return raw, st.ModTime(), err
}

// settle is how long a file must rest before it is read: an editor or the kubelet writes in several steps.
const settle = 50 * time.Millisecond

// Watch calls changed after every change of content until the context ends. It watches the folders, since a mounted
// ConfigMap changes by a swap of links and an editor by a rename.
func (f *Files) Watch(ctx context.Context, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	for _, path := range []string{f.listPath, f.tablePath} {
		if path == "" {
			continue
		}
		if err := w.Add(filepath.Dir(path)); err != nil {
			return fmt.Errorf("watch %s: %w", path, err)
		}
	}
	timer := time.NewTimer(settle)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case _, ok := <-w.Events:
			if !ok {
				return nil
			}
			timer.Reset(settle)
		case <-w.Errors: // an overflow: look at the files themselves
			timer.Reset(settle)
		case <-timer.C:
			// Also after an error: the caller reports problems.
			f.Load()
			changed()
		}
	}
}
