// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func compress(t testing.TB, path, to string) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err = z.Write(content)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, os.WriteFile(to+".tmp", b.Bytes(), 0o644))
	require.NoError(t, os.Rename(to+".tmp", to))
	require.NoError(t, os.Remove(path))
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	require.NoError(t, err)
	defer in.Close()
	out, err := os.Create(to)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
}

// rotations are the ways in which a log file is rotated; each leaves an empty or missing file at path.
var rotations = map[string]func(t testing.TB, path string, n int){
	"rename": func(t testing.TB, path string, n int) {
		require.NoError(t, os.Rename(path, kubeletName(path, n)))
	},
	"rename and compress": func(t testing.TB, path string, n int) {
		rotated := kubeletName(path, n)
		require.NoError(t, os.Rename(path, rotated))
		compress(t, rotated, rotated+".gz")
	},
	"copy and truncate": func(t testing.TB, path string, n int) {
		copyFile(t, path, kubeletName(path, n))
		require.NoError(t, os.Truncate(path, 0))
	},
	"copy, truncate and compress": func(t testing.TB, path string, n int) {
		rotated := kubeletName(path, n)
		copyFile(t, path, rotated)
		require.NoError(t, os.Truncate(path, 0))
		compress(t, rotated, rotated+".gz")
	},
	"numbers that grow with age": func(t testing.TB, path string, n int) {
		for i := n; i > 0; i-- {
			_ = os.Rename(fmt.Sprintf("%s.%d", path, i), fmt.Sprintf("%s.%d", path, i+1))
		}
		require.NoError(t, os.Rename(path, path+".1"))
	},
}

// kubeletName is what the kubelet renames a log to at its n-th rotation.
func kubeletName(path string, n int) string { return fmt.Sprintf("%s.20261123-1850%02d", path, n) }

func eachRotation(t *testing.T, test func(t *testing.T, rotate func(testing.TB, string, int))) {
	for name, rotate := range rotations {
		t.Run(name, func(t *testing.T) { test(t, rotate) })
	}
}

// Lines before, in and after many rotations, some of which come before the last one was seen.
func TestRotation(t *testing.T) {
	eachRotation(t, func(t *testing.T, rotate func(testing.TB, string, int)) {
		n := newNode(t)
		path := filepath.Join(n.logDir("app"), "0.log")
		n.start()
		var want []string
		for i := range 12 {
			bodies, lines := numbered("line", i*100, (i+1)*100)
			want = append(want, bodies...)
			half := len(lines) / 2
			appendTo(t, path, lines[:half]...)
			if i%3 == 0 {
				n.sink.awaitBodies(t, want[:len(want)-half]...)
			}
			appendTo(t, path, lines[half:]...)
			if i%4 != 1 {
				n.sink.awaitBodies(t, want...)
			}
			rotate(t, path, i)
			// A truncation that no poll sees can't be told from one that was seen, but for the content; so it is let be seen.
			if i%2 == 0 {
				time.Sleep(15 * time.Millisecond)
			}
		}
		n.sink.awaitBodies(t, want...)
		require.Never(t, func() bool { return n.sink.count() != len(want) }, 300*time.Millisecond, 50*time.Millisecond, "read again")
		require.Zero(t, n.sum("gaps"))
	})
}

// The receiver is down while logs are rotated, once and twice.
func TestRotationWhileDown(t *testing.T) {
	for _, times := range []int{1, 2} {
		eachRotation(t, func(t *testing.T, rotate func(testing.TB, string, int)) {
			n := newNode(t)
			path := filepath.Join(n.logDir("app"), "0.log")
			want, lines := numbered("before", 0, 100)
			appendTo(t, path, lines...)
			n.start()
			n.sink.awaitBodies(t, want...)
			n.stop()
			for i := range times {
				bodies, lines := numbered(fmt.Sprintf("down %d", i), 0, 100)
				appendTo(t, path, lines...)
				want = append(want, bodies...)
				rotate(t, path, i)
			}
			bodies, lines := numbered("after", 0, 100)
			appendTo(t, path, lines...)
			want = append(want, bodies...)
			n.start()
			n.sink.awaitBodies(t, want...)
			require.Never(t, func() bool { return n.sink.count() != len(want) }, 200*time.Millisecond, 50*time.Millisecond, "read again")
			require.Zero(t, n.sum("gaps"))
			// A third run reads nothing again.
			n.stop()
			n.start()
			appendTo(t, path, cri("third"))
			n.sink.awaitBodies(t, append(want, "third")...)
		})
	}
}

func TestPartialLineOverRotation(t *testing.T) {
	n := newNode(t)
	n.cfg.IncompleteTimeout = time.Hour
	path := filepath.Join(n.logDir("app"), "0.log")
	appendTo(t, path, cri("one"), criPartial("begun "))
	n.start()
	n.sink.awaitBodies(t, "one")
	require.NoError(t, os.Rename(path, kubeletName(path, 1)))
	appendTo(t, path, criPartial("in "))
	require.Eventually(t, func() bool { return n.sum("open_files") == 2 }, patience, time.Millisecond)
	time.Sleep(100 * time.Millisecond)
	n.stop()
	appendTo(t, path, cri("the next"), cri("two"))
	n.start()
	n.sink.awaitBodies(t, "one", "begun in the next", "two")
}

func TestMissingNewlineAtRotation(t *testing.T) {
	n := newNode(t)
	n.cfg.IncompleteTimeout = time.Hour
	path := filepath.Join(n.logDir("app"), "0.log")
	appendTo(t, path, strings.TrimSuffix(cri("cut"), "\n"))
	n.start()
	time.Sleep(50 * time.Millisecond)
	require.Zero(t, n.sink.count())
	require.NoError(t, os.Rename(path, kubeletName(path, 1)))
	appendTo(t, path, cri("next"))
	n.sink.awaitBodies(t, "cut", "next")
	// The pod goes, and its directory with it.
	appendTo(t, path, strings.TrimSuffix(cri("end"), "\n"))
	time.Sleep(50 * time.Millisecond)
	require.NoError(t, os.RemoveAll(filepath.Dir(filepath.Dir(path))))
	n.sink.awaitBodies(t, "cut", "next", "end")
}

func TestGaps(t *testing.T) {
	t.Run("truncated without a copy", func(t *testing.T) {
		n := newNode(t)
		path := filepath.Join(n.logDir("app"), "0.log")
		bodies, lines := numbered("line", 0, 10)
		appendTo(t, path, lines...)
		n.start()
		n.sink.awaitBodies(t, bodies...)
		n.stop()
		n.cfg.IncompleteTimeout = time.Hour
		n.start()
		appendTo(t, path, "0123456789") // seen, but not read: it isn't complete
		require.Eventually(t, func() bool { return n.sum("lag_bytes") == 10 }, patience, time.Millisecond)
		require.NoError(t, os.Truncate(path, 0))
		appendTo(t, path, cri("new"))
		n.sink.awaitBodies(t, append(bodies, "new")...)
		require.EqualValues(t, 10, n.sum("gap_bytes"))
	})
	t.Run("deleted while down", func(t *testing.T) {
		n := newNode(t)
		n.cfg.IncompleteTimeout = time.Hour
		path := filepath.Join(n.logDir("app"), "0.log")
		appendTo(t, path, cri("one"), "01234")
		n.start()
		n.sink.awaitBodies(t, "one")
		n.stop()
		require.NoError(t, os.Remove(path))
		appendTo(t, path, cri("two"))
		n.start()
		n.sink.awaitBodies(t, "one", "two")
		require.Eventually(t, func() bool { return n.sum("gap_bytes") == 5 && n.sum("gaps") == 1 }, patience, time.Millisecond)
	})
	t.Run("pod deleted while down", func(t *testing.T) {
		n := newNode(t)
		n.cfg.IncompleteTimeout = time.Hour
		dir := n.logDir("app")
		appendTo(t, filepath.Join(dir, "0.log"), cri("one"), "01234")
		n.start()
		n.sink.awaitBodies(t, "one")
		n.stop()
		require.NoError(t, os.RemoveAll(filepath.Dir(dir)))
		n.start()
		require.Eventually(t, func() bool { return n.sum("gap_bytes") == 5 }, patience, time.Millisecond)
		require.Eventually(t, func() bool { return len(n.receiver.(*podLogs).store.keys()) == 0 }, patience, time.Millisecond)
		n.stop()
		n.start()
		require.Never(t, func() bool { return n.sum("gaps") > 0 }, 100*time.Millisecond, 10*time.Millisecond)
	})
	t.Run("damaged", func(t *testing.T) {
		n := newNode(t)
		path := filepath.Join(n.logDir("app"), "0.log")
		lines := make([]string, 0, 50_000)
		for i := range 50_000 {
			lines = append(lines, cri(fmt.Sprintf("%x", i*7919)))
		}
		appendTo(t, path, strings.Join(lines, ""))
		compress(t, path, kubeletName(path, 1)+".gz")
		content, err := os.ReadFile(kubeletName(path, 1) + ".gz")
		require.NoError(t, err)
		content[len(content)-len(content)/4] ^= 0x55
		require.NoError(t, os.WriteFile(kubeletName(path, 1)+".gz", content, 0o644))
		appendTo(t, path, cri("new"))
		n.start()
		// Deflate may not see it, but the checksum at the end does.
		require.Eventually(t, func() bool { return n.sum("gaps") == 1 }, 2*patience, 10*time.Millisecond)
		require.Eventually(t, func() bool { b := n.sink.bodies(); return len(b) > 0 && b[len(b)-1] == "new" }, patience, 10*time.Millisecond)
	})
}

// The number of a deleted file is often given to the next one.
func TestInodeIsUsedAgain(t *testing.T) {
	n := newNode(t)
	path := filepath.Join(n.logDir("app"), "0.log")
	var want []string
	for i := range 5 {
		bodies, lines := numbered(fmt.Sprintf("run %d", i), 0, 10+i)
		appendTo(t, path, lines...)
		want = append(want, bodies...)
		n.start()
		n.sink.awaitBodies(t, want...)
		n.stop()
		require.NoError(t, os.Remove(path))
	}
}

func TestStartAtEnd(t *testing.T) {
	n := newNode(t)
	n.cfg.StartAt = startAtEnd
	path := filepath.Join(n.logDir("app"), "0.log")
	appendTo(t, path, cri("old"))
	appendTo(t, kubeletName(path, 1), cri("older"))
	n.start()
	require.Eventually(t, func() bool { return n.sum("containers") == 1 }, patience, time.Millisecond)
	appendTo(t, filepath.Join(n.logDir("new"), "0.log"), cri("of a new container"))
	n.sink.awaitBodies(t, "of a new container")
	appendTo(t, path, cri("new"))
	n.sink.awaitBodies(t, "of a new container", "new")
	n.stop()
	appendTo(t, filepath.Join(n.logDir("newer"), "0.log"), cri("of a container born while down"))
	n.start()
	n.sink.awaitBodies(t, "of a new container", "new", "of a container born while down")
}

// Docker's logs are elsewhere, behind symbolic links, and so are the rotated ones.
func TestDockerRotation(t *testing.T) {
	n := newNode(t)
	docker := t.TempDir()
	target := filepath.Join(docker, "abc-json.log")
	line := func(body string) string {
		return fmt.Sprintf(`{"log":"%s\n","stream":"stdout","time":"%s"}`+"\n", body, nextTime())
	}
	require.NoError(t, os.Symlink(target, filepath.Join(n.logDir("app"), "0.log")))
	appendTo(t, target, line("one"))
	n.start()
	n.sink.awaitBodies(t, "one")
	want := []string{"one"}
	for i := range 4 {
		for age := 3; age > 1; age-- {
			_ = os.Rename(fmt.Sprintf("%s.%d.gz", target, age-1), fmt.Sprintf("%s.%d.gz", target, age))
		}
		if _, err := os.Stat(target + ".1"); err == nil {
			compress(t, target+".1", target+".2.gz")
		}
		late, next := fmt.Sprint("late ", i), fmt.Sprint("next ", i)
		appendTo(t, target, line(late))
		require.NoError(t, os.Rename(target, target+".1"))
		appendTo(t, target, line(next))
		want = append(want, late, next)
		n.sink.awaitBodies(t, want...)
		if i == 1 {
			n.stop()
			n.start()
		}
	}
	require.Never(t, func() bool { return n.sink.count() != len(want) }, 300*time.Millisecond, 50*time.Millisecond)
}
