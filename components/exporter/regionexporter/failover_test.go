// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/status"
)

func quickFailover(t *testing.T, directory string) *Config {
	cfg := quickConfig(t, directory)
	// Shorter than a configuration may ask for, so that the test is.
	cfg.Failover = FailoverConfig{After: 100 * time.Millisecond, ReturnAfter: 200 * time.Millisecond, ProbeInterval: 20 * time.Millisecond}
	return cfg
}

// A region that fails is stood in for by the first healthy one of its zone, and gets its own records again when it has been back for
// a while.
func TestFailoverAndReturn(t *testing.T) {
	home, sick, well := newBackend(t, nil), newBackend(t, answerAlways(http.StatusBadGateway)), newBackend(t, nil)
	r := beginWatched(t, newHost(t, t.TempDir()), quickFailover(t, logDirectory(
		logRegion("home", "us", home.URL), logRegion("eu-1", "eu", "http://127.0.0.1:1", "eu-2", "eu-3"),
		logRegion("eu-2", "eu", sick.URL), logRegion("eu-3", "eu", well.URL),
	)))
	r.sendLogs(logRecords("eu-1", "a"))
	r.drained("eu-1", signalLogs)
	require.Equal(t, map[string]int{"a": 1}, well.has())
	require.Empty(t, home.has(), "outside the zone")
	lane := r.laneStatus("eu-1", signalLogs)
	require.Equal(t, status.StateFailover, lane.State)
	require.Equal(t, "eu-3", lane.Via)

	sick.setAnswer(nil) // a preferred stand-in is back
	require.Eventually(t, func() bool { return r.laneStatus("eu-1", signalLogs).Via == "eu-2" }, 20*time.Second, 5*time.Millisecond)
	r.sendLogs(logRecords("eu-1", "b"))
	r.drained("eu-1", signalLogs)
	require.Equal(t, 1, sick.has()["b"])
	require.Empty(t, home.has())
}

// A region that comes and goes is not returned to.
func TestFailoverHysteresis(t *testing.T) {
	first, second := newBackend(t, answerAlways(http.StatusBadGateway)), newBackend(t, nil)
	r := beginWatched(t, newHost(t, t.TempDir()), quickFailover(t, logDirectory(logRegion("home", "eu", first.URL, "eu-2"), logRegion("eu-2", "eu", second.URL))))
	r.sendLogs(logRecords("", "a"))
	require.Eventually(t, func() bool { return r.laneStatus("home", signalLogs).Via == "eu-2" }, 20*time.Second, 5*time.Millisecond)

	probes := 0
	first.setAnswer(func(w http.ResponseWriter, _ request) bool {
		if probes++; probes%3 == 0 { // well for two probes, which is shorter than return_after
			w.WriteHeader(http.StatusBadGateway)
			return false
		}
		return true
	})
	require.Never(t, func() bool { return r.laneStatus("home", signalLogs).Via == "home" }, time.Second, 10*time.Millisecond)
	first.setAnswer(nil)
	require.Eventually(t, func() bool { return r.laneStatus("home", signalLogs).Via == "home" }, 20*time.Second, 5*time.Millisecond)
	require.Equal(t, status.StateDelivering, r.laneStatus("home", signalLogs).State)
}

// What is delivered twice when a lane turns to a stand-in is what was under way: here the answers are lost after the records were
// stored.
func TestFailoverDuplicatesAreBounded(t *testing.T) {
	first, second := newBackend(t, nil), newBackend(t, nil)
	first.setAnswer(func(w http.ResponseWriter, _ request) bool {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
		return true
	})
	cfg := quickFailover(t, logDirectory(logRegion("home", "eu", first.URL, "eu-2"), logRegion("eu-2", "eu", second.URL)))
	cfg.Batch.MaxBytes = 4 * kib
	r := beginWatched(t, newHost(t, t.TempDir()), cfg)
	const records = 200
	var size int
	for i := range records {
		ld := logRecords("", fmt.Sprintf("%d-%s", i, noise(1000)))
		payload, err := logs{ld}.otlp()
		require.NoError(t, err)
		size = len(payload)
		r.sendLogs(ld)
	}
	r.drained("home", signalLogs)
	require.Len(t, second.has(), records)
	require.LessOrEqual(t, len(first.has())*size, cfg.Senders*cfg.Batch.MaxBytes, "records that both regions have")
}
