// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	joinCommand = "join"
	bootCommand = "boot"
	// cgroupsFile, in the machine's folder, lists its cgroups; it is written before they are made.
	cgroupsFile = "cgroups"
	// bootTimeout bounds the time until the machine is there; it takes well under a second.
	bootTimeout = 30 * time.Second
	// lockFD is the machine's lock file.
	lockFD = 3
)

// hold makes the machine, prints "ready PID" with the process ID of its first process, and waits for a signal, the end of
// standard input (unless it is to stay), or the end of that process. Then it undoes everything and removes dir. Who starts it
// passes the open and locked lock file as file 3: the lock is held as long as something of the machine may be there.
func hold(dir string, stay bool) (err error) {
	if !filepath.IsAbs(dir) {
		return fmt.Errorf("-dir %q: must be an absolute path", dir)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP, syscall.SIGPIPE) // who started it may be gone
	syscall.CloseOnExec(lockFD)

	groups, err := findCgroups(filepath.Base(dir))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, cgroupsFile), []byte(strings.Join(paths(groups), "\n")+"\n"), 0o600); err != nil {
		return err
	}
	defer func() {
		left := removeCgroups(paths(groups))
		if left == nil { // else clean finds in it what is left
			left = os.RemoveAll(dir)
		}
		err = errors.Join(err, left)
	}()
	if err := makeCgroups(groups); err != nil {
		return err
	}
	machine, status, err := startMachine(dir, groups)
	if err != nil {
		return err
	}
	exited := make(chan error, 1)
	go func() { exited <- machine.Wait() }()
	defer func() {
		if exited != nil {
			_ = machine.Process.Kill() // and with it everything in its PID namespace
			<-exited
		}
	}()

	select {
	case line, ok := <-status:
		if !ok {
			return errors.New("the machine's first process ended while starting")
		}
		fmt.Printf("%s %d\n", line, machine.Process.Pid)
	case <-time.After(bootTimeout):
		return fmt.Errorf("the machine isn't there after %s", bootTimeout)
	case sig := <-ended:
		return fmt.Errorf("%s while starting", sig)
	}
	parent := make(chan struct{})
	if !stay {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			close(parent)
		}()
	}
	select {
	case <-ended:
	case <-parent:
	case err := <-exited:
		exited = nil
		return fmt.Errorf("the machine's first process ended: %w", err)
	}
	return nil
}

// startMachine starts the first process of new namespaces, in the cgroups. The channel gives the line that it prints when
// the machine is there, and is closed when it ends before that.
func startMachine(dir string, groups []cgroup) (*exec.Cmd, <-chan string, error) {
	cmd := exec.Command("/proc/self/exe", joinCommand, "-dir", dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true,
	}
	go1, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("new namespaces: %w", err)
	}
	err = join(groups, cmd.Process.Pid)
	if err == nil {
		_, err = io.WriteString(go1, "go\n")
	}
	if err = errors.Join(err, go1.Close()); err != nil {
		return nil, nil, errors.Join(err, cmd.Process.Kill(), ignoreExit(cmd.Wait()))
	}
	status := make(chan string, 1)
	go func() {
		defer close(status)
		if line, err := bufio.NewReader(out).ReadString('\n'); err == nil {
			status <- strings.TrimSpace(line)
		}
	}()
	return cmd, status, nil
}

func ignoreExit(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}

// clean undoes what is left of a machine whose hold was killed. Its processes ended with hold; only cgroups can be left.
func clean(dir string) error {
	content, err := os.ReadFile(filepath.Join(dir, cgroupsFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return removeCgroups(strings.Fields(string(content)))
}
