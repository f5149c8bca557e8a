// SPDX-License-Identifier: Apache-2.0

package browser

import (
	"os/exec"
	"syscall"
)

// endTogether makes the browser's helper processes end with it, also when the test is cut short.
func endTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
