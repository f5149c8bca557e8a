// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// stopGrace is how long a server may take to end after SIGTERM.
const stopGrace = 10 * time.Second

// process is a running child process.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed once it has ended and was waited for
	err    error         // of Wait; read after exited is closed
}

// startProcess starts cmd in a process group of its own, so that a Ctrl-C at
// the terminal goes to the parent alone, which then stops it in order; on Linux
// it is killed when the parent dies.
func startProcess(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = serverAttributes()
	p := &process{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The kernel sends the parent-death signal when the *thread* that
		// started the child ends, and the Go runtime ends threads as it likes.
		// So the child is started and waited for on a thread that this
		// goroutine keeps for the child's whole life. It is never unlocked: the
		// thread ends with the goroutine, when the child is gone.
		runtime.LockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		p.err = cmd.Wait()
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// terminate ends the process with SIGTERM and, when that doesn't help within
// stopGrace, with SIGKILL; that is an error.
func (p *process) terminate() error {
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	timer := time.NewTimer(stopGrace)
	defer timer.Stop()
	select {
	case <-p.exited:
		return nil
	case <-timer.C:
	}
	if err := p.kill(); err != nil {
		return err
	}
	return fmt.Errorf("still running %s after SIGTERM, killed", stopGrace)
}

// kill ends the process with SIGKILL and waits until it is gone.
func (p *process) kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.exited
	return nil
}

// signal does nothing when the process has ended already.
func (p *process) signal(sig os.Signal) error {
	err := p.cmd.Process.Signal(sig)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
