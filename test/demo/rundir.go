// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const runDirPrefix = "kof-demo-"

// runDir holds everything that one run writes. Its lock is held by the run; the kernel releases it when the run dies, and
// the next run removes what it left.
type runDir struct {
	path string
	keep bool
	lock *os.File
}

// newRunDir makes a folder below parent, after removing those of runs that were killed.
func newRunDir(parent string, keep bool) (*runDir, error) {
	if err := removeAbandoned(parent); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(parent, runDirPrefix)
	if err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	lock, err := lockDir(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("run folder: %w", err), os.RemoveAll(path))
	}
	if lock == nil {
		return nil, fmt.Errorf("run folder %s is in use", path)
	}
	return &runDir{path: path, keep: keep, lock: lock}, nil
}

func (d *runDir) join(name string) string { return filepath.Join(d.path, name) }

// remove ends the use of the folder. A kept one gets a name that removeAbandoned passes over.
func (d *runDir) remove() error {
	defer func() { _ = d.lock.Close() }()
	if d.keep {
		kept := filepath.Join(filepath.Dir(d.path), "kept-"+filepath.Base(d.path))
		if err := os.Rename(d.path, kept); err != nil {
			return fmt.Errorf("run folder: %w", err)
		}
		d.path = kept
		return nil
	}
	if err := os.RemoveAll(d.path); err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	return nil
}

// lockDir returns nil without an error when another process holds the lock.
func lockDir(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	closeErr := f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, closeErr
	}
	return nil, errors.Join(err, closeErr)
}

func removeAbandoned(parent string) error {
	paths, err := filepath.Glob(filepath.Join(parent, runDirPrefix+"*"))
	if err != nil {
		return fmt.Errorf("run folder: %w", err)
	}
	for _, path := range paths {
		// Another user's folder, or one that is just going: neither concerns this run.
		lock, err := lockDir(path)
		if err != nil || lock == nil {
			continue
		}
		err = os.RemoveAll(path)
		if err = errors.Join(err, lock.Close()); err != nil {
			return fmt.Errorf("run folder of a demo that was killed: %w", err)
		}
	}
	return nil
}
