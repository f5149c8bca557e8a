// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// childEnv makes the test binary a process that tells the time for each line that it reads.
const childEnv = "KOF_TEST_CLOCK_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		tellTime()
		return
	}
	goleak.VerifyTestMain(m)
}

func tellTime() {
	began := time.Now()
	// So that some thread asks for the time all the time, and timers run.
	var busy sync.WaitGroup
	for range 4 {
		busy.Go(func() {
			for {
				if time.Since(began) > time.Hour {
					panic("the monotonic clock has jumped")
				}
				if time.Now().Nanosecond()%1000 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println(time.Now().Unix())
	}
}

func TestJump(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() {
		require.NoError(t, in.Close())
		require.NoError(t, cmd.Wait(), "it lives to the end")
	}()
	answers := bufio.NewReader(out)
	requireAhead := func(d time.Duration) {
		t.Helper()
		_, err := fmt.Fprintln(in)
		require.NoError(t, err)
		var seconds int64
		_, err = fmt.Fscanln(answers, &seconds)
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(d), time.Unix(seconds, 0), 5*time.Second)
	}
	requireAhead(0)

	c, err := Attach(cmd.Process.Pid)
	if errors.Is(err, ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	requireAhead(0)
	for _, d := range []time.Duration{time.Hour, -time.Hour, 10 * 365 * 24 * time.Hour, 0, -time.Minute} {
		require.NoError(t, c.Jump(d))
		requireAhead(d)
	}

	again, err := Attach(cmd.Process.Pid)
	require.NoError(t, err)
	requireAhead(0)
	require.NoError(t, again.Close())
}

func TestAttachToNoProcess(t *testing.T) {
	_, err := Attach(1 << 30)
	require.Error(t, err)
}
