// SPDX-License-Identifier: Apache-2.0

package agent

import "syscall"

// attributes give the agent a process group of its own, so that Ctrl-C reaches the demo alone, which then ends things in
// order, and have the kernel kill it when the demo dies.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
