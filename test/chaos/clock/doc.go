// SPDX-License-Identifier: Apache-2.0

// Package clock makes the wall clock of one running Go process jump, and no other's.
//
// A Linux process asks for the time through a function that the kernel maps into it, clock_gettime of the vDSO. This package writes
// another one in its place, by /proc/PID/mem: it makes the system call and adds a number of seconds to the wall clock (CLOCK_REALTIME),
// which can be changed as long as the process runs. The monotonic clock goes on as it was, as it does when an administrator or NTP
// sets a machine's clock. Processes that the process starts see the right time.
package clock

import "errors"

// ErrUnsupported says that this system doesn't let a process's clock be changed; it is wrapped with the reason.
var ErrUnsupported = errors.New("the clock of a process can't be changed here")
