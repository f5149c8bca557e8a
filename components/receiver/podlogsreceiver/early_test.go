// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A record that is passed on before its line has ended is followed by one of its rest, and both say so. If it was cut, the rest is left out and counted.

const part = 16 * kib

func parts(stream, letter string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteString(criLine(stream, "P", strings.Repeat(letter, part)))
	}
	return b.String()
}

// overdue makes a stepper whose container has begun a line and passed on what came of it.
func overdue(t *testing.T) (s *stepper, path string) {
	s = newStepper(t)
	path = filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, cri("one"), criPartial("begun"))
	s.begin()
	s.settle()
	s.wait(4 * time.Second)
	s.settle()
	s.expect("one")
	s.wait(time.Second)
	s.settle()
	s.expect("one", "begun")
	requirePieces(t, s, "begun")
	return s, path
}

// requirePieces compares the records that say that they are a part of a line.
func requirePieces(t *testing.T, s *stepper, want ...string) {
	t.Helper()
	var have []string
	for _, r := range s.sink.all() {
		if r.attributes[attrPartial] == true {
			have = append(have, r.body)
		}
		require.NotContains(t, r.attributes, attrTruncated)
	}
	require.ElementsMatch(t, want, have)
	require.Zero(t, s.sum("truncated_bytes"))
}

func TestEndedEarly(t *testing.T) {
	rest := []string{criPartial("0123456789"), criLine("stderr", "F", "other stream"), cri("01234"), cri("two")}
	t.Run("the rest comes", func(t *testing.T) {
		s, path := overdue(t)
		appendTo(t, path, rest[0])
		s.wait(time.Second)
		s.settle()
		s.wait(time.Minute) // once more
		s.settle()
		appendTo(t, path, rest[1:]...)
		s.poll()
		s.settle()
		s.expect("one", "begun", "0123456789", "01234", "two", "other stream")
		requirePieces(t, s, "begun", "0123456789", "01234")
	})
	t.Run("after a restart", func(t *testing.T) {
		s, path := overdue(t)
		s.restart()
		appendTo(t, path, rest[0])
		s.poll()
		s.settle()
		s.restart()
		appendTo(t, path, rest[1:]...)
		s.poll()
		s.settle()
		s.expect("one", "begun", "012345678901234", "two", "other stream")
		requirePieces(t, s, "begun", "012345678901234")
	})
	t.Run("after a kill before it was stored", func(t *testing.T) {
		s := newStepper(t)
		path := filepath.Join(s.logDir("app"), "0.log")
		appendTo(t, path, cri("one"), criPartial("begun "))
		s.begin()
		s.settle()
		s.deliver()
		s.wait(5 * time.Second)
		s.settle()
		s.kill() // the line is to be read again
		appendTo(t, path, cri("and ended"))
		s.begin()
		s.settle()
		s.expect("one", "begun and ended")
	})
	t.Run("in the next file", func(t *testing.T) {
		s, path := overdue(t)
		require.NoError(t, os.Rename(path, kubeletName(path, 1)))
		appendTo(t, path, rest...)
		s.relist()
		for range 3 {
			s.wait(time.Second)
			s.settle()
		}
		s.expect("one", "begun", "012345678901234", "two", "other stream")
		requirePieces(t, s, "begun", "012345678901234")
	})
	t.Run("in the next file, which came while it was down", func(t *testing.T) {
		s, path := overdue(t)
		s.deliver()
		s.kill()
		require.NoError(t, os.Rename(path, kubeletName(path, 1)))
		compress(t, kubeletName(path, 1), kubeletName(path, 1)+".gz")
		appendTo(t, path, rest...)
		s.begin()
		for range 3 {
			s.wait(time.Second)
			s.settle()
			s.restart()
		}
		s.expect("one", "begun", "012345678901234", "two", "other stream")
		requirePieces(t, s, "begun", "012345678901234")
	})
	t.Run("in the copy of a file that was cut", func(t *testing.T) {
		s, path := overdue(t)
		appendTo(t, path, rest[:3]...)
		s.wait(time.Second)
		copyFile(t, path, kubeletName(path, 1))
		require.NoError(t, os.Truncate(path, 0))
		appendTo(t, path, rest[3])
		for range 3 {
			s.wait(time.Second)
			s.settle()
		}
		s.expect("one", "begun", "012345678901234", "two", "other stream")
		requirePieces(t, s, "begun", "012345678901234")
	})
	t.Run("never: the container died", func(t *testing.T) {
		s, path := overdue(t)
		appendTo(t, filepath.Join(filepath.Dir(path), "1.log"), rest...)
		s.relist()
		for range 3 {
			s.wait(time.Second)
			s.settle()
		}
		s.expect("one", "begun", "012345678901234", "two", "other stream")
		requirePieces(t, s, "begun")
	})
	t.Run("never: the file was cut", func(t *testing.T) {
		s, path := overdue(t)
		require.NoError(t, os.Truncate(path, 0))
		appendTo(t, path, cri("two"))
		s.poll()
		s.settle()
		s.expect("one", "begun", "two")
	})
	t.Run("never: the container died within its line", func(t *testing.T) {
		s := newStepper(t)
		path := filepath.Join(s.logDir("app"), "0.log")
		appendTo(t, path, criPartial("begun "), criPartial("and left"))
		appendTo(t, filepath.Join(filepath.Dir(path), "1.log"), cri("two"))
		s.begin()
		for range 3 {
			s.settle()
			s.wait(time.Second)
		}
		s.expect("begun and left", "two")
		require.Empty(t, s.sink.all()[0].attributes, "nothing of it was left out")
	})
}

// More is being put together than a worker may hold: lines of many containers that have no end.
func TestTooMuchIsPutTogether(t *testing.T) {
	s := newStepper(t)
	s.cfg.MaxLineBytes = mib
	const containers, before, after = 20, 60, 20
	for i := range containers {
		appendTo(t, filepath.Join(s.logDir(fmt.Sprint("c", i)), "0.log"), parts("stdout", "y", before))
	}
	s.begin()
	s.settle()
	s.deliver()
	early := s.sink.count()
	require.Positive(t, early)
	require.Less(t, early, containers)
	require.LessOrEqual(t, s.w.spilled, maxSpilled+len(s.w.buf))
	s.restart()
	for i := range containers {
		appendTo(t, filepath.Join(s.logDir(fmt.Sprint("c", i)), "0.log"), parts("stdout", "y", after), cri("end"), cri("next"))
	}
	s.poll()
	s.settle()
	s.deliver()
	require.Less(t, s.sink.count(), 3*containers, "tiny pieces")
	var bytes int64
	for _, r := range s.sink.all() {
		if r.body != "next" {
			bytes += int64(len(r.body))
			require.True(t, r.attributes[attrTruncated] == true || r.attributes[attrPartial] == true, "%.20s", r.body)
		}
	}
	require.Zero(t, s.w.spilled)
	require.EqualValues(t, containers*((before+after)*part+len("end")), bytes+s.sum("truncated_bytes"))
}

// The lines of a record of several lines wait a second, those of the other stream, which isn't complete, as long as it may.
func TestEndedEarlyInSeveralLines(t *testing.T) {
	s := newStepper(t)
	s.cfg.Workloads = []WorkloadConfig{{Multiline: MultilineConfig{StackTraces: true}}}
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, cri("ERROR boom"), cri("\tat a"), criLine("stderr", "P", "partial "))
	s.begin()
	s.settle()
	s.wait(time.Second)
	s.settle()
	s.expect("ERROR boom\n\tat a")
	require.Empty(t, s.sink.all()[0].attributes)
	// A record that is overdue within one of its lines is cut there, and the next line begins a record.
	appendTo(t, path, criLine("stderr", "F", "line"), cri("ERROR bang"), criPartial("\tat "))
	s.poll()
	s.settle()
	s.wait(5 * time.Second)
	s.settle()
	s.expect("ERROR boom\n\tat a", "ERROR bang\n\tat ", "partial line")
	appendTo(t, path, criPartial("the "), cri("rest"), cri("INFO fine"))
	s.poll()
	s.settle()
	s.wait(time.Second)
	s.settle()
	s.expect("ERROR boom\n\tat a", "ERROR bang\n\tat ", "partial line", "the rest", "INFO fine")
	requirePieces(t, s, "ERROR bang\n\tat ", "the rest")
}

// A file that has grown since it was last looked at isn't overdue, whatever the clock says.
func TestGrownSinceThePoll(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, criPartial("begun "))
	s.begin()
	s.settle()
	s.now = s.now.Add(time.Minute)
	appendTo(t, path, criPartial("in the "))
	for _, c := range s.w.containers {
		s.w.enqueue(c)
	}
	s.settle()
	s.expect()
	appendTo(t, path, cri("middle"))
	s.poll()
	s.settle()
	s.expect("begun in the middle")
}

// What a runtime never writes, between the parts of a line, is a record of its own and no part of the line.
func TestMalformedWithinPartialLine(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, criPartial("a"), "garbage\n", criPartial("b"), cri("c"), cri("d"))
	s.begin()
	s.settle()
	s.expect("garbage", "abc", "d")
	s2, path := overdue(t)
	appendTo(t, path, "garbage\n", criPartial("b"), cri("c"), cri("d"))
	s2.poll()
	s2.settle()
	s2.expect("one", "begun", "garbage", "bc", "d")
	requirePieces(t, s2, "begun", "bc")
}

// A line without its newline was taken when it was overdue. What then comes is its rest, or else a line of its own: whoever wrote it died.
func TestNewlineComesLater(t *testing.T) {
	for name, c := range map[string]struct {
		later   string
		want    []string
		leftOut int64
	}{
		"the newline":        {"\n" + cri("two"), []string{"one", "two"}, 0},
		"the rest":           {" and more\n" + cri("two"), []string{"one", "two"}, 9},
		"another line":       {cri("two") + cri("three"), []string{"one", "two", "three"}, 0},
		"another docker one": {`{"log":"t\u0077o\n","stream":"stdout","time":"2026-11-23T18:50:26.5Z"}` + "\n", []string{"one", "two"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStepper(t)
			path := filepath.Join(s.logDir("app"), "0.log")
			appendTo(t, path, strings.TrimSuffix(cri("one"), "\n"))
			s.begin()
			s.settle()
			s.wait(5 * time.Second)
			s.settle()
			s.restart()
			appendTo(t, path, c.later[:1])
			s.poll()
			s.settle()
			appendTo(t, path, c.later[1:])
			s.poll()
			s.settle()
			s.expect(c.want...)
			require.Equal(t, c.leftOut, s.sum("truncated_bytes"))
			require.Zero(t, s.sum("malformed_lines"))
		})
	}
}
