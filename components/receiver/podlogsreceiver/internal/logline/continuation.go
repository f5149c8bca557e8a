// SPDX-License-Identifier: Apache-2.0

package logline

import "bytes"

// Trace of a stack: what its first line tells of the lines that follow.
type traceKind uint8

const (
	indented  traceKind = iota // Java, .NET, JavaScript, Ruby: only lines that look it
	python                     // one more line, which is not indented, ends it
	goRoutine                  // calls are not indented, and empty lines separate goroutines
)

// StackTrace finds by cheap rules which lines go on with a record that a line began: indented ones and those of a stack trace of
// the JVM, .NET, JavaScript, Python and Go. The zero value is ready; each stream of a container needs its own.
type StackTrace struct {
	kind  traceKind
	ended bool
}

// First notes a line that begins a record.
func (s *StackTrace) First(line []byte) {
	*s = StackTrace{}
	switch {
	case bytes.HasPrefix(line, []byte("Traceback (most recent")):
		s.kind = python
	case bytes.HasPrefix(line, []byte("panic: ")), bytes.HasPrefix(line, []byte("fatal error: ")), bytes.HasPrefix(line, []byte("goroutine ")):
		s.kind = goRoutine
	}
}

// Continues says whether a line goes on with the record.
func (s *StackTrace) Continues(line []byte) bool {
	if s.ended {
		return false
	}
	if len(line) == 0 {
		return s.kind == goRoutine
	}
	switch c := line[0]; {
	case c == ' ' || c == '\t':
		return true
	case s.kind == python:
		s.ended = true
		return true
	case s.kind == goRoutine:
		return line[len(line)-1] == ')' || bytes.HasPrefix(line, []byte("goroutine ")) || bytes.HasPrefix(line, []byte("created by ")) ||
			bytes.HasPrefix(line, []byte("exit status "))
	case c == 'a':
		return bytes.HasPrefix(line, []byte("at "))
	case c == 'C':
		return bytes.HasPrefix(line, []byte("Caused by:"))
	case c == 'S':
		return bytes.HasPrefix(line, []byte("Suppressed:"))
	case c == '.':
		return bytes.HasPrefix(line, []byte("... "))
	}
	return false
}
