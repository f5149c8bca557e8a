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

// A file is found that was written before the one that is being read, in the middle of a line: neither's lines become part of the other's.
func TestOlderFileIsFoundLater(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	older := parts("stdout", "x", 20) + cri("end of x") + cri("old")
	appendTo(t, path, parts("stdout", "y", 20), cri("end of y"), cri("new"))
	s.begin()
	s.turn() // ends within the line
	appendTo(t, kubeletName(path, 1), older)
	s.relist()
	s.turn() // of the older file, and ends within its line
	s.restart()
	for range 3 {
		s.settle()
		s.wait(time.Second)
	}
	s.deliver()
	var bodies []string
	for _, r := range s.sink.all() {
		bodies = append(bodies, fmt.Sprintf("%.3s %d", r.body, len(r.body)))
	}
	require.ElementsMatch(t, []string{"xxx 262144", "yyy 262144", "old 3", "new 3"}, bodies)
}

// What was begun of a line whose file can't be read on is passed on, marked, and nothing of the next file becomes part of it.
func TestFileIsLostWithinALine(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	var text strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&text, "%s", criPartial(fmt.Sprintf("%x", i*7919)))
	}
	appendTo(t, path, text.String())
	gz := kubeletName(path, 1) + ".gz"
	compress(t, path, gz)
	content, err := os.ReadFile(gz)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(gz, content[:len(content)*9/10], 0o600))
	appendTo(t, path, cri("two"))
	s.begin()
	for range 40 {
		s.settle()
		s.wait(time.Second)
	}
	s.deliver()
	all := s.sink.all()
	require.Len(t, all, 2)
	require.Equal(t, "two", all[0].body, "which doesn't wait for what may be being written")
	require.Equal(t, map[string]any{attrTruncated: true}, all[1].attributes)
	require.EqualValues(t, 1, s.sum("gaps"))
	require.Zero(t, s.w.spilled)
}

// A log is copied and cut twice between two looks at it, the first time within a line.
func TestCutTwice(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, cri("one"), criPartial("begun "))
	s.begin()
	s.settle()
	copyFile(t, path, kubeletName(path, 1))
	require.NoError(t, os.Truncate(path, 0))
	appendTo(t, path, criPartial("and "), cri("ended"), cri("two"), criPartial("begun "))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(kubeletName(path, 2), content[:len(content)-8], 0o600)) // as far as it was made
	s.relist()
	s.settle()
	require.NoError(t, os.WriteFile(kubeletName(path, 2), content, 0o600))
	s.poll()
	s.settle()
	require.NoError(t, os.Truncate(path, 0))
	appendTo(t, path, cri("again"), cri("three"))
	for range 5 {
		s.relist()
		s.settle()
		s.wait(time.Second)
	}
	s.expect("one", "begun and ended", "two", "begun again", "three")
	require.Zero(t, s.sum("gaps"))
}

// Killed while a log is being copied to be cut, the receiver goes on with the log and not with what is there of the copy.
func TestKilledWithinACopy(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	bodies, lines := numbered("line", 0, 100)
	appendTo(t, path, lines...)
	s.begin()
	s.settle()
	s.restart()
	s.deliver()
	s.kill()
	appendTo(t, path, cri("before the copy"))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, there := range []int{len(content) / 2, len(content) - 10} {
		require.NoError(t, os.WriteFile(kubeletName(path, 1), content[:there], 0o600))
		s.begin()
		s.settle()
		s.deliver()
		s.kill()
	}
	require.NoError(t, os.WriteFile(kubeletName(path, 1), content, 0o600))
	s.begin()
	s.settle()
	require.NoError(t, os.Truncate(path, 0))
	appendTo(t, path, cri("after the copy"))
	for range 3 {
		s.relist()
		s.settle()
		s.wait(time.Second)
	}
	s.expect(append(bodies, "before the copy", "after the copy")...)
	require.Zero(t, s.sum("gaps"))
}

// Two files of Docker's begin alike, as the parts of long lines do: the newer one isn't taken for the older one after a restart.
func TestFilesThatBeginAlike(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	line := func(n int) string {
		part := `{"log":"` + strings.Repeat("y", 2*headSize) + `","stream":"stdout","time":"2026-11-23T18:50:26.5Z"}` + "\n"
		return strings.Repeat(part, n) + `{"log":"end\n","stream":"stdout","time":"2026-11-23T18:50:26.5Z"}` + "\n"
	}
	appendTo(t, path, line(2))
	s.begin()
	s.settle()
	s.deliver()
	s.kill()
	require.NoError(t, os.Rename(path, path+".1"))
	appendTo(t, path, line(4))
	s.begin()
	for range 3 {
		s.settle()
		s.wait(time.Second)
	}
	s.deliver()
	var lengths []int
	for _, r := range s.sink.all() {
		lengths = append(lengths, len(r.body))
	}
	require.Equal(t, []int{4*headSize + 3, 8*headSize + 3}, lengths)
}

// The number of a file that Docker has removed becomes that of its next one, which begins like it: both are parts of long lines.
func TestNumberIsUsedAgain(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	line := func(n int) string {
		part := `{"log":"` + strings.Repeat("y", 2*headSize) + `","stream":"stdout","time":"2026-11-23T18:50:26.5Z"}` + "\n"
		return strings.Repeat(part, n) + `{"log":"end\n","stream":"stdout","time":"2026-11-23T18:50:26.5Z"}` + "\n"
	}
	settle := func() {
		for range 4 { // until the older one is closed
			s.relist()
			s.settle()
			s.wait(drainFor)
		}
	}
	appendTo(t, path, line(2))
	s.begin()
	require.NoError(t, os.Rename(path, path+".1"))
	appendTo(t, path, line(3))
	settle()
	for _, kill := range []bool{false, true} {
		if kill {
			s.deliver()
			s.kill()
		}
		away := filepath.Join(t.TempDir(), "removed")
		require.NoError(t, os.Rename(path+".1", away))
		require.NoError(t, os.Rename(path, path+".1"))
		require.NoError(t, os.WriteFile(away, []byte(line(4)), 0o600))
		require.NoError(t, os.Rename(away, path))
		if kill {
			s.begin()
		}
		settle()
	}
	s.deliver()
	var lengths []int
	for _, r := range s.sink.all() {
		lengths = append(lengths, len(r.body)/headSize)
	}
	require.Equal(t, []int{4, 6, 8, 8}, lengths)
}

// However long it takes until a directory is listed again in which files are being renamed, no file is begun before the one that may be missing.
func TestRenamedForLong(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path+".3", cri("old"))
	appendTo(t, path, cri("ended"))
	hidden := filepath.Join(t.TempDir(), "between two names")
	appendTo(t, hidden, criPartial("begun and "))
	times := func(at time.Time) { require.NoError(t, os.Chtimes(filepath.Dir(path), time.Time{}, at)) }
	times(time.Now().Add(9 * time.Millisecond)) // always just changed
	s.begin()
	for range 4 {
		times(time.Now().Add(9 * time.Millisecond))
		s.relist()
		s.settle()
		times(time.Now().Add(9 * time.Millisecond))
		s.wait(time.Minute)
		s.settle()
	}
	require.NoError(t, os.Rename(hidden, path+".1"))
	times(time.Now().Add(-time.Hour))
	for range 6 {
		s.relist()
		s.settle()
		s.wait(time.Second)
	}
	s.expect("old", "begun and ended")
}
