// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

func tryNamespaces() error {
	cmd := exec.Command("true")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWCGROUP,
	}
	return cmd.Run()
}

// cgroupsVersion1 looks for a hierarchy of the memory controller, which a machine with cgroups of version 2 alone lacks.
func cgroupsVersion1() error {
	mounts, err := filepath.Glob("/sys/fs/cgroup/memory*/memory.usage_in_bytes")
	if err != nil || len(mounts) == 0 {
		return errors.New("it needs cgroups of version 1")
	}
	f, err := os.OpenFile(filepath.Join(filepath.Dir(mounts[0]), "cgroup.procs"), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}
