// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"errors"
	"fmt"
	"syscall"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

var (
	// ErrQuotaExceeded is matched by the error of a Batch that would take the log, or all logs of a Budget, over its
	// limit. Nothing of such a Batch was stored. It also matches storage.ErrStorageFull.
	ErrQuotaExceeded = errors.New("quota exceeded")

	// ErrDiskFull is matched by the error of a Batch for which the file system had no room. Nothing of such a Batch was
	// stored. It also matches storage.ErrStorageFull.
	ErrDiskFull = errors.New("no space left on the disk")

	// ErrCorrupt is matched by the error of a Get whose value on disk fails its checksum. The key stays until it is
	// deleted or set again.
	ErrCorrupt = errors.New("stored value is corrupt")

	// ErrClosed is returned by every operation after Close.
	ErrClosed = errors.New("storage client is closed")

	// ErrInvalid is matched by the error of a Batch that can never be stored: an empty key, a key or a batch over its
	// bound, an unknown operation.
	ErrInvalid = errors.New("invalid storage operation")

	// ErrNewerVersion is matched by the error of Open for a folder that a newer version wrote. Nothing in it was touched.
	ErrNewerVersion = errors.New("written by a newer version")
)

// QuotaError tells which limit a refused Batch would have broken. All figures are bytes.
type QuotaError struct {
	Scope string // "client" or "total"
	Limit int64  // the configured limit
	Used  int64  // on disk now
	Need  int64  // what the Batch would have added
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("%s quota exceeded: %d bytes are used of %d, of which the last segment is kept for draining, and %d more were asked for",
		e.Scope, e.Used, e.Limit, e.Need)
}

// Is makes the error match ErrQuotaExceeded and storage.ErrStorageFull.
func (e *QuotaError) Is(target error) bool {
	return target == ErrQuotaExceeded || target == storage.ErrStorageFull
}

type diskFullError struct{ cause error }

func (e *diskFullError) Error() string { return fmt.Sprintf("%v: %v", ErrDiskFull, e.cause) }

func (e *diskFullError) Unwrap() error { return e.cause }

func (e *diskFullError) Is(target error) bool {
	return target == ErrDiskFull || target == storage.ErrStorageFull
}

// isNoSpace tells errors that go away when something is deleted. EFBIG is what a limit on the size of files gives.
func isNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
