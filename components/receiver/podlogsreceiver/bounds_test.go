// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Of a container with more files than are listed the oldest are left out and counted. None of them is read when newer ones are removed, even if
// it was read before.
func TestTooManyFiles(t *testing.T) {
	const beyond = 20
	s := newStepper(t)
	dir := s.logDir("app")
	path := func(i int) string { return kubeletName(filepath.Join(dir, fmt.Sprintf("%d.log", i/40)), 10+i%40) }
	var bodies []string
	write := func(i int) {
		bodies = append(bodies, fmt.Sprintf("file %d", i))
		appendTo(t, path(i), cri(bodies[i]))
	}
	for i := range maxListed + beyond {
		write(i)
	}
	s.begin()
	s.await()
	s.expect(bodies[beyond:]...)
	require.EqualValues(t, beyond, s.sum("gaps"))
	require.EqualValues(t, beyond*len(cri("file 0")), s.sum("gap_bytes")-10, "ten numbers have a digit more")

	for i := range beyond {
		write(maxListed + beyond + i)
	}
	s.await()
	s.wait(time.Minute)
	s.await()
	for i := range 2 * beyond {
		require.NoError(t, os.Remove(path(maxListed-i)))
	}
	s.await()
	s.expect(bodies[beyond:]...)
	require.EqualValues(t, beyond, s.sum("gaps"))

	s.kill()
	s.begin()
	s.await()
	s.expect(bodies[beyond:]...)
	require.Zero(t, s.sum("gaps"))
}

// A file is found late that was written before the others, and there is no descriptor left for it: no other one is begun before it.
func TestNoDescriptorForTheOldest(t *testing.T) {
	s := newStepper(t)
	s.cfg.MaxOpenFiles = 16
	path := filepath.Join(s.logDir("app"), "0.log")
	want := []string{"begun and ended"}
	appendTo(t, kubeletName(path, 10), cri("ended"))
	for i := 11; i < 40; i++ {
		want = append(want, fmt.Sprint("file ", i))
		appendTo(t, kubeletName(path, i), cri(fmt.Sprint("file ", i)))
	}
	s.begin()
	appendTo(t, kubeletName(path, 9), criPartial("begun and "))
	s.await()
	s.expect(want...)
	require.Zero(t, s.sum("gaps"))
}

// A file that can't be opened holds up those after it for a while only.
func TestOldestCannotBeOpened(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, cri("new"))
	s.begin()
	appendTo(t, kubeletName(path, 1), cri("old"))
	s.relist()
	for _, c := range s.w.containers {
		old := c.files[0]
		s.w.closeFile(old)
		require.Equal(t, kubeletName(path, 1), old.path)
		old.unopened = s.now
	}
	s.settle()
	s.expect()
	s.now = s.now.Add(openPatience)
	s.poll()
	s.settle()
	s.expect("new")
}

// A file is renamed and compressed that was seen to grow, and not begun when its container's checkpoint was stored: it isn't counted as lost.
func TestCompressedBeforeItsTurn(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, kubeletName(path, 1), cri("old"))
	appendTo(t, path, "")
	s.begin()
	appendTo(t, path, cri("one"), cri("two"))
	s.poll() // sees it
	s.turn() // reads the old one
	s.deliver()
	s.kill()
	rotations["rename and compress"](t, path, 2)
	s.begin()
	s.await()
	s.expect("old", "one", "two")
	require.Zero(t, s.sum("gaps"))
}

// A copy was seen while it was empty, and the log is cut and an older file begun before anyone looks at the copy again.
func TestCutAfterAnEmptyCopy(t *testing.T) {
	for _, begun := range []bool{false, true} {
		t.Run(fmt.Sprint(begun), func(t *testing.T) {
			s := newStepper(t)
			path := filepath.Join(s.logDir("app"), "0.log")
			bodies, lines := numbered("line", 0, 100)
			appendTo(t, path, lines...)
			s.begin()
			s.w.buf = make([]byte, 500)
			if begun {
				s.turn()
			}
			appendTo(t, kubeletName(path, 1), cri("found late"))
			appendTo(t, kubeletName(path, 2), "")
			s.relist()
			copyFile(t, path, kubeletName(path, 2))
			require.NoError(t, os.Truncate(path, 0))
			appendTo(t, path, cri("next"))
			s.await()
			s.expect(append(bodies, "found late", "next")...)
			require.Zero(t, s.sum("gaps"))
		})
	}
}

// As before, and the receiver is killed after what was read of the log was taken; the copy was made before or after that.
func TestKilledAfterAnEmptyCopy(t *testing.T) {
	for _, late := range []bool{false, true} {
		t.Run(fmt.Sprint(late), func(t *testing.T) {
			s := newStepper(t)
			path := filepath.Join(s.logDir("app"), "0.log")
			bodies, lines := numbered("line", 0, 100)
			appendTo(t, path, lines...)
			s.begin()
			s.await()
			appendTo(t, kubeletName(path, 1), "")
			s.relist()
			if !late {
				copyFile(t, path, kubeletName(path, 1))
				s.poll()
			}
			s.deliver()
			s.kill()
			if late {
				copyFile(t, path, kubeletName(path, 1))
			}
			require.NoError(t, os.Truncate(path, 0))
			appendTo(t, path, cri("next"))
			s.begin()
			s.await()
			s.expect(append(bodies, "next")...)
			require.Zero(t, s.sum("gaps"))
		})
	}
}

// A log that wasn't begun is copied and cut, and the receiver killed: what was in it isn't counted as lost, since it is in the copy.
func TestCutBeforeItsTurn(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, kubeletName(path, 1), cri("old 1"), cri("old 2"), cri("old 3"))
	bodies, lines := numbered("line", 0, 100)
	appendTo(t, path, lines...)
	s.begin()
	s.w.buf = make([]byte, 60)
	s.turn()
	appendTo(t, kubeletName(path, 2), "")
	s.relist()
	copyFile(t, path, kubeletName(path, 2))
	require.NoError(t, os.Truncate(path, 0))
	appendTo(t, path, cri("next"))
	s.poll()
	s.turn()
	s.deliver()
	s.kill()
	s.begin()
	s.await()
	s.expect(append(bodies, "old 1", "old 2", "old 3", "next")...)
	require.Zero(t, s.sum("gaps"))
}

// All of a container's files were read, and some of them are beyond the bound: they are no gap, also after a restart.
func TestTooManyFilesThatWereRead(t *testing.T) {
	s := newStepper(t)
	dir := s.logDir("app")
	path := func(i int) string { return kubeletName(filepath.Join(dir, fmt.Sprintf("%d.log", i/40)), 10+i%40) }
	n := 0
	write := func() { appendTo(t, path(n), cri(fmt.Sprint("file ", n))); n++ }
	for range maxListed {
		write()
	}
	s.begin()
	s.await()
	for range 20 {
		write()
	}
	s.await()
	s.wait(time.Minute)
	s.await()
	s.deliver()
	require.Equal(t, n, s.sink.count())
	require.Zero(t, s.sum("gaps"))
	s.kill()
	s.begin()
	s.await()
	require.Zero(t, s.sum("gaps"), "all was read")
}

// A log gets no descriptor before it is copied and cut.
func TestCutBeforeItWasOpened(t *testing.T) {
	s := newStepper(t)
	s.cfg.MaxOpenFiles = 16
	path := filepath.Join(s.logDir("app"), "0.log")
	for i := range 16 {
		appendTo(t, filepath.Join(s.logDir(fmt.Sprint("a", i)), "0.log"), cri("other"))
	}
	s.begin()
	_, lines := numbered("line", 0, 100)
	appendTo(t, path, lines...)
	s.relist()
	s.settle()
	s.wait(time.Second)
	copyFile(t, path, kubeletName(path, 1))
	require.NoError(t, os.Truncate(path, 0))
	appendTo(t, path, cri("next"))
	s.pass(3)
	for i := range 16 {
		require.NoError(t, os.RemoveAll(s.logDir(fmt.Sprint("a", i))))
	}
	s.pass(20)
	s.deliver()
	require.Zero(t, s.sum("gaps"))
	require.Equal(t, 16+101, s.sink.count())
}
