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

// An earlier run's file is gone, and there are more files than descriptors: neither waits for the other.
func TestMissedFileAndTooFewDescriptors(t *testing.T) {
	s := newStepper(t)
	s.cfg.MaxOpenFiles = 16
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, cri("one"), criPartial("begun"))
	s.begin()
	s.settle()
	s.deliver()
	s.kill()
	require.NoError(t, os.Remove(path))
	want := []string{"one"}
	for i := range 20 {
		b := fmt.Sprint("file ", i)
		want = append(want, b)
		appendTo(t, filepath.Join(filepath.Dir(path), fmt.Sprintf("%d.log", i+1)), cri(b))
	}
	s.begin()
	s.pass(300)
	s.expect(want...)
}

// An earlier run's file is gone, and its compressed form is empty, as after a loss of power: what is newer is read, and both are counted.
func TestMissedFileAndDamagedOne(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, cri("one"), criPartial("begun"))
	s.begin()
	s.settle()
	s.deliver()
	s.kill()
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(kubeletName(path, 1)+".gz", nil, 0o600))
	appendTo(t, filepath.Join(filepath.Dir(path), "1.log"), cri("two"))
	s.begin()
	s.pass(300)
	s.expect("one", "two")
	require.EqualValues(t, 2, s.sum("gaps"), "what is missed, and what can't be read")
}

// A file that can't be read at all is counted once.
func TestDamagedFileIsCounted(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	require.NoError(t, os.WriteFile(kubeletName(path, 1)+".gz", []byte("no gzip at all"), 0o600))
	appendTo(t, path, cri("two"))
	s.begin()
	s.pass(300)
	s.expect("two")
	require.EqualValues(t, 1, s.sum("gaps"))
}

// The same for one that can't be read any more.
func TestUnreadableFileIsCountedOnce(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, cri("one"))
	s.begin()
	for range 10 {
		for _, c := range s.w.containers {
			for _, f := range c.files {
				if f.open != nil {
					d, err := os.Open(s.root) // reading it gives EISDIR
					require.NoError(t, err)
					f.open.Close()
					f.open = d
				}
			}
			s.w.enqueue(c)
		}
		s.settle()
		s.wait(2 * time.Second)
	}
	require.EqualValues(t, 1, s.sum("gaps"))
}

// start_at: end holds for what is there at first, even if a file can't be read.
func TestStartAtEndAndDamagedFile(t *testing.T) {
	s := newStepper(t)
	s.logDir("other")
	s.begin()
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, cri("before"))
	require.NoError(t, os.WriteFile(path+".old.gz", nil, 0o600))
	pods, err := os.ReadDir(s.root)
	require.NoError(t, err)
	id, _ := parsePodDir(pods[0].Name())
	s.w.inbox.put(containerID{id, "app"}, notice{added: true, fromEnd: true})
	s.pass(3)
	appendTo(t, path, cri("one"))
	s.pass(3)
	require.NoError(t, os.Rename(path, kubeletName(path, 1)))
	appendTo(t, path, cri("two"))
	s.pass(3)
	s.expect("one", "two")
}

// A file that has two names is read, if twice.
func TestHardLink(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, "short\n")
	require.NoError(t, os.Link(path, path+".keep"))
	s.begin()
	s.pass(100)
	s.expect("short", "short")
}

// A directory was changed in the future.
func TestClockSteppedBack(t *testing.T) {
	s := newStepper(t)
	dir := s.logDir("app")
	path := filepath.Join(dir, "0.log")
	appendTo(t, path, "short\n")
	appendTo(t, filepath.Join(dir, "1.log"), "short2\n")
	require.NoError(t, os.Chtimes(dir, time.Time{}, time.Now().Add(time.Hour)))
	s.begin()
	for range 60 {
		s.wait(time.Second)
		s.settle()
	}
	s.expect("short", "short2")
}

// A file that was rotated with one short line is no copy that is being made.
func TestShortRotatedFile(t *testing.T) {
	s := newStepper(t)
	s.cfg.IncompleteTimeout = time.Hour
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path+".1", "starting\n")
	appendTo(t, path, cri("two"))
	s.begin()
	s.pass(60)
	s.expect("starting", "two")
}

// No file is closed for an older one that then can't be opened.
func TestOlderFileCannotBeOpened(t *testing.T) {
	s := newStepper(t)
	s.cfg.MaxOpenFiles = 16
	path := filepath.Join(s.logDir("app"), "0.log")
	for i := 10; i < 26; i++ {
		appendTo(t, kubeletName(path, i), cri("x"))
	}
	s.begin()
	for _, c := range s.w.containers {
		gone := &file{name: logName{suffix: "20261122"}, path: path + ".20261122", listed: true}
		c.files = append([]*file{gone}, c.files...)
		require.NoError(t, os.Remove(kubeletName(path, 25)))
		s.w.openAll(c, s.now)
	}
	s.pass(100)
	s.deliver()
	require.Equal(t, 16, s.sink.count())
}
