// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// nodeName is the host name of the machine.
const nodeName = "node1"

// hidden are the folders of the outer machine in whose place the machine has its own.
var hidden = map[string]string{"/var/lib": "var-lib", "/var/log": "var-log"}

// sysctls are those that kubelet wants to have other values. They are the whole kernel's, so the machine gets files that
// hold these values in their place, and the kernel's stay as they are.
var sysctls = map[string]string{"vm/overcommit_memory": "1", "kernel/panic": "10", "kernel/panic_on_oops": "1"}

// mounter keeps the first error of a row of mounts.
type mounter struct{ err error }

func (m *mounter) mount(source, target, kind string, flags uintptr, data string) {
	if m.err == nil {
		if err := unix.Mount(source, target, kind, flags, data); err != nil {
			m.err = fmt.Errorf("mount %s on %s: %w", source, target, err)
		}
	}
}

func (m *mounter) mkdir(path string) {
	if m.err == nil {
		m.err = os.MkdirAll(path, 0o755)
	}
}

func (m *mounter) write(path, content string) {
	if m.err == nil {
		m.err = os.WriteFile(path, []byte(content), 0o644)
	}
}

func mounts(dir string, groups []cgroup) error {
	for target := range hidden {
		if strings.HasPrefix(dir+"/", target+"/") {
			return fmt.Errorf("the folder %s must not be below %s", dir, target)
		}
	}
	var m mounter
	// Private first: nothing that is mounted here may show outside. Then shared among the machine's own mount namespaces, as
	// kubelet's mounts have to reach containers.
	m.mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	m.mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "")
	m.mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	m.mount("sysfs", "/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	m.mount("tmpfs", "/sys/fs/cgroup", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=755")
	for _, g := range groups {
		options, folder := g.controllers, g.controllers
		if name, ok := strings.CutPrefix(g.controllers, "name="); ok {
			options, folder = "none,"+g.controllers, name
		}
		target := filepath.Join("/sys/fs/cgroup", folder)
		m.mkdir(target)
		m.mount("cgroup", target, "cgroup", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options)
		for _, controller := range strings.Split(folder, ",") {
			if m.err == nil && controller != folder {
				m.err = os.Symlink(folder, filepath.Join("/sys/fs/cgroup", controller))
			}
		}
	}
	m.mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755")
	m.mkdir("/run/lock")
	for target, folder := range hidden {
		source := filepath.Join(dir, folder)
		m.mkdir(source)
		m.mount(source, target, "", unix.MS_BIND, "")
		m.mount("", target, "", unix.MS_SHARED, "")
	}
	for name, value := range sysctls {
		file := filepath.Join("/run", strings.ReplaceAll(name, "/", "-"))
		m.write(file, value+"\n")
		m.mount(file, filepath.Join("/proc/sys", name), "", unix.MS_BIND, "")
	}
	m.write("/proc/sys/net/ipv4/ip_forward", "1") // of this network namespace alone
	return m.err
}
