// SPDX-License-Identifier: Apache-2.0

//go:build unix

package queuestorageextension

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const lockName = "lock"

// lockDirectory makes sure that nobody else uses the directory until the returned file is closed or the process ends.
func lockDirectory(dir string) (*os.File, error) {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return nil, fmt.Errorf("directory: %s is not writable: %w", dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("directory: %s is not writable: %w", dir, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder := ""
		b := make([]byte, 20)
		n, _ := f.ReadAt(b, 0)
		if pid := strings.TrimSpace(string(b[:n])); pid != "" {
			holder = " by process " + pid
		}
		return nil, errors.Join(
			fmt.Errorf("directory: %s is in use%s: every queue_storage extension needs a directory of its own: %w", dir, holder, err),
			f.Close())
	}
	// The number only helps people; on a full disk there may be no room for it.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return f, nil
}
