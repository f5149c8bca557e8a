// SPDX-License-Identifier: Apache-2.0

package kube

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/k0rdent/kof/test/toolcache"
)

// childEnv makes the test binary start a cluster in the folder that it names, and wait.
const childEnv = "KOF_KUBE_TEST_CHILD"

func child(dir string) {
	c, err := Start(context.Background(), Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("started", c.machine.holder.Process.Pid)
	select {}
}

// TestKilled kills the process that has a cluster, and in the second case the holder of the machine too.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a whole Kubernetes")
	}
	NeedT(t)
	for name, killHolder := range map[string]bool{"process": false, "process and holder": true} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(os.TempDir(), fmt.Sprintf("%stest-%d", dirPrefix, time.Now().UnixNano()))
			exe, err := os.Executable()
			require.NoError(t, err)
			cmd := exec.Command(exe)
			cmd.Env = append(os.Environ(), childEnv+"="+dir)
			cmd.Stderr = os.Stderr
			stdout, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			t.Cleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			})
			var holder int
			_, err = fmt.Fscanf(stdout, "started %d\n", &holder)
			require.NoError(t, err)
			require.NotEmpty(t, processesOf(t, dir))
			tool, err := toolcache.Binary(t.Context(), nodeTool, os.Stderr)
			require.NoError(t, err)
			require.ErrorContains(t, removeDead(t.Context(), tool, dir), "a cluster runs in "+dir+" already")
			if killHolder {
				require.NoError(t, syscall.Kill(holder, syscall.SIGKILL))
			}
			require.NoError(t, cmd.Process.Kill())
			if killHolder { // the next start removes what is left
				require.Eventually(t, func() bool { return len(processesOf(t, dir)) == 0 }, stopTimeout, 100*time.Millisecond)
				require.DirExists(t, dir)
				var progress bytes.Buffer
				require.NoError(t, removeStale(t.Context(), tool, &progress))
				require.Contains(t, progress.String(), dir)
			}
			requireGone(t, dir)
		})
	}
}

func TestCancelledStartLeavesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("starts half a Kubernetes")
	}
	NeedT(t)
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("%stest-%d", dirPrefix, time.Now().UnixNano()))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := Start(ctx, Options{Dir: dir, Progress: writerFunc(func(p []byte) (int, error) {
		if strings.Contains(string(p), "containerd with its images") {
			require.NotEmpty(t, processesOf(t, dir))
			cancel()
		}
		return len(p), nil
	})})
	require.ErrorIs(t, err, context.Canceled)
	requireGone(t, dir)
}

// requireGone waits until nothing is left of the cluster in that folder.
func requireGone(t *testing.T, dir string) {
	t.Helper()
	left := func() []string {
		out := append(cgroupsOf(t, dir), processesOf(t, dir)...)
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		require.NoError(t, err)
		if strings.Contains(string(mounts), dir) {
			out = append(out, "mounts")
		}
		if _, err := os.Stat(dir); err == nil {
			out = append(out, dir)
		}
		return out
	}
	deadline := time.Now().Add(stopTimeout)
	for len(left()) > 0 && time.Now().Before(deadline) {
		time.Sleep(100 * time.Millisecond)
	}
	require.Empty(t, left())
	for _, path := range []string{"/var/lib/kubelet", "/var/lib/containerd", "/var/log/pods", "/run/containerd"} {
		require.NoDirExists(t, path)
	}
}

func cgroupsOf(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == filepath.Base(dir) {
			out = append(out, path)
		}
		return nil // others' cgroups come and go
	})
	require.NoError(t, err)
	return out
}

// processesOf returns those with the folder in their command line.
func processesOf(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	var out []string
	for _, f := range files {
		if text, err := os.ReadFile(f); err == nil && strings.Contains(string(text), dir) {
			out = append(out, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return out
}

func devices(t *testing.T) []string {
	t.Helper()
	all, err := net.Interfaces()
	require.NoError(t, err)
	var out []string
	for _, d := range all {
		out = append(out, d.Name)
	}
	return out
}

func intOrString(i int) intstr.IntOrString { return intstr.FromInt32(int32(i)) }

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
