// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bytes"
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
	readyPoll    = 20 * time.Millisecond
	// stopTimeout bounds how long a collector may take to end by SIGTERM.
	stopTimeout = 30 * time.Second
)

// Collector is one collector, which may be started several times, one after the other.
type Collector struct {
	Binary string
	Config string // path
	Log    string // path; each start appends
	OTLP   string // base URL of its OTLP/HTTP receiver
	Metric string // URL of its own metrics

	running *process
}

// process is one life of it.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // of Wait, after exited is closed
}

var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// Start starts the collector and returns when it takes data, or with an error when it ends before or ctx does.
func (c *Collector) Start(ctx context.Context) error {
	if err := c.Launch(); err != nil {
		return err
	}
	if err := c.ready(ctx, c.running); err != nil {
		c.Kill()
		return err
	}
	return nil
}

// Launch starts the collector's process and returns at once.
func (c *Collector) Launch() error {
	if c.running != nil {
		return errors.New("collector: runs already")
	}
	log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("collector: %w", err)
	}
	defer log.Close()
	p := &process{cmd: exec.Command(c.Binary, "--config", c.Config), exited: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	// Ctrl-C is for the harness alone, and the collector dies with it.
	p.cmd.SysProcAttr = attributes()
	started := make(chan error, 1)
	go p.run(started)
	if err := <-started; err != nil {
		return fmt.Errorf("collector: %w", err)
	}
	c.running = p
	return nil
}

// run stays on one thread until the child has ended: the kernel's parent-death signal is for the thread that started it.
func (p *process) run(started chan<- error) {
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

// ready waits until the OTLP receiver takes an empty request: receivers start last.
func (c *Collector) ready(ctx context.Context, p *process) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("not ready after %s", readyTimeout))
	defer cancel()
	poll := time.NewTicker(readyPoll)
	defer poll.Stop()
	for {
		if post(ctx, c.OTLP+"/v1/logs") == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("collector: ended before it was ready: %w", p.err)
		case <-ctx.Done():
			return fmt.Errorf("collector: %w", context.Cause(ctx))
		case <-poll.C:
		}
	}
}

func post(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(nil))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// Kill ends the collector by SIGKILL.
func (c *Collector) Kill() {
	if c.running == nil {
		return
	}
	_ = c.running.cmd.Process.Kill() // it has ended already
	<-c.running.exited
	c.running = nil
}

// Stop ends the collector by SIGTERM. It is an error when that doesn't work, or when the collector had ended by itself.
func (c *Collector) Stop() error {
	p := c.running
	if p == nil {
		return nil
	}
	defer c.Kill()
	if err := c.Alive(); err != nil {
		return err
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("collector: %w", err)
	}
	select {
	case <-p.exited:
		if p.err != nil {
			return fmt.Errorf("collector: ended by SIGTERM: %w", p.err)
		}
		return nil
	case <-time.After(stopTimeout):
		return fmt.Errorf("collector: still runs %s after SIGTERM", stopTimeout)
	}
}

// Alive returns an error when the collector has ended by itself.
func (c *Collector) Alive() error {
	if c.running == nil {
		return errors.New("collector: doesn't run")
	}
	select {
	case <-c.running.exited:
		return fmt.Errorf("collector: ended by itself: %w", c.running.err)
	default:
		return nil
	}
}

// PID is the ID of the running process; 0 when there is none.
func (c *Collector) PID() int {
	if c.running == nil {
		return 0
	}
	return c.running.cmd.Process.Pid
}
