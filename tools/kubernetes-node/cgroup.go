// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// removeTimeout bounds the removal of the cgroups; the kernel may take a moment to let go of a group after its last process.
const removeTimeout = 20 * time.Second

// needed are the controllers without which kubelet or runc don't work.
var needed = []string{"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids"}

// cgroup is the machine's own cgroup in one hierarchy of version 1.
type cgroup struct {
	controllers string // as in /proc/self/cgroup, such as "cpu,cpuacct" or "name=systemd"
	path        string
}

func paths(groups []cgroup) []string {
	out := make([]string, len(groups))
	for i, g := range groups {
		out[i] = g.path
	}
	return out
}

// findCgroups returns the paths of the machine's cgroups: in each hierarchy of version 1, below that of this process, so that
// what bounds this process bounds the machine.
func findCgroups(name string) ([]cgroup, error) {
	mounts, err := cgroupMounts()
	if err != nil {
		return nil, err
	}
	f, err := os.Open("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []cgroup
	var found []string
	for scanner := bufio.NewScanner(f); scanner.Scan(); {
		fields := strings.SplitN(scanner.Text(), ":", 3)
		if len(fields) != 3 || fields[1] == "" { // "" is version 2
			continue
		}
		m, ok := mounts[fields[1]]
		if !ok {
			continue
		}
		below, err := filepath.Rel(m.root, fields[2])
		if err != nil {
			return nil, fmt.Errorf("cgroup %s: %w", scanner.Text(), err)
		}
		out = append(out, cgroup{fields[1], filepath.Join(m.target, below, name)})
		found = append(found, strings.Split(fields[1], ",")...)
	}
	var missing []string
	for _, c := range needed {
		if !slices.Contains(found, c) {
			missing = append(missing, c)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("cgroups of version 1 are needed, and these controllers are not mounted: %s", strings.Join(missing, ", "))
	}
	return out, nil
}

type cgroupMount struct{ root, target string }

// cgroupMounts returns the mounts of cgroup hierarchies of version 1 by their controllers; see proc_pid_mountinfo(5).
func cgroupMounts() (map[string]cgroupMount, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := map[string]cgroupMount{}
	for scanner := bufio.NewScanner(f); scanner.Scan(); {
		front, back, ok := strings.Cut(scanner.Text(), " - ")
		fields, tail := strings.Fields(front), strings.Fields(back)
		if !ok || len(fields) < 5 || len(tail) < 3 || tail[0] != "cgroup" {
			continue
		}
		var controllers []string
		for _, o := range strings.Split(tail[2], ",") {
			if strings.HasPrefix(o, "name=") || slices.Contains(needed, o) || !slices.Contains([]string{"rw", "ro", "xattr", "clone_children"}, o) && !strings.Contains(o, "=") {
				controllers = append(controllers, o)
			}
		}
		out[strings.Join(controllers, ",")] = cgroupMount{root: fields[3], target: fields[4]}
	}
	return out, nil
}

func makeCgroups(groups []cgroup) error {
	for _, g := range groups {
		if err := os.MkdirAll(g.path, 0o755); err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
		if g.controllers != "cpuset" {
			continue
		}
		// A new cpuset has no CPUs, and can't be joined so.
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
			value, err := os.ReadFile(filepath.Join(filepath.Dir(g.path), name))
			if err == nil {
				err = os.WriteFile(filepath.Join(g.path, name), value, 0)
			}
			if err != nil {
				return fmt.Errorf("cgroup: %w", err)
			}
		}
		if err := os.WriteFile(filepath.Join(g.path, "cgroup.clone_children"), []byte("1"), 0); err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
	}
	return nil
}

func join(groups []cgroup, pid int) error {
	for _, g := range groups {
		if err := os.WriteFile(filepath.Join(g.path, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
			return fmt.Errorf("cgroup: %w", err)
		}
	}
	return nil
}

// removeCgroups removes cgroups with all that are below them.
func removeCgroups(paths []string) error {
	deadline := time.Now().Add(removeTimeout)
	for {
		var left []error
		for _, path := range paths {
			if err := removeCgroup(path); err != nil {
				left = append(left, err)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return errors.Join(left...)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func removeCgroup(path string) error {
	var dirs []string
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err == nil && d.IsDir() {
			dirs = append(dirs, p)
		}
		return err
	})
	for _, dir := range slices.Backward(dirs) {
		if e := syscall.Rmdir(dir); e != nil && !errors.Is(e, syscall.ENOENT) {
			err = fmt.Errorf("cgroup %s can't be removed: %w", dir, e)
		}
	}
	return err
}
