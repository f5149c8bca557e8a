// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/k0rdent/kof/internal/status"
)

// logRegion is the directory's text of a region for logs.
func logRegion(name, zone, url string, failover ...string) string {
	text := fmt.Sprintf("  %s:\n    zone: %s\n    logs: {endpoint: %s/logs, compression: none}\n", name, zone, url)
	if len(failover) > 0 {
		text += fmt.Sprintf("    failover: [%s]\n", strings.Join(failover, ", "))
	}
	return text
}

func logDirectory(regions ...string) string { return "regions:\n" + strings.Join(regions, "") }

// replace puts another text into the directory's place at once, as an editor or a mounted ConfigMap does.
func replace(t *testing.T, path, text string) {
	t.Helper()
	next := filepath.Join(filepath.Dir(path), "next")
	require.NoError(t, os.WriteFile(next, []byte(text), 0o600))
	require.NoError(t, os.Rename(next, path))
}

// registry is an extension that is told of lanes.
type registry struct {
	component.StartFunc
	component.ShutdownFunc
	source status.LaneSource
}

func (r *registry) AddLanes(source status.LaneSource) (remove func()) {
	r.source = source
	return func() { r.source = nil }
}

// watched is an exporter whose lanes the test can see.
type watched struct {
	*running
	registry *registry
}

func beginWatched(t *testing.T, h host, cfg *Config) watched {
	t.Helper()
	w := watched{registry: &registry{}}
	h = maps.Clone(h)
	h[component.MustNewID("registry")] = w.registry
	w.running = begin(t, h, cfg)
	return w
}

// laneStatus is what the exporter says of a lane; nothing where it has no such lane.
func (w watched) laneStatus(regionName string, s signal) status.Lane {
	for _, l := range w.registry.source() {
		if l.Region == regionName && l.Signal == string(s) {
			return l
		}
	}
	return status.Lane{}
}

func (r *running) sendLogs(ld plog.Logs) {
	r.t.Helper()
	require.NoError(r.t, r.ConsumeLogs(r.t.Context(), ld))
}

// A region that the file learns is known soon after, and what was held for it goes there.
func TestDirectoryLearnsRegion(t *testing.T) {
	home, late := newBackend(t, nil), newBackend(t, nil)
	cfg := quickConfig(t, logDirectory(logRegion("home", "eu", home.URL)))
	r := beginWatched(t, newHost(t, t.TempDir()), cfg)
	r.sendLogs(logRecords("late", "a", "b"))
	require.Equal(t, int64(2), r.ledger(unknownRegion, signalLogs).held)

	replace(t, cfg.Directory.File, logDirectory(logRegion("home", "eu", home.URL), logRegion("late", "us", late.URL)))
	require.Eventually(t, func() bool { return len(late.has()) == 2 }, 20*time.Second, 5*time.Millisecond)
	require.Empty(t, home.has())
	r.drained("late", signalLogs)
	unknown := r.drained(unknownRegion, signalLogs)
	require.Equal(t, int64(2), unknown.released)

	r.sendLogs(logRecords("late", "c"))
	require.Eventually(t, func() bool { return len(late.has()) == 3 }, 20*time.Second, 5*time.Millisecond)
}

// A bad directory is refused with all its problems, and the one before stays in force; a later good one is taken.
func TestBadDirectoryIsRefused(t *testing.T) {
	home := newBackend(t, nil)
	good := logDirectory(logRegion("home", "eu", home.URL))
	for name, bad := range map[string]struct {
		text string
		want []string
	}{
		"two problems":    {good + "  other: {zoone: us}\nextra: 1\n", []string{"extra", "regions.other.zone"}},
		"not YAML":        {"regions: [", []string{"regions.yaml"}},
		"without home":    {logDirectory(logRegion("other", "eu", home.URL)), []string{"home_region"}},
		"zone changes":    {logDirectory(logRegion("home", "us", home.URL)), []string{"regions.home.zone", `"eu"`, `"us"`}},
		"CA file missing": {good + "    tls: {ca_file: /does/not/exist.pem}\n", []string{"regions.home.tls"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := quickConfig(t, good)
			r := beginWatched(t, newHost(t, t.TempDir()), cfg)
			replace(t, cfg.Directory.File, bad.text)
			require.Eventually(t, func() bool { return r.logged.FilterMessageSnippet("is refused").Len() > 0 }, 20*time.Second, 5*time.Millisecond)
			said := fmt.Sprint(r.logged.FilterMessageSnippet("is refused").All()[0].ContextMap())
			for _, want := range bad.want {
				require.Contains(t, said, want)
			}
			r.sendLogs(logRecords("", name))
			require.Eventually(t, func() bool { return home.has()[name] == 1 }, 20*time.Second, 5*time.Millisecond)

			replace(t, cfg.Directory.File, good+"tenants: {acme: {region: home}}\n")
			require.Eventually(t, func() bool { return r.logged.FilterMessageSnippet("is in force").Len() > 0 }, 20*time.Second, 5*time.Millisecond)
		})
	}
}

// A region that leaves the directory while its backend is down is still delivered to for a while; then its records are held, also
// when a region of the same zone would be there. New records of it are of an unknown region. When it returns, all is delivered.
func TestRegionLeavesDirectory(t *testing.T) {
	home, gone := newBackend(t, nil), newBackend(t, answerAlways(http.StatusServiceUnavailable))
	both := logDirectory(logRegion("home", "eu", home.URL), logRegion("gone", "eu", gone.URL))
	cfg := quickConfig(t, both)
	cfg.Directory.DrainTimeout = 300 * time.Millisecond
	r := beginWatched(t, newHost(t, t.TempDir()), cfg)
	r.sendLogs(logRecords("gone", "before"))

	replace(t, cfg.Directory.File, logDirectory(logRegion("home", "eu", home.URL)))
	require.Eventually(t, func() bool { return r.laneStatus("gone", signalLogs).State == status.StateHolding }, 20*time.Second, 5*time.Millisecond)
	gone.setAnswer(nil)
	r.sendLogs(logRecords("gone", "after"))
	require.Equal(t, int64(1), r.ledger("gone", signalLogs).held)
	require.Equal(t, int64(1), r.ledger(unknownRegion, signalLogs).held)
	require.Never(t, func() bool { return len(gone.has())+len(home.has()) > 0 }, 300*time.Millisecond, 20*time.Millisecond)

	replace(t, cfg.Directory.File, both)
	require.Eventually(t, func() bool { return gone.has()["before"] == 1 && gone.has()["after"] == 1 }, 20*time.Second, 5*time.Millisecond)
	r.drained("gone", signalLogs)
	require.Empty(t, home.has())
}

// While its time to drain runs, a region that has left still gets what was accepted for it.
func TestLeavingRegionDrains(t *testing.T) {
	home, gone := newBackend(t, nil), newBackend(t, answerAlways(http.StatusServiceUnavailable))
	cfg := quickConfig(t, logDirectory(logRegion("home", "eu", home.URL), logRegion("gone", "eu", gone.URL)))
	cfg.Directory.DrainTimeout = time.Minute
	r := beginWatched(t, newHost(t, t.TempDir()), cfg)
	r.sendLogs(logRecords("gone", "a"))
	replace(t, cfg.Directory.File, logDirectory(logRegion("home", "eu", home.URL)))
	require.Eventually(t, func() bool { return r.logged.FilterMessageSnippet("is in force").Len() > 0 }, 20*time.Second, 5*time.Millisecond)
	gone.setAnswer(nil)
	r.drained("gone", signalLogs)
	require.Equal(t, map[string]int{"a": 1}, gone.has())
}

// An endpoint that moves takes what is under way to the old one along.
func TestEndpointMoves(t *testing.T) {
	old, moved := newBackend(t, answerAlways(http.StatusServiceUnavailable)), newBackend(t, nil)
	cfg := quickConfig(t, logDirectory(logRegion("home", "eu", old.URL)))
	r := beginWatched(t, newHost(t, t.TempDir()), cfg)
	r.sendLogs(logRecords("", "a"))
	require.Eventually(t, func() bool { return len(old.seen()) > 0 }, 20*time.Second, 5*time.Millisecond)
	replace(t, cfg.Directory.File, logDirectory(logRegion("home", "eu", moved.URL)))
	r.drained("home", signalLogs)
	require.Equal(t, map[string]int{"a": 1}, moved.has())
}

// Records of a region that has left the directory survive a restart, and lanes without any are forgotten.
func TestFormerLanes(t *testing.T) {
	home, gone := newBackend(t, nil), newBackend(t, answerAlways(http.StatusServiceUnavailable))
	folder := t.TempDir()
	both := logDirectory(logRegion("home", "eu", home.URL), logRegion("gone", "eu", gone.URL), logRegion("empty", "eu", home.URL))
	r := beginWatched(t, newHost(t, folder), quickConfig(t, both))
	r.sendLogs(logRecords("gone", "a"))
	r.end()

	r = beginWatched(t, newHost(t, folder), quickConfig(t, logDirectory(logRegion("home", "eu", home.URL))))
	require.Equal(t, int64(1), r.ledger("gone", signalLogs).held)
	require.Empty(t, r.laneStatus("empty", signalLogs).Region)
	r.end()

	gone.setAnswer(nil)
	r = beginWatched(t, newHost(t, folder), quickConfig(t, both))
	r.drained("gone", signalLogs)
	require.Equal(t, map[string]int{"a": 1}, gone.has())
}

// A lane without an endpoint for its signal shows its region's zone all the same; one of a region that the directory doesn't know has none.
func TestZoneOfALaneWithoutEndpoint(t *testing.T) {
	b := newBackend(t, nil)
	r := beginWatched(t, newHost(t, t.TempDir()), quickConfig(t, logDirectory(logRegion("home", "eu", b.URL))))
	for _, s := range allSignals {
		require.Equal(t, "eu", r.laneStatus("home", s).Zone, s)
		require.Empty(t, r.laneStatus(unknownRegion, s).Zone)
	}
	require.Equal(t, status.StateHolding, r.laneStatus("home", signalMetrics).State)
}
