// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The environment of the process that is killed.
const (
	killedStorage   = "KOF_TEST_KILLED_STORAGE"
	killedDirectory = "KOF_TEST_KILLED_DIRECTORY"
	killedRound     = "KOF_TEST_KILLED_ROUND"
)

// killedAfter is how many records a process accepts before its end may come.
const killedAfter = 40

// TestKill kills a process that runs the exporter with SIGKILL at random moments, again and again on the same storage, while its backends
// are slow and fail. All that Consume took arrives, once or more, and the books balance.
func TestKill(t *testing.T) {
	const rounds = 8
	const flaky, down, mended = 0, 1, 2
	var n, state atomic.Int64
	b := newBackend(t, func(w http.ResponseWriter, _ request) bool {
		now := state.Load()
		if now == down || now == flaky && n.Add(1)%3 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return false
		}
		if now == flaky {
			time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
		}
		return true
	})
	storage := t.TempDir()
	cfg := killConfig(t, twoRegions(b.URL+"/home", b.URL+"/far"))
	var accepted []string
	for round := range rounds {
		if round == rounds-1 {
			state.Store(down) // so that the last kill leaves something over, however fast the machine
		}
		accepted = append(accepted, killedRun(t, storage, cfg.Directory.File, round, nil)...)
	}

	r := begin(t, newHost(t, storage), cfg)
	var delivered, held int64
	for _, name := range []string{"home", "far"} {
		for _, s := range allSignals {
			l := r.ledger(name, s)
			require.Zero(t, l.balance(), "%s %s after the last kill", name, s)
			held += l.held
		}
	}
	state.Store(mended)
	for _, name := range []string{"home", "far"} {
		for _, s := range allSignals {
			delivered += r.drained(name, s).delivered
		}
	}
	require.Positive(t, held, "nothing was left over by the last kill: the test shows nothing")
	got := b.has()
	repeated := 0
	for _, id := range accepted {
		require.Positive(t, got[id], "%s was accepted and is lost", id)
	}
	for _, times := range got {
		repeated += times - 1
	}
	require.GreaterOrEqual(t, delivered, int64(len(accepted)))
	// What was under way at a kill can come twice: per lane a request per sender.
	bound := rounds * 2 * len(allSignals) * cfg.Senders * (cfg.Batch.MaxBytes / 100)
	require.LessOrEqual(t, repeated, bound)
	t.Logf("%d accepted in %d rounds, %d held after the last, %d repeated", len(accepted), rounds, held, repeated)
}

func killConfig(t testing.TB, directory string) *Config {
	cfg := quickConfig(t, directory)
	cfg.Batch.MaxBytes = 2 * kib
	return cfg
}

// killedRun runs TestKilled in a process of its own until it kills it, at a random moment but not before it is far enough, and returns the
// ids that the exporter there has accepted.
func killedRun(t *testing.T, storage, directory string, round int, far func() bool) (accepted []string) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir(), killedStorage+"="+storage, killedDirectory+"="+directory, fmt.Sprintf("%s=%d", killedRound, round))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		id, ok := strings.CutPrefix(lines.Text(), "accepted ")
		if !ok {
			t.Errorf("the process says: %s", lines.Text())
			continue
		}
		accepted = append(accepted, id)
		if len(accepted) == killedAfter {
			time.AfterFunc(time.Duration(rand.IntN(250))*time.Millisecond, func() {
				for deadline := time.Now().Add(testTimeout); far != nil && !far() && time.Now().Before(deadline); {
					time.Sleep(testTick)
				}
				_ = cmd.Process.Kill()
			})
		}
	}
	require.ErrorContains(t, cmd.Wait(), "killed")
	return accepted
}

// TestKilled is the process that TestKill kills.
func TestKilled(t *testing.T) {
	storage := os.Getenv(killedStorage)
	if storage == "" {
		t.Skip("runs in a process of its own, started by TestKill")
	}
	cfg := killConfig(t, "")
	cfg.Directory.File = os.Getenv(killedDirectory)
	r := begin(t, newHost(t, storage), cfg)
	out := bufio.NewWriter(os.Stdout)
	for i := 0; ; i++ {
		id := fmt.Sprintf("%s-%06d", os.Getenv(killedRound), i)
		regionName := []string{"home", "far"}[i%2]
		var err error
		switch i % 3 {
		case 0:
			err = r.ConsumeMetrics(t.Context(), gauges(regionName, id))
		case 1:
			err = r.ConsumeLogs(t.Context(), logRecords(regionName, id))
		default:
			err = r.ConsumeTraces(t.Context(), spans(regionName, id))
		}
		require.NoError(t, err)
		fmt.Fprintln(out, "accepted", id)
		_ = out.Flush()
	}
}
