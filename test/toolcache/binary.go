// SPDX-License-Identifier: Apache-2.0

package toolcache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// maxUnused is how long a built version is kept after its last use.
const maxUnused = 60 * 24 * time.Hour

// Binary returns the path of the built program of that name, building it first
// when the cache doesn't hold it. Progress of a build is written to progress
// line by line; nothing is written when the program is there already. Nil
// means no progress. Several processes may ask for the same program at once:
// one of them builds, the others wait.
//
// The working directory has to be inside the KOF repository, and a Go
// toolchain in PATH. Cancelling ctx ends a running build.
func Binary(ctx context.Context, name string, progress io.Writer) (string, error) {
	tool, err := find(name)
	if err != nil {
		return "", err
	}
	if progress == nil {
		progress = io.Discard
	}
	root, err := findRoot()
	if err != nil {
		return "", err
	}
	userCache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder for %s: %w", name, err)
	}
	c := cache{root: root, dir: filepath.Join(userCache, "kof", "tools")}
	return c.binary(ctx, tool, progress)
}

// cache is the cache folder and the repository whose tools it holds.
type cache struct {
	root string // repository root
	dir  string // holds <tool>/<key>/<binary>
}

func (c cache) binary(ctx context.Context, tool Tool, progress io.Writer) (string, error) {
	goVersion, err := goVersion(ctx)
	if err != nil {
		return "", fmt.Errorf("%s can't be built: %w", tool.Name, err)
	}
	moduleDir := filepath.Join(c.root, filepath.FromSlash(tool.Module))
	k, err := key(tool, moduleDir, goVersion)
	if err != nil {
		return "", err
	}
	toolDir := filepath.Join(c.dir, tool.Name)
	keyDir := filepath.Join(toolDir, k)
	path := filepath.Join(keyDir, binaryName(tool.Name))
	if used(path) {
		return path, nil
	}

	if err := os.MkdirAll(keyDir, 0o755); err != nil {
		return "", fmt.Errorf("cache folder of %s: %w", tool.Name, err)
	}
	unlock, err := lock(ctx, filepath.Join(toolDir, "lock"), tool.Name, progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	if used(path) { // built by whom we waited for
		return path, nil
	}
	if err := build(ctx, tool, moduleDir, path, progress); err != nil {
		return "", err
	}
	if err := removeUnused(toolDir, k, time.Now()); err != nil {
		fmt.Fprintf(progress, "%v\n", err) // the program is there all the same
	}
	return path, nil
}

// used says whether the binary is there, and notes its use in the modification
// time of its folder, which removeUnused goes by.
func used(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	now := time.Now()
	// A cache that is only readable still serves, so a failure is of no matter.
	_ = os.Chtimes(filepath.Dir(path), now, now)
	return true
}

// removeUnused removes the versions of a tool, other than keep, that have not
// been used for maxUnused. The caller holds the tool's lock.
func removeUnused(toolDir, keep string, now time.Time) error {
	entries, err := os.ReadDir(toolDir)
	if err != nil {
		return fmt.Errorf("old versions in the tool cache: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if !e.IsDir() || e.Name() == keep {
			continue
		}
		info, err := e.Info()
		if err != nil || now.Sub(info.ModTime()) < maxUnused {
			continue
		}
		errs = append(errs, os.RemoveAll(filepath.Join(toolDir, e.Name())))
	}
	return errors.Join(errs...)
}

func binaryName(tool string) string {
	if runtime.GOOS == "windows" {
		return tool + ".exe"
	}
	return tool
}
