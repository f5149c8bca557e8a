// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// code is the new function, int clock_gettime(clockid_t edi, struct timespec *rsi), followed by the seconds to add.
var code = []byte{
	0xb8, 228, 0, 0, 0, // mov  eax, SYS_clock_gettime
	0x0f, 0x05, //         syscall
	0x85, 0xff, //         test edi, edi       ; CLOCK_REALTIME is 0
	0x75, 10, //           jne  return
	0x48, 0x8b, 0x0d, 6, 0, 0, 0, // mov rcx, [rip+6] ; the seconds
	0x48, 0x01, 0x0e, //   add  [rsi], rcx     ; tv_sec
	0xc3,       //   return: ret
	0x90, 0x90, // so that the seconds are aligned
	0, 0, 0, 0, 0, 0, 0, 0,
}

const secondsAt = 24

// Clock is the wall clock of one process.
type Clock struct {
	mem     *os.File
	address int64 // of the new function
}

// Attach takes over the wall clock of a running process of this user, which stops for some milliseconds. It stays as it is until Jump.
func Attach(pid int) (*Clock, error) {
	start, end, err := vdso(pid)
	if err != nil {
		return nil, err
	}
	mem, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	c := &Clock{mem: mem}
	offset, err := function(mem, start, end)
	if err == nil {
		c.address = start + offset
		err = c.replace(pid, start, end)
	}
	if err != nil {
		return nil, errors.Join(err, mem.Close())
	}
	return c, nil
}

// Jump sets the process's wall clock ahead of the machine's, or, with a negative duration, behind it; to whole seconds.
func (c *Clock) Jump(ahead time.Duration) error {
	var seconds [8]byte
	binary.LittleEndian.PutUint64(seconds[:], uint64(int64(ahead/time.Second)))
	if _, err := c.mem.WriteAt(seconds[:], c.address+secondsAt); err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	return nil
}

// Close ends the use of the clock; what it shows stays as it is.
func (c *Clock) Close() error { return c.mem.Close() }

// vdso returns where it is mapped.
func vdso(pid int) (start, end int64, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("clock: %w", err)
	}
	for line := range strings.Lines(string(maps)) {
		if !strings.HasSuffix(strings.TrimSpace(line), "[vdso]") {
			continue
		}
		if _, err := fmt.Sscanf(line, "%x-%x", &start, &end); err != nil {
			return 0, 0, fmt.Errorf("clock: /proc/PID/maps: %w", err)
		}
		return start, end, nil
	}
	return 0, 0, fmt.Errorf("%w: the process has no vDSO", ErrUnsupported)
}

// function returns the offset of clock_gettime in the vDSO.
func function(mem *os.File, start, end int64) (int64, error) {
	image := make([]byte, end-start)
	if _, err := mem.ReadAt(image, start); err != nil {
		return 0, fmt.Errorf("%w: reading the vDSO: %w", ErrUnsupported, err)
	}
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	for _, s := range symbols {
		if s.Name != "__vdso_clock_gettime" {
			continue
		}
		// The seconds have to be aligned, and all has to fit.
		if s.Value%8 != 0 || s.Size < uint64(len(code)) || s.Value+s.Size > uint64(len(image)) {
			return 0, fmt.Errorf("%w: clock_gettime of the vDSO is at %#x, %d bytes", ErrUnsupported, s.Value, s.Size)
		}
		return int64(s.Value), nil
	}
	return 0, fmt.Errorf("%w: the vDSO has no clock_gettime", ErrUnsupported)
}

// replace writes the new function while the process is stopped and no thread is in the old one.
func (c *Clock) replace(pid int, start, end int64) (err error) {
	const tries = 50
	for range tries {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			return fmt.Errorf("clock: %w", err)
		}
		busy, err := inside(pid, start, end)
		if err == nil && !busy {
			if _, err = c.mem.WriteAt(code, c.address); err != nil {
				err = fmt.Errorf("%w: writing the vDSO: %w", ErrUnsupported, err)
			}
		}
		if err := errors.Join(err, syscall.Kill(pid, syscall.SIGCONT)); err != nil || !busy {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("%w: some thread was asking for the time %d times", ErrUnsupported, tries)
}

// inside says whether a thread of a process that is being stopped is in the vDSO, after all have stopped.
func inside(pid int, start, end int64) (bool, error) {
	deadline := time.Now().Add(5 * time.Second)
	for {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/syscall", pid))
		if err != nil || len(threads) == 0 {
			return false, fmt.Errorf("clock: the process has no threads: %w", err)
		}
		stopped, in := true, false
		for _, path := range threads {
			// proc_pid_syscall(5): "running", or the call's number and arguments, if it is in one, then stack pointer and program counter.
			text, err := os.ReadFile(path)
			fields := strings.Fields(string(text))
			if err != nil || len(fields) < 3 {
				stopped = false
				break
			}
			pc, err := strconv.ParseInt(fields[len(fields)-1], 0, 64)
			if err != nil {
				return false, fmt.Errorf("%w: %s: %w", ErrUnsupported, path, err)
			}
			in = in || pc >= start && pc < end
		}
		if stopped && allStopped(pid) {
			return in, nil
		}
		if time.Now().After(deadline) {
			return false, fmt.Errorf("%w: the process doesn't stop", ErrUnsupported)
		}
		time.Sleep(time.Millisecond)
	}
}

// allStopped says whether the state of each thread is T, stopped by a signal (proc_pid_stat(5)).
func allStopped(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		return false
	}
	for _, path := range threads {
		text, err := os.ReadFile(path)
		// The name in parentheses may hold anything.
		_, after, found := strings.Cut(string(text), ") ")
		if err != nil || !found || !strings.HasPrefix(after, "T") {
			return false
		}
	}
	return true
}
