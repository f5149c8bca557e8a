// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package backends

import "syscall"

func serverAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
