// SPDX-License-Identifier: Apache-2.0

//go:build !linux || !amd64

package clock

import (
	"fmt"
	"time"
)

// Clock is the wall clock of one process.
type Clock struct{}

// Attach is not supported.
func Attach(int) (*Clock, error) {
	return nil, fmt.Errorf("%w: only on Linux with amd64", ErrUnsupported)
}

// Jump is not supported.
func (*Clock) Jump(time.Duration) error { return ErrUnsupported }

// Close does nothing.
func (*Clock) Close() error { return nil }
