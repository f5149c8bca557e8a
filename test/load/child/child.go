// SPDX-License-Identifier: Apache-2.0

// Package child runs a program under measurement and reads what it uses from /proc (proc(5)): on other systems than Linux a
// program runs, and measuring it is an error.
package child

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

const (
	// readyTimeout bounds a start; it is long because test machines are small and share their cores with builds.
	readyTimeout = 60 * time.Second
	readyPoll    = 50 * time.Millisecond
	// stopTimeout is how long a program may take to end after SIGTERM before it is killed.
	stopTimeout = 30 * time.Second
	// logTail is how much of a log an error shows, in bytes.
	logTail = 2 << 10
)

// Command says what to run.
type Command struct {
	Name string // in errors
	Path string
	Args []string
	Env  []string // added to the environment of this process
	Log  string   // path; what the program prints is appended
	// Ready answers 200 when the program is ready; "" doesn't wait.
	Ready string
}

// Process is a running program. Its methods are for one goroutine.
type Process struct {
	name, log string
	cmd       *exec.Cmd
	exited    chan struct{}
	err       error // of Wait, after exited is closed
}

// Start starts the program in a process group of its own, and returns when it is ready, or with an error when it ends before or
// ctx does. On Linux it dies with this process, however this process dies.
func Start(ctx context.Context, c Command) (*Process, error) {
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	defer log.Close()
	p := &Process{name: c.Name, log: c.Log, cmd: exec.Command(c.Path, c.Args...), exited: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), c.Env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = attributes()
	started := make(chan error, 1)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	if c.Ready == "" {
		return p, nil
	}
	if err := p.ready(ctx, c.Ready); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// run stays on one thread until the child has ended: the kernel's parent-death signal is for the thread that started it.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.exited)
}

func (p *Process) ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("not ready after %s", readyTimeout))
	defer cancel()
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for {
		if resp, err := client.Get(url); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.exited:
			return p.Alive()
		case <-ctx.Done():
			return fmt.Errorf("%s: %w; its log ends with:\n%s", p.name, context.Cause(ctx), p.LogTail())
		case <-poll.C:
		}
	}
}

// Alive returns an error when the program has ended by itself.
func (p *Process) Alive() error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s: ended by itself: %w; its log ends with:\n%s", p.name, p.err, p.LogTail())
	default:
		return nil
	}
}

// LogTail returns the end of the program's log.
func (p *Process) LogTail() string {
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-logTail):])
}

// Stop ends the program by SIGTERM, and by SIGKILL when that doesn't help, which is an error.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-p.exited:
		return nil
	case <-timer.C:
	}
	p.Kill()
	return fmt.Errorf("%s: still ran %s after SIGTERM, killed", p.name, stopTimeout)
}

// Kill ends the program by SIGKILL.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it has ended already
	<-p.exited
}
