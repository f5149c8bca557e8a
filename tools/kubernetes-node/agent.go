// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// socketFile, in the machine's folder, is where its first process takes requests. Paths of sockets reach over network
	// namespaces.
	socketFile = "socket"
	// maxRequest bounds a request, in bytes: command line and environment.
	maxRequest = 1 << 17
)

// request asks for a process; its standard input, output and error are sent along as file descriptors.
type request struct {
	Path   string
	Args   []string
	Env    []string
	Dir    string
	Detach bool // it goes on when the connection ends; else it is killed then
}

// answer is sent when the process runs and, unless it is detached, again when it has ended.
type answer struct {
	Error string `json:",omitempty"`
	PID   int    `json:",omitempty"`
	Ended bool   `json:",omitempty"`
	Code  int    `json:",omitempty"` // as a shell gives it: 128 + number if by a signal
}

// agent starts processes on request, and reaps: as the machine's first process it is the parent of every orphan.
type agent struct {
	listener *net.UnixListener

	mu      sync.Mutex // held while a process is started, so that it isn't reaped before it is known
	waiting map[int]chan syscall.WaitStatus
}

func newAgent(path string) (*agent, error) {
	l, err := net.ListenUnix("unixpacket", &net.UnixAddr{Name: path, Net: "unixpacket"})
	return &agent{listener: l, waiting: map[int]chan syscall.WaitStatus{}}, err
}

func (a *agent) serve() error {
	go a.reap()
	for {
		c, err := a.listener.AcceptUnix()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			if err := a.handle(c); err != nil {
				_ = send(c, answer{Error: err.Error()})
			}
		}()
	}
}

func (a *agent) reap() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGCHLD)
	for range signals {
		a.mu.Lock()
		for {
			var status syscall.WaitStatus
			pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
			if errors.Is(err, syscall.EINTR) {
				continue
			}
			if err != nil || pid <= 0 {
				break
			}
			if c := a.waiting[pid]; c != nil {
				c <- status // has room for one
				delete(a.waiting, pid)
			}
		}
		a.mu.Unlock()
	}
}

func (a *agent) handle(c *net.UnixConn) error {
	req, files, err := receive(c)
	defer func() {
		for _, f := range files {
			unix.Close(f)
		}
	}()
	if err != nil {
		return err
	}
	ended := make(chan syscall.WaitStatus, 1)
	a.mu.Lock()
	pid, err := syscall.ForkExec(req.Path, req.Args, &syscall.ProcAttr{
		Dir: req.Dir, Env: req.Env, Files: []uintptr{uintptr(files[0]), uintptr(files[1]), uintptr(files[2])},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err == nil {
		a.waiting[pid] = ended
	}
	a.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s: %w", req.Path, err)
	}
	if err := send(c, answer{PID: pid}); err != nil || req.Detach {
		return err
	}
	gone := make(chan struct{})
	go func() {
		_, _ = c.Read(make([]byte, 1)) // the other side sends nothing more, so this is its end
		close(gone)
	}()
	select {
	case status := <-ended:
		return send(c, answer{Ended: true, Code: exitCode(status)})
	case <-gone:
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		return nil
	}
}

func exitCode(s syscall.WaitStatus) int {
	if s.Signaled() {
		return 128 + int(s.Signal())
	}
	return s.ExitStatus()
}

func send(c *net.UnixConn, a answer) error {
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	_, err = c.Write(b)
	return err
}

// receive reads a request with its three files.
func receive(c *net.UnixConn) (req request, files []int, err error) {
	b, oob := make([]byte, maxRequest), make([]byte, unix.CmsgSpace(3*4))
	n, oobn, flags, _, err := c.ReadMsgUnix(b, oob)
	if err != nil {
		return req, nil, err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return req, nil, err
	}
	for _, m := range messages {
		if files, err = unix.ParseUnixRights(&m); err != nil {
			return req, files, err
		}
	}
	if flags&unix.MSG_TRUNC != 0 || len(files) != 3 {
		return req, files, fmt.Errorf("a request needs 3 files and at most %d bytes", maxRequest)
	}
	return req, files, json.Unmarshal(b[:n], &req)
}

// pause waits to be told to end, and reaps what the pod's containers leave.
func pause() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for s := range signals {
		if s != syscall.SIGCHLD {
			return
		}
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if pid <= 0 && !errors.Is(err, syscall.EINTR) {
				break
			}
		}
	}
}
