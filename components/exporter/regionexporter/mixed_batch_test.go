// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Records that lie side by side in a queue, and would fit into one request, were accepted for different zones. Only those of the zone
// that the endpoint lies in are sent.
func TestZonesSideBySide(t *testing.T) {
	home, far := newBackend(t, nil), newBackend(t, answerAlways(http.StatusServiceUnavailable))
	h := newHost(t, t.TempDir())
	var directories [2]string
	for i, zone := range []string{"us", "ap"} {
		directories[i] = strings.Replace(twoRegions(home.URL, far.URL), "zone: us", "zone: "+zone, 1)
	}
	for i, zone := range []string{"us", "ap"} {
		r := begin(t, h, quickConfig(t, directories[i]))
		sendAll(t, r, "far", "-"+zone)
		r.end()
	}
	far.setAnswer(nil)
	before := len(far.seen())
	r := begin(t, h, quickConfig(t, directories[0]))
	for _, s := range allSignals {
		assertEventually(t, func() bool { return far.has()[string(s[0])+"-us"] == 1 }, "%s", s)
		assertEventually(t, func() bool { return r.ledger("far", s).held == 1 }, "%s", s)
		require.Zero(t, r.ledger("far", s).balance())
	}
	for _, req := range far.seen()[before:] {
		for _, id := range req.ids {
			require.Contains(t, id, "-us")
		}
	}
	r.end()
	r = begin(t, h, quickConfig(t, directories[1]))
	for _, s := range allSignals {
		r.drained("far", s)
	}
	require.Len(t, far.has(), 6)
}

// The same with formats: what was stored while the region had no endpoint for metrics, or an OTLP one, lies beside what was stored for
// remote write.
func TestFormatsSideBySide(t *testing.T) {
	b := newBackend(t, answerAlways(http.StatusServiceUnavailable))
	h := newHost(t, t.TempDir())
	for i, metrics := range []string{
		"",
		fmt.Sprintf(`metrics: {endpoint: "%s/otlp", protocol: otlp_http}, `, b.URL),
		fmt.Sprintf(`metrics: {endpoint: "%s/write"}, `, b.URL),
		fmt.Sprintf(`metrics: {endpoint: "%s/write"}, `, b.URL),
	} {
		directory := fmt.Sprintf(`regions: {home: {zone: eu, %slogs: {endpoint: "%s/logs"}}}`, metrics, b.URL)
		if i == 3 {
			b.setAnswer(nil)
		}
		r := begin(t, h, quickConfig(t, directory))
		require.NoError(t, r.ConsumeMetrics(t.Context(), gauges("", fmt.Sprint("m", i))))
		if i == 3 {
			l := r.drained("home", signalMetrics)
			require.EqualValues(t, 4, l.delivered)
			require.Empty(t, l.dropped)
		}
		r.end()
	}
	require.Equal(t, map[string]int{"m0": 1, "m1": 1, "m2": 1, "m3": 1}, b.has())
}

// What was stored for remote write can't be sent as OTLP. It is held, and goes out when the endpoint takes remote write again; what is
// accepted for OTLP meanwhile is delivered.
func TestFormatThatTheEndpointDoesNotTake(t *testing.T) {
	b := newBackend(t, answerAlways(http.StatusServiceUnavailable))
	h := newHost(t, t.TempDir())
	remoteWrite := fmt.Sprintf(`regions: {home: {zone: eu, metrics: {endpoint: "%s/write"}}}`, b.URL)
	r := begin(t, h, quickConfig(t, remoteWrite))
	require.NoError(t, r.ConsumeMetrics(t.Context(), gauges("", "rw")))
	r.end()
	b.setAnswer(nil)
	r = begin(t, h, quickConfig(t, fmt.Sprintf(`regions: {home: {zone: eu, metrics: {endpoint: "%s/otlp", protocol: otlp_http}}}`, b.URL)))
	require.Eventually(t, func() bool { return r.logged.FilterMessageSnippet("held").Len() > 0 }, testTimeout, testTick)
	require.NoError(t, r.ConsumeMetrics(t.Context(), gauges("", "otlp")))
	assertEventually(t, func() bool { return r.ledger("home", signalMetrics).delivered == 1 }, "the new one")
	require.EqualValues(t, 1, r.ledger("home", signalMetrics).held)
	require.Equal(t, map[string]int{"otlp": 1}, b.has())
	r.end()
	r = begin(t, h, quickConfig(t, remoteWrite))
	r.drained("home", signalMetrics)
	require.Equal(t, map[string]int{"otlp": 1, "rw": 1}, b.has())
}
