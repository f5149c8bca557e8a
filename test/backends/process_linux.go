// SPDX-License-Identifier: Apache-2.0

package backends

import "syscall"

func serverAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
