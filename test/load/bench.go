// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// bench is one run of a benchmark.
type bench struct {
	options
	self   string // path of this program
	dir    string // holds all that is written
	lock   *os.File
	out    io.Writer
	missed bool
	parts  []func() error // to end, last first
}

const runDirPrefix = "kof-load-"

// newBench makes the run's folder, after removing those of runs that were killed: a run holds a lock on its folder.
func newBench(o options) (*bench, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	left, err := filepath.Glob(filepath.Join(os.TempDir(), runDirPrefix+"*"))
	if err != nil {
		return nil, err
	}
	for _, path := range left {
		if lock := lockDir(path); lock != nil {
			if err := errors.Join(os.RemoveAll(path), lock.Close()); err != nil {
				return nil, fmt.Errorf("folder of a run that was killed: %w", err)
			}
		}
	}
	b := &bench{options: o, self: self, out: os.Stdout}
	if b.dir, err = os.MkdirTemp("", runDirPrefix); err != nil {
		return nil, err
	}
	if b.lock = lockDir(b.dir); b.lock == nil {
		return nil, fmt.Errorf("%s can't be locked", b.dir)
	}
	return b, nil
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

func (b *bench) join(name string) string { return filepath.Join(b.dir, name) }

// atEnd calls part when the run ends, before those that were named earlier.
func (b *bench) atEnd(part func() error) { b.parts = append(b.parts, part) }

// end ends all parts and removes the folder; it returns an error when the run is strict and missed a target.
func (b *bench) end() error {
	var err error
	for i := len(b.parts) - 1; i >= 0; i-- {
		err = errors.Join(err, b.parts[i]())
	}
	if b.keep {
		kept := filepath.Join(filepath.Dir(b.dir), "kept-"+filepath.Base(b.dir))
		err = errors.Join(err, os.Rename(b.dir, kept))
		fmt.Fprintf(os.Stderr, "kept %s\n", kept)
	} else {
		err = errors.Join(err, os.RemoveAll(b.dir))
	}
	err = errors.Join(err, b.lock.Close())
	if b.strict && b.missed {
		err = errors.Join(err, errors.New("a target was missed"))
	}
	return err
}

// target prints whether a figure is at most its target.
func (b *bench) target(what string, got, atMost float64, unit string) {
	b.judge(what, got, "at most", atMost, unit, got <= atMost)
}

// targetAtLeast prints whether a figure is at least its target.
func (b *bench) targetAtLeast(what string, got, atLeast float64, unit string) {
	b.judge(what, got, "at least", atLeast, unit, got >= atLeast)
}

func (b *bench) judge(what string, got float64, comparison string, target float64, unit string, met bool) {
	verdict := "met"
	if !met {
		verdict, b.missed = "MISSED", true
	}
	fmt.Fprintf(b.out, "%s: %.4g %s, target %s %.4g: %s\n", what, got, unit, comparison, target, verdict)
}

// note tells someone who watches what goes on.
func (b *bench) note(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// freePort returns a loopback port from below the range that the kernel takes ports of outgoing connections from.
func freePort() (int, error) {
	const firstPort, lastPort = 20000, 29999
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free loopback port found in 1000 tries")
}

func freePorts(n int) ([]int, error) {
	ports := make([]int, n)
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	return ports, nil
}

// sleep waits, or returns why ctx ended first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// diskUse returns what the files below a folder take on disk, in bytes.
func diskUse(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed meanwhile
			}
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil // removed meanwhile
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			sum += stat.Blocks * 512 // the unit of st_blocks (stat(2))
		}
		return nil
	})
	return sum, err
}

var webClient = &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}

// get returns the body that a URL gives.
func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := webClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	return body, err
}
