// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// privateMounts is set in the environment of a process that has its mounts for itself.
const privateMounts = "KOF_CHAOS_PRIVATE_MOUNTS"

// enterPrivateMounts has this program run again, in the same process, with a mount namespace of its own: what it mounts is seen by it
// and its children alone, and goes with them. Without the right to do so it does nothing.
func enterPrivateMounts() error {
	if os.Getenv(privateMounts) != "" || os.Getuid() != 0 {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// A namespace belongs to a thread; the one that execs is the one whose namespace the program has then.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		runtime.UnlockOSThread()
		if errors.Is(err, unix.EPERM) {
			return nil
		}
		return fmt.Errorf("mount namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount namespace: %w", err)
	}
	return unix.Exec(self, os.Args, append(os.Environ(), privateMounts+"=1"))
}

// noPrivateMounts says why no file system can be mounted here; "" when it can.
func noPrivateMounts() string {
	if os.Getenv(privateMounts) == "" {
		return "needs a mount namespace of its own, which only root can have here"
	}
	return ""
}

// mountSmallDisk mounts a file system of so many bytes on a new folder.
func mountSmallDisk(path string, bytes int) (unmount func() error, err error) {
	if err := os.Mkdir(path, 0o700); err != nil {
		return nil, err
	}
	if err := unix.Mount("tmpfs", path, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		return nil, fmt.Errorf("small disk: %w", err)
	}
	return func() error {
		if err := unix.Unmount(path, 0); err != nil {
			return fmt.Errorf("small disk: %w", err)
		}
		return nil
	}, nil
}
