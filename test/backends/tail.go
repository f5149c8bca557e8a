// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// maxLogTail is how much of a server's log is kept in memory for errors, in bytes.
const maxLogTail = 8 << 10

// logTail keeps the end of a server's log, notices when a marker was in it, and
// passes everything on.
type logTail struct {
	marker []byte
	next   io.Writer // nil: none

	mu   sync.Mutex
	kept []byte
	seen bool
}

func newLogTail(marker string, next io.Writer) *logTail {
	return &logTail{marker: []byte(marker), next: next}
}

// Write never fails: a broken reader of the log must not break the server.
func (l *logTail) Write(p []byte) (int, error) {
	l.mu.Lock()
	l.kept = append(l.kept, p...)
	l.seen = l.seen || bytes.Contains(l.kept, l.marker)
	if over := len(l.kept) - maxLogTail; over > 0 {
		l.kept = append(l.kept[:0], l.kept[over:]...)
	}
	l.mu.Unlock()
	if l.next != nil {
		_, _ = l.next.Write(p)
	}
	return len(p), nil
}

func (l *logTail) markerSeen() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

func (l *logTail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.TrimSpace(string(l.kept))
}

// syncWriter lets several servers share one writer.
type syncWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}
