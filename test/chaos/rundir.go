// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

const runDirPrefix = "kof-chaos-"

// runDir holds everything that one run writes. Its lock is held by the run; the kernel releases it when the run dies, however it dies,
// and the next run removes what it left.
type runDir struct {
	path string
	lock *os.File
}

// newRunDir makes a folder below parent, after removing those of runs that were killed.
func newRunDir(parent string) (*runDir, error) {
	left, err := filepath.Glob(filepath.Join(parent, runDirPrefix+"*"))
	if err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	for _, path := range left {
		if lock := lockDir(path); lock != nil {
			err := errors.Join(os.RemoveAll(path), lock.Close())
			if err != nil {
				return nil, fmt.Errorf("run folder of a run that was killed: %w", err)
			}
		}
	}
	path, err := os.MkdirTemp(parent, runDirPrefix)
	if err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	lock := lockDir(path)
	if lock == nil {
		return nil, fmt.Errorf("run folder %s: can't be locked", path)
	}
	return &runDir{path: path, lock: lock}, nil
}

func (d *runDir) remove() error { return errors.Join(os.RemoveAll(d.path), d.lock.Close()) }

// keep ends the use of the folder, which gets a name that later runs pass over.
func (d *runDir) keep() error {
	kept := filepath.Join(filepath.Dir(d.path), "kept-"+filepath.Base(d.path))
	err := os.Rename(d.path, kept)
	if err == nil {
		d.path = kept
	}
	return errors.Join(err, d.lock.Close())
}

// lockDir returns nil when the folder is in use, or isn't this user's.
func lockDir(path string) *os.File {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		_ = f.Close()
		return nil
	}
	return f
}

// freePorts returns two loopback ports for a collector that is killed and started again: from below the range that the kernel takes
// ports of outgoing connections from, so that they are still free then.
func freePorts() (int, int, error) {
	const firstPort, lastPort = 20000, 29999
	var ports []int
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		if ports = append(ports, port); len(ports) == 2 {
			return ports[0], ports[1], l.Close()
		}
		defer func() { _ = l.Close() }() // after the second is chosen, so that they differ
	}
	return 0, 0, errors.New("no free loopback ports found in 1000 tries")
}
