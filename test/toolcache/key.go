// SPDX-License-Identifier: Apache-2.0

package toolcache

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

const modulePath = "github.com/k0rdent/kof"

// key returns the short hash that names one build of a tool.
func key(tool Tool, moduleDir, goVersion string) (string, error) {
	h := sha256.New()
	paths := []string{filepath.Join(moduleDir, "go.mod"), filepath.Join(moduleDir, "go.sum")}
	sources, err := filepath.Glob(filepath.Join(moduleDir, "*.go"))
	if err != nil {
		return "", fmt.Errorf("module of %s: %w", tool.Name, err)
	}
	for _, path := range append(paths, sources...) {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("module of %s: %w", tool.Name, err)
		}
		// The length keeps the files from running into each other.
		fmt.Fprintf(h, "%s %d\n", filepath.Base(path), len(content))
		h.Write(content)
	}
	fmt.Fprintf(h, "%s/%s %s %q %q\n", runtime.GOOS, runtime.GOARCH, goVersion, buildArgs(tool, ""), buildSettings(tool))
	return hex.EncodeToString(h.Sum(nil))[:16], nil
}

var (
	goVersionMu    sync.Mutex
	goVersionFound string
)

// goVersion returns the version of the toolchain that the builds use; it is
// asked for once per process.
func goVersion(ctx context.Context) (string, error) {
	goVersionMu.Lock()
	defer goVersionMu.Unlock()
	if goVersionFound != "" {
		return goVersionFound, nil
	}
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go env GOVERSION: %w %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	goVersionFound = strings.TrimSpace(string(out))
	return goVersionFound, nil
}

// findRoot returns the root of the repository that the working directory is in.
func findRoot() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		is, err := isRoot(dir)
		if err != nil {
			return "", err
		}
		if is {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside the repository of module %s, whose tools folder is needed", start, modulePath)
		}
	}
}

func isRoot(dir string) (bool, error) {
	f, err := os.Open(filepath.Join(dir, "go.mod"))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	scanner := bufio.NewScanner(f)
	for scanner.Scan() {
		if fields := strings.Fields(scanner.Text()); len(fields) >= 2 && fields[0] == "module" {
			return fields[1] == modulePath, nil
		}
	}
	return false, scanner.Err()
}
