// SPDX-License-Identifier: Apache-2.0

package toolcache

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	// progressEvery is the time between two progress lines.
	progressEvery = 5 * time.Second
	// interruptGrace is how long an interrupted build may take to clean up
	// after itself before it is killed.
	interruptGrace = 10 * time.Second
	// maxBuildOutput is how much of the compiler's output an error shows; the
	// end is kept, as that is where the reason stands.
	maxBuildOutput = 4 << 10
)

// build compiles the tool into path. The caller holds the tool's lock.
func build(ctx context.Context, tool Tool, moduleDir, path string, progress io.Writer) error {
	// Built beside its final place and then renamed, so that a path that exists
	// is always a whole binary. What a killed build left goes first.
	temp := path + ".building"
	if err := os.RemoveAll(temp); err != nil {
		return fmt.Errorf("building %s: %w", tool.Name, err)
	}
	defer os.Remove(temp)

	what := fmt.Sprintf("building %s (first time, about %s of CPU)", tool.Name, cpuTime(tool.ColdCPU))
	start := time.Now()
	done := every(progressEvery, func(elapsed time.Duration) {
		fmt.Fprintf(progress, "%s … %s\n", what, elapsed.Round(time.Second))
	})
	fmt.Fprintln(progress, what)

	var output bytes.Buffer // the go command itself cuts off what a package's errors may fill
	cmd := exec.CommandContext(ctx, "go", buildArgs(tool, temp)...)
	cmd.Dir = moduleDir
	cmd.Env = append(os.Environ(), buildSettings(tool)...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = interruptGrace
	err := cmd.Run()
	done()

	if ctx.Err() != nil {
		return fmt.Errorf("building %s ended after %s: %w (`go run ./test/cmd/tools` builds all tools ahead of time)",
			tool.Name, time.Since(start).Round(time.Second), context.Cause(ctx))
	}
	if err != nil {
		return fmt.Errorf("building %s in %s: go %s: %w\n%s",
			tool.Name, moduleDir, strings.Join(buildArgs(tool, filepath.Base(path)), " "), err, lastBytes(output.Bytes(), maxBuildOutput))
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("building %s: %w", tool.Name, err)
	}
	fmt.Fprintf(progress, "built %s in %s\n", tool.Name, time.Since(start).Round(time.Second))
	return nil
}

// buildArgs returns the arguments of the go command that builds tool into out.
func buildArgs(tool Tool, out string) []string {
	args := []string{"build", "-ldflags=" + strings.TrimSpace("-s -w "+tool.LDFlags)}
	if len(tool.Tags) > 0 {
		args = append(args, "-tags="+strings.Join(tool.Tags, ","))
	}
	return append(args, "-o", out, tool.Package)
}

// buildSettings returns the environment that a build adds to the user's. The
// flags, workspace and target that someone set for building KOF itself must not
// change what a tool is; -mod=readonly refuses a module that go.sum lacks.
func buildSettings(tool Tool) []string {
	cgo := "0"
	if tool.Cgo {
		cgo = "1"
	}
	return []string{
		"GOFLAGS=-trimpath -mod=readonly -buildvcs=false",
		"GOWORK=off",
		"GOOS=" + runtime.GOOS,
		"GOARCH=" + runtime.GOARCH,
		"CGO_ENABLED=" + cgo,
	}
}

func lastBytes(b []byte, limit int) []byte {
	b = bytes.TrimSpace(b)
	if len(b) <= limit {
		return b
	}
	return append([]byte("…"), b[len(b)-limit:]...)
}

func cpuTime(seconds int) string {
	if seconds < 100 {
		return fmt.Sprintf("%d s", seconds)
	}
	return fmt.Sprintf("%d min", (seconds+30)/60)
}

// every calls f with the time since the call of every, again and again until
// the returned function is called, which waits for a running f to end.
func every(interval time.Duration, f func(elapsed time.Duration)) (stop func()) {
	start := time.Now()
	ticker := time.NewTicker(interval)
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				f(time.Since(start))
			case <-quit:
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}
