// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// joinCgroups waits until hold has put this process into the machine's cgroups and then makes them the roots that the
// machine sees. It becomes boot by exec, as only the calling thread gets the new cgroup namespace.
func joinCgroups() error {
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return fmt.Errorf("waiting for the cgroups: %w", err)
	}
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("cgroup namespace: %w", err)
	}
	args := append([]string{os.Args[0], bootCommand}, os.Args[2:]...)
	return syscall.Exec("/proc/self/exe", args, os.Environ())
}

// boot is the machine's first process: it mounts, sets up the network, says that it is ready, and then starts what it is
// asked to and reaps what ended.
func boot(dir string) error {
	groups, err := findCgroups("")
	if err != nil {
		return err
	}
	if err := mounts(dir, groups); err != nil {
		return err
	}
	if err := network(); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte(nodeName)); err != nil {
		return fmt.Errorf("host name: %w", err)
	}
	a, err := newAgent(filepath.Join(dir, socketFile))
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return a.serve()
}
