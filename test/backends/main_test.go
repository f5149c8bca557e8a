// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// parentEnv makes the test binary the parent of a region instead, which prints
// what it runs and then waits to be killed.
const parentEnv = "KOF_TEST_BACKENDS_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) != "" {
		runParent()
	}
	goleak.VerifyTestMain(m)
}

// left is what must be gone after servers have ended.
type left struct {
	PIDs  []int
	Dirs  []string
	Ports []int
}

func leftBy(servers ...*Server) left {
	var l left
	for _, s := range servers {
		l.PIDs = append(l.PIDs, s.PID())
		l.Dirs = append(l.Dirs, s.Dir())
		l.Ports = append(l.Ports, s.ports...)
	}
	return l
}

func runParent() {
	r, err := StartRegion(context.Background(), "orphan", Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(leftBy(r.Servers()...)); err != nil {
		os.Exit(1)
	}
	select {} // until killed
}

func requireRunning(t *testing.T, l left) {
	t.Helper()
	for i, pid := range l.PIDs {
		require.NotZero(t, pid)
		require.True(t, running(pid))
		require.DirExists(t, l.Dirs[i])
	}
}

// running says whether a process of that ID exists; one that has ended but was
// not waited for by its parent counts as gone.
func running(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "stat"))
	var name, state string
	var id int
	if err == nil {
		_, _ = fmt.Sscanf(string(stat), "%d %s %s", &id, &name, &state)
	}
	return state != "Z"
}

// requireGone waits until all is gone, but not longer than within.
func requireGone(t *testing.T, l left, within time.Duration) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		still := l.still()
		if len(still) == 0 {
			return
		}
		if time.Now().After(deadline) {
			require.Empty(t, still)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (l left) still() []string {
	var still []string
	for i, pid := range l.PIDs {
		if running(pid) {
			still = append(still, fmt.Sprintf("process %d", pid))
		}
		if _, err := os.Stat(l.Dirs[i]); !os.IsNotExist(err) {
			still = append(still, l.Dirs[i])
		}
	}
	return still
}

// remove is for a test that has failed, so that nothing stays then either.
func (l left) remove() {
	for i, pid := range l.PIDs {
		if running(pid) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		_ = os.RemoveAll(l.Dirs[i])
	}
}

func TestNothingStaysWhenTheParentIsKilled(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			parent := exec.Command(os.Args[0])
			parent.Env = append(os.Environ(), parentEnv+"=1")
			parent.Stderr = os.Stderr
			out, err := parent.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, parent.Start())
			defer func() { _ = parent.Process.Kill() }()
			line, err := bufio.NewReader(out).ReadBytes('\n')
			require.NoError(t, err)
			var l left
			require.NoError(t, json.Unmarshal(line, &l))
			defer l.remove()
			requireRunning(t, l)

			require.NoError(t, parent.Process.Signal(sig))
			require.Error(t, parent.Wait())
			requireGone(t, l, 10*time.Second)
		})
	}
}
