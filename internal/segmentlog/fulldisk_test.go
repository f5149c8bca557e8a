// SPDX-License-Identifier: Apache-2.0

//go:build linux

package segmentlog

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"golang.org/x/sys/unix"
)

const diskEnv = "SEGMENTLOG_TEST_DISK"

// smallDisk runs the calling test once more in a process with mounts of its own, which vanish with it, and there
// returns a folder on a file system of its own. In the calling process it returns "" when that is done.
func smallDisk(t *testing.T, kind string, mib int) string {
	t.Helper()
	if os.Getenv(diskEnv) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
		cmd.Env = append(os.Environ(), diskEnv+"="+kind)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
		if os.Geteuid() != 0 {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
		}
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if errors.Is(err, syscall.EPERM) || cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 77 {
			t.Skip("this system does not let the test mount a file system of its own")
		}
		require.NoError(t, err)
		return ""
	}
	dir := t.TempDir()
	if err := mountDisk(dir, kind, mib); err != nil {
		t.Logf("mount: %v", err)
		os.Exit(77)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

func mountDisk(dir, kind string, mib int) error {
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if kind == "tmpfs" {
		return unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+strconv.Itoa(mib)+"m")
	}
	image := dir + ".image"
	f, err := os.Create(image)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(int64(mib)<<20), f.Close()); err != nil {
		return err
	}
	if out, err := exec.Command("mkfs."+kind, "-q", "-F", "-m", "0", image).CombinedOutput(); err != nil {
		return errors.Join(err, errors.New(string(out)))
	}
	if out, err := exec.Command("mount", "-o", "loop", image, dir).CombinedOutput(); err != nil {
		return errors.Join(err, errors.New(string(out)))
	}
	return os.Remove(image)
}

// eatDisk takes whatever is free, as another program on a full disk does.
func eatDisk(t *testing.T, f *os.File) {
	t.Helper()
	for size := 64 << 10; size > 0; size /= 4 {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				require.ErrorIs(t, err, syscall.ENOSPC)
				break
			}
		}
	}
}

func TestFullTmpfs(t *testing.T) { testFullDisk(t, "tmpfs") }
func TestFullExt4(t *testing.T)  { testFullDisk(t, "ext4") }

func testFullDisk(t *testing.T, kind string) {
	disk := smallDisk(t, kind, 24)
	if disk == "" {
		return
	}
	for name, test := range map[string]struct {
		size    int
		reverse bool
		hostile bool // another program takes all space that is given back
		reopen  bool
	}{
		"large":               {size: 100_000},
		"large, hostile":      {size: 100_000, hostile: true},
		"large, reopened":     {size: 100_000, hostile: true, reopen: true},
		"small, hostile":      {size: 300, hostile: true},
		"small, reverse":      {size: 3000, reverse: true, hostile: true},
		"small, and reopened": {size: 300, hostile: true, reopen: true},
	} {
		for _, mode := range []SyncMode{SyncInterval, SyncAlways, SyncNever} {
			if mode == SyncAlways && kind == "ext4" && test.size < 1000 {
				continue // thousands of waits for a disk, for what the other modes show
			}
			t.Run(name+strconv.Itoa(int(mode)), func(t *testing.T) {
				drainFullDisk(t, disk, mode, test.size, test.reverse, test.hostile, test.reopen)
			})
		}
	}
}

func drainFullDisk(t *testing.T, disk string, mode SyncMode, size int, reverse, hostile, reopen bool) {
	dir := filepath.Join(disk, "client")
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	opts := Options{SegmentBytes: MinSegmentBytes, MaxBytes: 1 << 30, Sync: mode}
	l, err := Open(dir, opts)
	require.NoError(t, err)

	eater, err := os.Create(filepath.Join(disk, "other-program"))
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, eater.Close())
		require.NoError(t, os.Remove(eater.Name()))
	})
	if size < 10_000 {
		_, err := eater.Write(make([]byte, 16<<20)) // fewer items to go through
		require.NoError(t, err)
	}
	items := 0
	for {
		err := l.Batch(set(strconv.Itoa(items), value(items, size)), set("meta", value(items, 100)))
		if err != nil {
			require.ErrorIs(t, err, ErrDiskFull)
			require.ErrorIs(t, err, storage.ErrStorageFull)
			break
		}
		items++
	}
	require.Greater(t, items, 20)
	eatDisk(t, eater)
	requireValue(t, l, "meta", value(items-1, 100))
	requireValue(t, l, strconv.Itoa(items-1), value(items-1, size))
	requireValue(t, l, strconv.Itoa(items), nil)

	for i := range items {
		n := i
		if reverse {
			n = items - 1 - i
		}
		requireValue(t, l, strconv.Itoa(n), value(n, size))
		require.NoError(t, l.Batch(set("meta", value(n, 100)), del(strconv.Itoa(n))), "item %d of %d", i, items)
		if hostile {
			eatDisk(t, eater)
		}
		if i%100 == 0 {
			require.NoError(t, l.Maintain())
		}
		if reopen && i%(items/7) == 3 {
			if i%2 == 0 {
				require.NoError(t, l.Close())
			} // else the process is gone without a goodbye
			l, err = Open(dir, opts)
			require.NoError(t, err)
			require.Equal(t, items-i, l.Stats().Keys)
			requireValue(t, l, "meta", value(n, 100))
			require.Zero(t, l.Stats().CorruptBytes)
		}
	}
	for range 4 {
		require.NoError(t, l.Maintain())
	}
	require.Equal(t, 1, l.Stats().Keys)
	require.LessOrEqual(t, diskUse(t, dir), int64(MinSegmentBytes+reserveCount*reserveBytes+8192))
	require.Equal(t, diskUse(t, dir), l.Stats().DiskBytes)

	require.NoError(t, eater.Truncate(0))
	_, err = eater.Seek(0, 0)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return l.Batch(set("again", value(0, size))) == nil }, 5e9, 1e7)
	require.NoError(t, l.Close())
	l, err = Open(dir, opts)
	require.NoError(t, err)
	requireValue(t, l, "again", value(0, size))
	require.Equal(t, 2, l.Stats().Keys)
	require.NoError(t, l.Close())
}
