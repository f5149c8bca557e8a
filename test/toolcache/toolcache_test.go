// SPDX-License-Identifier: Apache-2.0

package toolcache

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const goodMain = "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Println(\"hello\") }\n"

// newTool lays out a repository with one tool whose main package has the given
// source. It needs no downloads.
func newTool(t *testing.T, source string) (cache, Tool) {
	t.Helper()
	root := t.TempDir()
	module := filepath.Join(root, "tools", "hello")
	require.NoError(t, os.MkdirAll(module, 0o755))
	for name, content := range map[string]string{
		"go.mod":  "module example.com/hello\n\ngo 1.26.0\n",
		"go.sum":  "",
		"main.go": source,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(module, name), []byte(content), 0o644))
	}
	tool := Tool{Name: "hello", Module: "tools/hello", Package: "example.com/hello", ColdCPU: 3}
	return cache{root: root, dir: t.TempDir()}, tool
}

func TestBuildsOnceAndShowsProgress(t *testing.T) {
	c, tool := newTool(t, goodMain)
	var progress bytes.Buffer
	path, err := c.binary(t.Context(), tool, &progress)
	require.NoError(t, err)
	require.Contains(t, progress.String(), "building hello (first time, about 3 s of CPU)\n")
	require.Contains(t, progress.String(), "built hello in ")

	out, err := exec.Command(path).Output()
	require.NoError(t, err)
	require.Equal(t, "hello\n", string(out))

	progress.Reset()
	again, err := c.binary(t.Context(), tool, &progress)
	require.NoError(t, err)
	require.Equal(t, path, again)
	require.Empty(t, progress.String(), "nothing to tell about a program that is there")
}

func TestKeyFollowsWhatDecidesTheBuild(t *testing.T) {
	c, tool := newTool(t, goodMain)
	dir := filepath.Join(c.root, "tools", "hello")
	base, err := key(tool, dir, "go1.26.8")
	require.NoError(t, err)

	tagged, stamped, withCgo := tool, tool, tool
	tagged.Tags, stamped.LDFlags, withCgo.Cgo = []string{"x"}, "-X main.x=y", true
	for name, got := range map[string]func() (string, error){
		"tags":       func() (string, error) { return key(tagged, dir, "go1.26.8") },
		"stamps":     func() (string, error) { return key(stamped, dir, "go1.26.8") },
		"cgo":        func() (string, error) { return key(withCgo, dir, "go1.26.8") },
		"go version": func() (string, error) { return key(tool, dir, "go1.26.9") },
		"source": func() (string, error) {
			other := strings.ReplaceAll(goodMain, "hello", "hullo")
			require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(other), 0o644))
			k, err := key(tool, dir, "go1.26.8")
			require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(goodMain), 0o644))
			return k, err
		},
		"go.sum": func() (string, error) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), []byte("\n"), 0o644))
			return key(tool, dir, "go1.26.8")
		},
	} {
		k, err := got()
		require.NoError(t, err, name)
		require.NotEqual(t, base, k, name)
	}
}

func TestUserFlagsStayOut(t *testing.T) {
	// The build would fail with either of them.
	t.Setenv("GOFLAGS", "-tags=broken -mod=vendor")
	t.Setenv("GOOS", "plan9")
	c, tool := newTool(t, goodMain)
	broken := "//go:build broken\n\npackage main\n\nvar _ = nosuch\n"
	require.NoError(t, os.WriteFile(filepath.Join(c.root, "tools", "hello", "broken.go"), []byte(broken), 0o644))
	path, err := c.binary(t.Context(), tool, &bytes.Buffer{})
	require.NoError(t, err)
	require.NoError(t, exec.Command(path).Run())
}

func TestParallelCallersBuildOnce(t *testing.T) {
	c, tool := newTool(t, goodMain)
	var mu sync.Mutex
	var progress bytes.Buffer
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, err := c.binary(t.Context(), tool, writerFunc(func(p []byte) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				return progress.Write(p)
			}))
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, strings.Count(progress.String(), "built hello"), progress.String())
}

func TestCompilerErrorIsShownAndNothingStays(t *testing.T) {
	c, tool := newTool(t, "package main\n\nfunc main() { nosuch() }\n")
	_, err := c.binary(t.Context(), tool, &bytes.Buffer{})
	require.ErrorContains(t, err, "building hello in")
	require.ErrorContains(t, err, "undefined: nosuch")
	files, err := filepath.Glob(filepath.Join(c.dir, "hello", "*", "*"))
	require.NoError(t, err)
	require.Empty(t, files)
}

func TestCancelEndsBuildAndWait(t *testing.T) {
	c, tool := newTool(t, goodMain)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.binary(ctx, tool, &bytes.Buffer{})
	require.ErrorIs(t, err, context.Canceled)

	require.NoError(t, os.MkdirAll(filepath.Join(c.dir, "hello"), 0o755))
	unlock, err := lock(t.Context(), filepath.Join(c.dir, "hello", "lock"), "hello", &bytes.Buffer{})
	require.NoError(t, err)
	defer unlock()
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.binary(ctx, tool, &bytes.Buffer{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "waiting for another process that builds hello")
}

func TestCancelEndsRunningBuild(t *testing.T) {
	t.Setenv("GOCACHE", t.TempDir()) // so that it takes a while
	c, tool := newTool(t, goodMain)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	start := time.Now()
	_, err := c.binary(ctx, tool, writerFunc(func(p []byte) (int, error) {
		time.AfterFunc(200*time.Millisecond, cancel)
		return len(p), nil
	}))
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "building hello ended after")
	require.Less(t, time.Since(start), interruptGrace)
	files, err := filepath.Glob(filepath.Join(c.dir, "hello", "*", "*"))
	require.NoError(t, err)
	require.Empty(t, files)
}

func TestUnusedVersionsAreRemoved(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	for name, age := range map[string]time.Duration{"recent": maxUnused - time.Hour, "old": maxUnused + time.Hour, "kept": 2 * maxUnused} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		require.NoError(t, os.Chtimes(filepath.Join(dir, name), now, now.Add(-age)))
	}
	require.NoError(t, removeUnused(dir, "kept", now))
	require.DirExists(t, filepath.Join(dir, "recent"))
	require.DirExists(t, filepath.Join(dir, "kept"))
	require.NoDirExists(t, filepath.Join(dir, "old"))
}

func TestUseIsNoted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hello")
	require.False(t, used(path))
	require.NoError(t, os.WriteFile(path, nil, 0o755))
	old := time.Now().Add(-2 * maxUnused)
	require.NoError(t, os.Chtimes(filepath.Dir(path), old, old))
	require.True(t, used(path))
	info, err := os.Stat(filepath.Dir(path))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), info.ModTime(), time.Minute)
}

func TestTableMatchesModules(t *testing.T) {
	root, err := findRoot()
	require.NoError(t, err)
	for _, tool := range Tools() {
		dir := filepath.Join(root, filepath.FromSlash(tool.Module))
		require.FileExists(t, filepath.Join(dir, "go.sum"), tool.Name)
		goMod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		require.NoError(t, err)
		require.Contains(t, string(goMod), "module github.com/k0rdent/kof/"+tool.Module+"\n", tool.Name)
		require.Regexp(t, `(?m)^(tool )?\s*`+tool.Package+`$`, string(goMod), tool.Name)
	}
	goMod, err := os.ReadFile(filepath.Join(root, "tools", "kubernetes", "go.mod"))
	require.NoError(t, err)
	require.Contains(t, string(goMod), "k8s.io/kubernetes "+kubernetesVersion, "the version that is stamped in")
	_, err = Binary(t.Context(), "nosuch", nil)
	require.ErrorContains(t, err, `unknown tool "nosuch"; known are victoria-metrics, `)
}

func TestOutsideTheRepository(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := Binary(t.Context(), "ocb", nil)
	require.ErrorContains(t, err, "is not inside the repository")
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
