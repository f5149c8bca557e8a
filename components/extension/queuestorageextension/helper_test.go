// SPDX-License-Identifier: Apache-2.0

//go:build linux

package queuestorageextension

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// startHelper starts a process that ends with the test, and waits until it prints the line. It returns what follows.
func startHelper(t testing.TB, cmd *exec.Cmd, line string) *bufio.Reader {
	t.Helper()
	// Killed also when the test itself is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	r := bufio.NewReader(out)
	for {
		got, err := r.ReadString('\n')
		if err == io.EOF {
			require.Fail(t, "the process ended without "+line)
		}
		require.NoError(t, err)
		if got == line+"\n" {
			return r
		}
	}
}
