// SPDX-License-Identifier: Apache-2.0

//go:build unix

package toolcache

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// DebianPackages returns a folder that holds the files of the named Debian packages, and of those packages that they need and
// the machine lacks, laid out as below "/". They are fetched by apt-get, which verifies their signatures, and unpacked, not
// installed: no script of theirs runs and nothing outside the cache folder changes, but that apt's list of packages is
// refreshed when it doesn't know one.
//
// The folder's name is a hash over all names and versions, so that an update of a package gives a new one.
func DebianPackages(ctx context.Context, names []string, progress io.Writer) (string, error) {
	if progress == nil {
		progress = io.Discard
	}
	userCache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no cache folder for Debian packages: %w", err)
	}
	dir := filepath.Join(userCache, "kof", "tools", "debian")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	wanted, err := planPackages(ctx, names)
	if err != nil {
		if err := aptGet(ctx, "", progress, "update", "-q"); err != nil {
			return "", fmt.Errorf("packages of Debian %s: %w", strings.Join(names, ", "), err)
		}
		if wanted, err = planPackages(ctx, names); err != nil {
			return "", err
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(wanted, "\n")))
	k := hex.EncodeToString(sum[:])[:16]
	root := filepath.Join(dir, k)
	if usedDir(root) {
		return root, nil
	}
	unlock, err := lock(ctx, filepath.Join(dir, "lock"), "Debian packages", progress)
	if err != nil {
		return "", err
	}
	defer unlock()
	if usedDir(root) {
		return root, nil
	}
	if err := fetchPackages(ctx, wanted, root, progress); err != nil {
		return "", err
	}
	if err := removeUnused(dir, k, time.Now()); err != nil {
		fmt.Fprintf(progress, "%v\n", err)
	}
	return root, nil
}

func usedDir(path string) bool {
	now := time.Now()
	return os.Chtimes(path, now, now) == nil
}

// planned matches what apt-get would install: a name, the version that is there if any, and the version to come.
var planned = regexp.MustCompile(`(?m)^Inst (\S+) (?:\[\S+\] )?\((\S+) `)

// planPackages returns "name=version" of each package that has to be fetched.
func planPackages(ctx context.Context, names []string) ([]string, error) {
	// Those that were asked for are wanted even when they are installed; a conflict with what is installed is of no matter.
	var out bytes.Buffer
	err := aptGet(ctx, "", &out, append([]string{"install", "--simulate", "--reinstall", "--no-install-recommends"}, names...)...)
	if err != nil {
		return nil, fmt.Errorf("packages of Debian: %w", err)
	}
	var wanted []string
	for _, m := range planned.FindAllStringSubmatch(out.String(), -1) {
		wanted = append(wanted, m[1]+"="+m[2])
	}
	if len(wanted) < len(names) {
		return nil, fmt.Errorf("packages of Debian: %s were asked for, and apt-get gives %q", strings.Join(names, ", "), wanted)
	}
	slices.Sort(wanted)
	return wanted, nil
}

func fetchPackages(ctx context.Context, wanted []string, root string, progress io.Writer) error {
	start := time.Now()
	fmt.Fprintf(progress, "fetching Debian packages: %s\n", strings.Join(wanted, " "))
	temp := root + ".building"
	archives, unpacked := filepath.Join(temp, "archives"), filepath.Join(temp, "root")
	if err := os.RemoveAll(temp); err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if err := errors.Join(os.MkdirAll(archives, 0o755), os.Mkdir(unpacked, 0o755)); err != nil {
		return err
	}
	if err := aptGet(ctx, archives, io.Discard, append([]string{"download", "-q"}, wanted...)...); err != nil {
		return fmt.Errorf("packages of Debian (is apt's list of packages too old? then `apt-get update` helps): %w", err)
	}
	files, err := filepath.Glob(filepath.Join(archives, "*.deb"))
	if err != nil {
		return err
	}
	if len(files) != len(wanted) {
		return fmt.Errorf("packages of Debian: %d files came for %d packages", len(files), len(wanted))
	}
	for _, file := range files {
		if out, err := exec.CommandContext(ctx, "dpkg-deb", "--extract", file, unpacked).CombinedOutput(); err != nil {
			return fmt.Errorf("unpacking %s: %w\n%s", filepath.Base(file), err, lastBytes(out, maxBuildOutput))
		}
	}
	if err := os.Rename(unpacked, root); err != nil {
		return err
	}
	fmt.Fprintf(progress, "fetched %d Debian packages in %s\n", len(files), time.Since(start).Round(time.Second))
	return nil
}

func aptGet(ctx context.Context, dir string, stdout io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	cmd.WaitDelay = interruptGrace
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", strings.Join(args, " "), err, lastBytes(stderr.Bytes(), maxBuildOutput))
	}
	return nil
}
