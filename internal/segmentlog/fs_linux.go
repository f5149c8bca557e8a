// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"errors"
	"io"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// maxVectors is the kernel's IOV_MAX.
const maxVectors = 1024

// writeVectors writes the buffers one after another at offset, without copying them together first.
func writeVectors(f *os.File, buffers [][]byte, offset int64) error {
	defer runtime.KeepAlive(f)
	fd := int(f.Fd())
	for len(buffers) > 0 {
		n, err := unix.Pwritev(fd, buffers[:min(len(buffers), maxVectors)], offset)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil {
			return &os.PathError{Op: "write", Path: f.Name(), Err: err}
		}
		if n == 0 {
			return io.ErrShortWrite
		}
		offset += int64(n)
		for n > 0 && n >= len(buffers[0]) {
			n -= len(buffers[0])
			buffers = buffers[1:]
		}
		if n > 0 {
			buffers[0] = buffers[0][n:]
		}
	}
	return nil
}

// syncFile makes the content and the size of f durable.
func syncFile(f *os.File) error {
	defer runtime.KeepAlive(f)
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
		}
		return nil
	}
}

// syncDir makes created, renamed and removed names of a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
