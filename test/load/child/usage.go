// SPDX-License-Identifier: Apache-2.0

package child

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/PID/stat: USER_HZ, which is 100 on every architecture that Go runs on.
const tick = time.Second / 100

// CPU returns the user and system time that all threads of the program have used, to 10 ms.
func (p *Process) CPU() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", p.name, err)
	}
	return parseCPU(stat)
}

func parseCPU(stat []byte) (time.Duration, error) {
	// The second field, the name, is in parentheses and may hold any character. The next one is the third; utime and stime
	// are the 14th and 15th.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat: too few fields")
	}
	var sum time.Duration
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/PID/stat: %w", err)
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// Memory is what a program holds, in bytes.
type Memory struct {
	Resident  int64 // VmRSS: all of the below
	Anonymous int64 // RssAnon: heap and stacks
	File      int64 // RssFile: pages of mapped files, which the kernel can take back
}

// Memory returns what the program holds now.
func (p *Process) Memory() (Memory, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return Memory{}, fmt.Errorf("%s: %w", p.name, err)
	}
	return parseMemory(status)
}

func parseMemory(status []byte) (Memory, error) {
	var m Memory
	found := 0
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		to := map[string]*int64{"VmRSS": &m.Resident, "RssAnon": &m.Anonymous, "RssFile": &m.File}[name]
		if to == nil {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		if err != nil {
			return m, fmt.Errorf("/proc/PID/status: %w", err)
		}
		*to = kib << 10
		found++
	}
	if found != 3 {
		return m, errors.New("/proc/PID/status: VmRSS, RssAnon or RssFile is missing")
	}
	return m, nil
}
