// SPDX-License-Identifier: Apache-2.0

package nodeexporterreceiver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// shm is writable in every Kubernetes pod, also where the root file system isn't.
const shm = "/dev/shm"

// laterEntries of /proc appear when their kernel module is loaded.
var laterEntries = []string{"drbd", "mdstat", "spl"}

// makeLinks makes a directory of symbolic links that looks like the node's /proc, but for net: /proc/net is the network of
// whoever reads it, and ours is to be that of process 1. node_exporter has one path for all of /proc.
//
// Processes other than 1 are not in it. It belongs to the caller, who removes it.
func makeLinks(proc, directory string) (string, error) {
	if _, err := os.Stat(filepath.Join(proc, "stat")); err != nil {
		return "", fmt.Errorf("procfs: %w", err)
	}
	candidates := []string{directory}
	if directory == "" {
		candidates = []string{os.TempDir(), shm}
	}
	var errs []error
	for _, parent := range candidates {
		// One directory per process, so that what kill -9 left is found: a container's processes have the same ids again.
		dir := filepath.Join(parent, fmt.Sprintf("kof-procfs-%d", os.Getpid()))
		err := os.RemoveAll(dir)
		if err == nil {
			err = os.Mkdir(dir, 0o700)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("link_directory: %w", err))
			continue
		}
		if err := fillLinks(proc, dir); err != nil {
			return "", errors.Join(err, os.RemoveAll(dir))
		}
		return dir, nil
	}
	return "", errors.Join(errs...)
}

func fillLinks(proc, dir string) error {
	entries, err := os.ReadDir(proc)
	if err != nil {
		return fmt.Errorf("procfs: %w", err)
	}
	targets := map[string]string{"1": "1", "net": networkOf(proc)}
	for _, name := range laterEntries {
		targets[name] = name
	}
	for _, e := range entries {
		name := e.Name()
		if _, ok := targets[name]; !ok && (name[0] < '0' || name[0] > '9') {
			targets[name] = name
		}
	}
	for name, target := range targets {
		if err := os.Symlink(filepath.Join(proc, target), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("link_directory: %w", err)
		}
	}
	return nil
}

// networkOf is where the node's network is, relative to its /proc.
func networkOf(proc string) string {
	if _, err := os.Stat(filepath.Join(proc, "1/net/dev")); err != nil && proc == "/proc" {
		// Process 1 is hidden. Outside of containers this process has the node's network, too.
		return "net"
	}
	return "1/net"
}
