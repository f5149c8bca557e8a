// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// starters are the three servers; each test that is about processes runs for all.
var starters = map[string]func(context.Context, Options) (*Server, error){
	"VictoriaMetrics": StartVictoriaMetrics,
	"VictoriaLogs":    StartVictoriaLogs,
	"Jaeger":          StartJaeger,
}

func TestStopLeavesNothing(t *testing.T) {
	for name, start := range starters {
		t.Run(name, func(t *testing.T) {
			s, err := start(t.Context(), Options{})
			require.NoError(t, err)
			l := leftBy(s)
			requireRunning(t, l)
			require.NoError(t, s.Stop())
			requireGone(t, l, 0)
			for _, port := range l.Ports {
				require.False(t, portsTaken[port])
				listener, err := net.Listen("tcp", loopback(port))
				require.NoError(t, err)
				require.NoError(t, listener.Close())
			}
			require.NoError(t, s.Stop(), "a second Stop does nothing")
			require.ErrorContains(t, s.Restart(t.Context()), "was stopped")
		})
	}
}

func TestGivenFolderStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s, err := StartVictoriaLogs(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	require.Equal(t, dir, s.Dir())
	require.NoError(t, s.Stop())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.NotEmpty(t, files)
}

func TestCrashWhileStartingGivesTheLog(t *testing.T) {
	for name, start := range starters {
		t.Run(name, func(t *testing.T) {
			temp := t.TempDir()
			t.Setenv("TMPDIR", temp)
			_, err := start(t.Context(), Options{Name: "crasher", ExtraArgs: []string{"-nosuchflag"}})
			require.ErrorContains(t, err, "crasher: ended while starting: exit status")
			require.ErrorContains(t, err, "nosuchflag")
			left, err := os.ReadDir(temp)
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

func TestPortThatIsTaken(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	_, text, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	for name, start := range starters {
		t.Run(name, func(t *testing.T) {
			_, err := start(t.Context(), Options{Port: port})
			require.ErrorContains(t, err, "address already in use")
		})
	}
	_, err = StartJaeger(t.Context(), Options{Port: 70000})
	require.ErrorContains(t, err, "port 70000: must be 0 (any free one) to 65535")
}

func TestGivenPort(t *testing.T) {
	port, err := takePort()
	require.NoError(t, err)
	_, err = StartVictoriaMetrics(t.Context(), Options{Port: port})
	require.ErrorContains(t, err, "is taken by another server of this process")
	releasePorts([]int{port})
	s := StartT(t, StartVictoriaMetrics, Options{Port: port})
	require.Equal(t, "http://"+loopback(port), s.URL)
}

func TestStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := StartVictoriaMetrics(ctx, Options{})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestServerThatHangsIsKilled(t *testing.T) {
	t.Parallel()
	s := StartT(t, StartVictoriaLogs, Options{Name: "hanger"})
	pid := s.PID()
	require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
	require.ErrorContains(t, s.Shutdown(), "hanger: still running 10s after SIGTERM, killed")
	require.False(t, running(pid))
}

func TestLogIsPassedOnAndKept(t *testing.T) {
	var log bytes.Buffer
	s, err := StartVictoriaMetrics(t.Context(), Options{Log: &log})
	require.NoError(t, err)
	require.Contains(t, s.LogTail(), "started server at "+s.URL)
	require.NoError(t, s.Stop()) // nothing writes to log any more
	require.Contains(t, log.String(), "the VictoriaMetrics has been stopped")
}

func TestLogTailIsBounded(t *testing.T) {
	l := newLogTail("is ready", nil)
	for range 100 {
		_, err := l.Write(bytes.Repeat([]byte("x"), 1000))
		require.NoError(t, err)
	}
	require.False(t, l.markerSeen())
	for _, part := range []string{"server is re", "ady\n"} { // a pipe cuts where it likes
		_, err := l.Write([]byte(part))
		require.NoError(t, err)
	}
	require.True(t, l.markerSeen())
	require.Len(t, l.kept, maxLogTail)
	require.Regexp(t, "^x+server is ready$", l.String())
}
