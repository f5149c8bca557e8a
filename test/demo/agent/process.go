// SPDX-License-Identifier: Apache-2.0

// Package agent runs one kof-otelcol and reads its own metrics.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// stopAfter is how long an agent that was asked to end may take before it is killed.
const stopAfter = 20 * time.Second

// Config says what to run.
type Config struct {
	// Binary is the path of kof-otelcol.
	Binary string
	// Configs are the configuration files, merged in this order.
	Configs []string
	// Env is added to the environment of this process, of which the variables KOF_* are left out.
	Env []string
	// HealthURL answers 200 when the agent is ready, MetricsURL serves its own metrics.
	HealthURL  string
	MetricsURL string
	// Log takes what the agent prints.
	Log io.Writer
}

// Process is a running agent.
type Process struct {
	cfg    Config
	cmd    *exec.Cmd
	exited chan struct{}
	err    error
}

// Start starts the agent and returns when it is ready, or with an error when it ends before, or when ctx does.
// On Linux the agent dies with this process, however this process dies.
func Start(ctx context.Context, cfg Config) (*Process, error) {
	p := &Process{cfg: cfg, exited: make(chan struct{})}
	var args []string
	for _, c := range cfg.Configs {
		args = append(args, "--config", c)
	}
	p.cmd = exec.Command(cfg.Binary, args...)
	p.cmd.Env = cfg.Env
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "KOF_") {
			p.cmd.Env = append(p.cmd.Env, kv)
		}
	}
	p.cmd.Stdout, p.cmd.Stderr = cfg.Log, cfg.Log
	p.cmd.SysProcAttr = attributes()
	started := make(chan error, 1)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("agent: %w", err)
	}
	if err := p.ready(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// run stays on one thread from start to end, because Pdeathsig is sent when the thread that started the child ends.
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

func (p *Process) ready(ctx context.Context) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		resp, err := client.Get(p.cfg.HealthURL)
		if err == nil {
			code := resp.StatusCode
			if err := resp.Body.Close(); err == nil && code == http.StatusOK {
				return nil
			}
		}
		select {
		case <-p.exited:
			return fmt.Errorf("agent: ended before it was ready: %w", p.err)
		case <-ctx.Done():
			return fmt.Errorf("agent: not ready: %w", context.Cause(ctx))
		case <-poll.C:
		}
	}
}

// Exited is closed when the agent has ended, for whatever reason.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// PID returns the agent's process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stop asks the agent to end, waits for it, and kills it when that takes too long.
func (p *Process) Stop() error {
	select {
	case <-p.exited:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("agent: %w", err)
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopAfter):
	}
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("agent: %w", err)
	}
	<-p.exited
	return fmt.Errorf("agent: had to be killed after %s", stopAfter)
}
