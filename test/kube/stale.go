// SPDX-License-Identifier: Apache-2.0

//go:build unix

package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// startGrace is how old a folder without a lock has to be to count as left over.
const startGrace = time.Minute

// removeStale removes what is left of clusters in temporary folders whose holder was killed: cgroups and files. Their
// processes, and with those their mounts and networks, ended with the holder.
func removeStale(ctx context.Context, tool string, progress io.Writer) error {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		removed, err := removeIfDead(ctx, tool, dir)
		if err != nil {
			return fmt.Errorf("what a killed cluster left in %s: %w", dir, err)
		}
		if removed {
			fmt.Fprintf(progress, "removed what a killed cluster left in %s\n", dir)
		}
	}
	return nil
}

// removeDead removes what is left of a killed cluster in a folder that was asked for. A folder of anything else stays.
func removeDead(ctx context.Context, tool, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, lockFile)); err != nil {
		return nil // and if there is a folder, making it fails
	}
	removed, err := removeIfDead(ctx, tool, dir)
	if err == nil && !removed {
		err = fmt.Errorf("a cluster runs in %s already", dir)
	}
	return err
}

// removeIfDead removes a cluster's folder and cgroups unless something holds it.
func removeIfDead(ctx context.Context, tool, dir string) (bool, error) {
	lock, err := tryLock(filepath.Join(dir, lockFile), 0)
	switch {
	case err == nil:
		defer lock.Close()
	case errors.Is(err, syscall.EWOULDBLOCK):
		return false, nil
	case errors.Is(err, os.ErrNotExist):
		info, err := os.Stat(dir)
		if errors.Is(err, os.ErrNotExist) {
			return true, nil // its holder removed it
		}
		// Its holder is about to remove it, or whoever starts it about to make the lock.
		if err != nil || time.Since(info.ModTime()) < startGrace {
			return false, err
		}
	default:
		return false, err
	}
	if out, err := exec.CommandContext(ctx, tool, "clean", "-dir", dir).CombinedOutput(); err != nil {
		return false, fmt.Errorf("%w\n%s", err, out)
	}
	return true, os.RemoveAll(dir)
}

// tryLock takes the exclusive lock of a file. The kernel releases it when all who have the file open are gone.
func tryLock(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|flag, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}
