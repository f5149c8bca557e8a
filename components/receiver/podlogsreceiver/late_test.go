// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
)

// A file is found that was written before the one that is being read, and ends within a record or a line: nothing follows that could go on with it.
func TestOlderFileEndsWithinARecord(t *testing.T) {
	s := newStepper(t)
	s.cfg.Workloads = []WorkloadConfig{{Multiline: MultilineConfig{StackTraces: true}}}
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, cri("new"))
	s.begin()
	s.settle()
	appendTo(t, kubeletName(path, 1), cri("old"))
	s.pass(60)
	s.expect("new", "old")
}

func TestOlderFileEndsWithinALine(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, cri("new"))
	s.begin()
	s.settle()
	appendTo(t, kubeletName(path, 1), cri("old"), criPartial("begun"))
	s.pass(60)
	s.expect("new", "old", "begun")
}

// The runtime writes one more line to a file that was renamed, after the next one was begun.
func TestLateLine(t *testing.T) {
	s := newStepper(t)
	s.cfg.Workloads = []WorkloadConfig{{Multiline: MultilineConfig{StackTraces: true}}}
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, cri("one"))
	s.begin()
	s.settle()
	require.NoError(t, os.Rename(path, kubeletName(path, 1)))
	appendTo(t, path, cri("two"))
	s.pass(3)
	appendTo(t, kubeletName(path, 1), criLine("stderr", "F", "late"))
	s.pass(60)
	s.expect("one", "two", "late")
}

// The same, while the receiver is down and the file is compressed.
func TestLateLineIsCompressed(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, cri("one"))
	s.begin()
	require.NoError(t, os.Rename(path, kubeletName(path, 1)))
	appendTo(t, path, cri("two"))
	s.pass(4)
	s.expect("one", "two")
	s.kill()
	appendTo(t, kubeletName(path, 1), cri("late"))
	compress(t, kubeletName(path, 1), kubeletName(path, 1)+".gz")
	s.begin()
	s.pass(20)
	s.expect("one", "two", "late")
}

// A line without its newline waits for more of its record when the receiver is killed.
func TestKilledAfterATornLine(t *testing.T) {
	s := newStepper(t)
	s.cfg.Workloads = []WorkloadConfig{{Multiline: MultilineConfig{StackTraces: true}}}
	path := filepath.Join(s.logDir("app"), "0.log")
	line := cri("torn")
	appendTo(t, path, cri("one"), line[:len(line)-1])
	s.begin()
	s.settle()
	require.NoError(t, os.Rename(path, kubeletName(path, 1)))
	appendTo(t, path, "")
	for range 4 {
		s.relist()
		s.settle()
		s.now = s.now.Add(200 * time.Millisecond)
		s.poll()
		s.settle()
	}
	s.deliver()
	s.kill()
	s.begin()
	s.pass(20)
	s.expect("one", "torn")
}

// partialSink refuses the second half of the first batch.
type partialSink struct {
	sink
	once   bool
	during func()
}

func (s *partialSink) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	if !s.once {
		s.once = true
		rest := plog.NewLogs()
		logs.ResourceLogs().At(0).CopyTo(rest.ResourceLogs().AppendEmpty())
		s.during()
		return consumererror.NewLogs(errors.New("a part"), rest)
	}
	return s.sink.ConsumeLogs(ctx, logs)
}

// A log is cut while the pipeline refuses a part of a batch: what was begun of it is in the next batch.
func TestCutDuringAPause(t *testing.T) {
	s := newStepper(t)
	s.cfg.IncompleteTimeout = time.Hour
	s.cfg.Retry.InitialInterval = 100 * time.Millisecond
	s.cfg.Retry.MaxInterval = 100 * time.Millisecond
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path, cri("one"), criPartial("begun"))
	s.begin()
	ps := &partialSink{}
	ps.during = func() { require.NoError(t, os.Truncate(path, 0)); appendTo(t, path, cri("x")) }
	s.w.next = ps
	s.settle()
	s.w.poll(s.now)
	s.deliver()
	s.pass(5)
	s.deliver()
	require.ElementsMatch(t, []string{"one", "begun", "x"}, ps.bodies())
}

// A container's directory is removed, and made again before that was stored.
func TestRemovedAndMadeAgain(t *testing.T) {
	s := newStepper(t)
	dir := s.logDir("app")
	path := filepath.Join(dir, "0.log")
	appendTo(t, path, cri("one"))
	s.begin()
	s.settle()
	s.deliver()
	require.NoError(t, os.RemoveAll(dir))
	s.pass(30)
	s.poll()
	require.Empty(t, s.w.containers)
	s.logDir("app")
	appendTo(t, path, cri("two"))
	pods, _ := os.ReadDir(s.root)
	id, _ := parsePodDir(pods[0].Name())
	s.w.inbox.put(containerID{id, "app"}, notice{added: true})
	s.pass(3)
	s.restart()
	s.pass(3)
	s.expect("one", "two")
}

// The rest of a line comes after the file that it began in is gone.
func TestRestOfADeletedFile(t *testing.T) {
	s, path := overdue(t)
	require.NoError(t, os.Rename(path, kubeletName(path, 1)))
	appendTo(t, path, "")
	s.pass(3)
	require.NoError(t, os.Remove(kubeletName(path, 1)))
	s.pass(30)
	appendTo(t, path, cri(" rest"))
	s.pass(3)
	s.deliver()
	requirePieces(t, s, "begun", " rest")
}

// Docker's compressed file is known again after a restart, though it has no time in its beginning.
func TestCompressedFileOfDocker(t *testing.T) {
	s := newStepper(t)
	path := filepath.Join(s.logDir("app"), "0.log")
	appendTo(t, path+".1", `{"log":"`+strings.Repeat("y", 2*headSize)+`\n","stream":"stdout","time":"2026-11-23T18:50:26.5Z"}`+"\n")
	compress(t, path+".1", path+".1.gz")
	appendTo(t, path, `{"log":"new\n","stream":"stdout","time":"2026-11-23T18:50:27.5Z"}`+"\n")
	s.begin()
	s.pass(3)
	s.deliver()
	require.Equal(t, 2, s.sink.count())
	s.kill()
	s.begin()
	s.pass(3)
	s.deliver()
	require.Equal(t, 2, s.sink.count())
}
