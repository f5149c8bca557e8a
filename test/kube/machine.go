// SPDX-License-Identifier: Apache-2.0

//go:build unix

package kube

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/k0rdent/kof/test/toolcache"
)

// Files in a cluster's folder.
const (
	lockFile    = "lock" // locked while the machine is there
	holderFile  = "holder.pid"
	machineFile = "machine.pid"
	// programsFile has where the programs are that the cluster runs.
	programsFile = "programs.json"

	// dirPrefix begins the names of temporary folders; what is left in folders of such names is looked for.
	dirPrefix = "kof-kube-"
	// maxDirPath leaves room for the name of a socket: paths of sockets have at most 107 bytes.
	maxDirPath = 90
	// stopTimeout bounds the end of a machine: all its processes, then its cgroups.
	stopTimeout = 40 * time.Second
)

// machine is the set of namespaces and cgroups that the cluster runs in, and the process that holds it: see
// tools/kubernetes-node. The holder undoes all when this process is gone.
type machine struct {
	dir    string
	pid    int       // of its first process
	holder *exec.Cmd // nil when opened
	alive  io.Closer // whose end the holder waits for
	stderr *bytes.Buffer
}

func startMachine(ctx context.Context, options Options, tool string, progress io.Writer) (_ *machine, err error) {
	if err := removeStale(ctx, tool, progress); err != nil {
		return nil, err
	}
	m := &machine{dir: options.Dir, stderr: &bytes.Buffer{}}
	if m.dir == "" {
		m.dir, err = os.MkdirTemp("", dirPrefix)
	} else if err = errors.Join(checkDir(m.dir), removeDead(ctx, tool, m.dir)); err == nil {
		err = os.Mkdir(m.dir, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("folder of the cluster: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.stop(), os.RemoveAll(m.dir))
		}
	}()
	lock, err := tryLock(filepath.Join(m.dir, lockFile), os.O_CREATE)
	if err != nil {
		return nil, err
	}
	defer lock.Close() // the holder has it too by then
	args := []string{"hold", "-dir", m.dir}
	if options.Stay {
		args = append(args, "-stay")
	}
	m.holder = exec.Command(tool, args...)
	m.holder.Dir = "/"
	m.holder.Stderr = m.stderr
	m.holder.ExtraFiles = []*os.File{lock}
	m.holder.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no Ctrl-C reaches it: this process ends it in order
	if m.alive, err = m.holder.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := m.holder.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := m.holder.Start(); err != nil {
		m.holder = nil
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err == nil {
		m.pid, err = strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "ready ")))
	}
	if err != nil {
		err = errors.Join(errors.New("the machine could not be made"), m.stop())
		return nil, err // stop gives the reason
	}
	return m, errors.Join(
		os.WriteFile(filepath.Join(m.dir, holderFile), []byte(strconv.Itoa(m.holder.Process.Pid)), 0o600),
		os.WriteFile(filepath.Join(m.dir, machineFile), []byte(strconv.Itoa(m.pid)), 0o600))
}

func checkDir(dir string) error {
	if !filepath.IsAbs(dir) || len(dir) > maxDirPath {
		return fmt.Errorf("%q: must be an absolute path of at most %d bytes", dir, maxDirPath)
	}
	return nil
}

// openMachine finds the machine that another process made.
func openMachine(dir string) (*machine, error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	lock, err := tryLock(filepath.Join(dir, lockFile), 0)
	if err == nil {
		lock.Close()
	}
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no cluster runs in %s", dir)
	}
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, err
	}
	pid, err := readPID(filepath.Join(dir, machineFile))
	return &machine{dir: dir, pid: pid}, err
}

// stop ends the machine and its holder, which removes the folder.
func (m *machine) stop() error {
	if m.holder == nil {
		return nil
	}
	holder := m.holder
	m.holder = nil
	_ = m.alive.Close()
	_ = holder.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(stopTimeout, func() { _ = holder.Process.Kill() })
	defer timer.Stop()
	if err := holder.Wait(); err != nil {
		return fmt.Errorf("end of the cluster's machine: %w\n%s", err, bytes.TrimSpace(m.stderr.Bytes()))
	}
	return nil
}

// Down ends the cluster that another process started in that folder, and removes all of it; it also removes what is left of
// one that was killed. No cluster there is no error.
func Down(ctx context.Context, dir string, progress io.Writer) error {
	tool, err := toolcache.Binary(ctx, nodeTool, progress)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, lockFile)); errors.Is(err, os.ErrNotExist) {
		return nil // and nothing that isn't a cluster's folder is removed
	}
	ctx, cancel := context.WithTimeoutCause(ctx, stopTimeout, fmt.Errorf("the cluster in %s is still there after %s", dir, stopTimeout))
	defer cancel()
	for told := false; ; {
		removed, err := removeIfDead(ctx, tool, dir)
		if err != nil || removed {
			return err
		}
		// Its holder has the lock, so that the process of this number is the holder.
		if pid, err := readPID(filepath.Join(dir, holderFile)); err == nil && !told {
			told = true
			if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(stepPoll):
		}
	}
}

func readPID(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
