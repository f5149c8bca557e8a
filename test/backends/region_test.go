// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	visible     = 30 * time.Second // how long a record may take to be seen
	visiblePoll = 50 * time.Millisecond
)

func send(t *testing.T, url, contentType, body string) {
	t.Helper()
	resp, err := client.Post(url, contentType, strings.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 2, resp.StatusCode/100, "%s: %s", url, resp.Status)
}

// write sends one record of each signal to a region.
func write(t *testing.T, r *Region, text, traceID string, at time.Time) {
	t.Helper()
	send(t, r.Metrics.URL+"/api/v1/import/prometheus", "text/plain",
		fmt.Sprintf("kof_test{text=%q} 42.5 %d\n", text, at.UnixMilli()))
	send(t, r.Logs.URL+"/insert/jsonline?_stream_fields=app", "application/stream+json",
		fmt.Sprintf("{\"_msg\":%q,\"_time\":%q,\"app\":\"shop\"}\n", text, at.Format(time.RFC3339Nano)))
	send(t, r.Traces.OTLPURL+"/v1/traces", "application/json", fmt.Sprintf(`{"resourceSpans":[{
		"resource":{"attributes":[
			{"key":"service.name","value":{"stringValue":"shop"}},
			{"key":"text","value":{"stringValue":%q}},
			{"key":"replica","value":{"intValue":"3"}}]},
		"scopeSpans":[{"spans":[
			{"traceId":%[2]q,"spanId":"051581bf3cb55c13","name":"buy","kind":2,"startTimeUnixNano":"%[3]d","endTimeUnixNano":"%[4]d",
				"attributes":[{"key":"paid","value":{"boolValue":true}}]},
			{"traceId":%[2]q,"spanId":"151581bf3cb55c14","parentSpanId":"051581bf3cb55c13","name":"pay","startTimeUnixNano":"%[3]d","endTimeUnixNano":"%[4]d"}
		]}]}]}`, text, traceID, at.UnixNano(), at.Add(time.Millisecond).UnixNano()))
}

const (
	traceA = "5b8aa5a2d2c872e8321cf37308d69df2"
	traceB = "0af7651916cd43dd8448eb211c80319c"
)

func requireMetric(t *testing.T, r *Region, text string, at time.Time) {
	t.Helper()
	ctx := t.Context()
	want := map[string]string{"__name__": "kof_test", "text": text}
	require.Eventually(t, func() bool {
		samples, err := r.Metrics.Query(ctx, "kof_test")
		return err == nil && len(samples) == 1 && samples[0].Value == 42.5
	}, visible, visiblePoll)
	series, err := r.Metrics.Export(ctx, "kof_test")
	require.NoError(t, err)
	require.Equal(t, []Series{{Labels: want, Values: []float64{42.5}, Timestamps: []int64{at.UnixMilli()}}}, series)
}

func requireLog(t *testing.T, r *Region, text string) {
	t.Helper()
	ctx := t.Context()
	require.Eventually(t, func() bool {
		count, err := r.Logs.LogsCount(ctx, "app:shop")
		return err == nil && count == 1
	}, visible, visiblePoll)
	records, err := r.Logs.LogsQuery(ctx, "app:shop", 10)
	require.NoError(t, err)
	require.Len(t, records, 1)
	require.Equal(t, text, records[0]["_msg"])
	require.Equal(t, `{app="shop"}`, records[0]["_stream"])
}

func requireTrace(t *testing.T, r *Region, text, traceID string, at time.Time) {
	t.Helper()
	ctx := t.Context()
	require.Eventually(t, func() bool {
		trace, err := r.Traces.Trace(ctx, traceID)
		return err == nil && len(trace.Spans) == 2
	}, visible, visiblePoll)
	trace, err := r.Traces.Trace(ctx, traceID)
	require.NoError(t, err)
	spans := map[string]Span{}
	for _, s := range trace.Spans {
		spans[s.Name] = s
	}
	root, child := spans["buy"], spans["pay"]
	require.Equal(t, root.ID, child.ParentID)
	require.Empty(t, root.ParentID)
	require.Equal(t, "shop", root.Service)
	require.WithinDuration(t, at, root.Start, time.Microsecond)
	require.Equal(t, time.Millisecond, root.Duration)
	require.Equal(t, "true", root.Tags["paid"])
	require.Equal(t, "server", root.Tags["span.kind"])
	require.Equal(t, map[string]string{"text": text, "replica": "3"}, root.ProcessTags)

	services, err := r.Traces.Services(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"shop"}, services)
	for name, window := range map[string]struct {
		start, end time.Time
		want       int
	}{
		"open":   {want: 1},
		"around": {start: at.Add(-time.Minute), end: at.Add(time.Minute), want: 1},
		"before": {end: at.Add(-time.Minute)},
		"after":  {start: at.Add(time.Minute)},
	} {
		traces, err := r.Traces.Traces(ctx, "shop", 10, window.start, window.end)
		require.NoError(t, err)
		require.Len(t, traces, window.want, name)
	}
}

func TestTwoRegionsSideBySide(t *testing.T) {
	t.Parallel()
	var a, b *Region
	start := time.Now()
	require.NoError(t, together(
		func() (err error) { a, err = StartRegion(t.Context(), "a", Options{}); return },
		func() (err error) { b, err = StartRegion(t.Context(), "b", Options{}); return },
	))
	t.Logf("two regions ready after %s", time.Since(start))
	l := leftBy(append(a.Servers(), b.Servers()...)...)

	at := time.Now().Truncate(time.Microsecond)
	write(t, a, "in a", traceA, at)
	write(t, b, "in b", traceB, at)
	requireMetric(t, a, "in a", at)
	requireMetric(t, b, "in b", at)
	requireLog(t, a, "in a")
	requireLog(t, b, "in b")
	requireTrace(t, a, "in a", traceA, at)
	requireTrace(t, b, "in b", traceB, at)
	_, err := b.Traces.Trace(t.Context(), traceA)
	require.ErrorIs(t, err, ErrNotFound)

	require.NoError(t, together(a.Stop, b.Stop))
	requireGone(t, l, 0)
}

// requireOnDisk waits until a server has no data in memory alone.
func requireOnDisk(t *testing.T, s *Server) {
	t.Helper()
	inMemory := regexp.MustCompile(`(?m)^v[ml]_(pending_|storage_)?rows{type="(storage/inmemory|indexdb/inmemory|storage|indexdb)"} [^0]`)
	require.NoError(t, s.Flush(t.Context()))
	require.Eventually(t, func() bool {
		var page []byte
		err := s.get(t.Context(), "/metrics", nil, func(r io.Reader) (err error) {
			page, err = io.ReadAll(r)
			return err
		})
		return err == nil && !inMemory.Match(page)
	}, visible, visiblePoll)
}

func TestRestartKeepsData(t *testing.T) {
	t.Parallel()
	for name, down := range map[string]func(t *testing.T, r *Region) error{
		"Kill": func(t *testing.T, r *Region) error {
			requireOnDisk(t, r.Metrics)
			requireOnDisk(t, r.Logs)
			return r.Kill()
		},
		"Shutdown": func(_ *testing.T, r *Region) error { return r.Shutdown() },
		"Restart":  func(*testing.T, *Region) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := StartRegionT(t, "r")
			before, metricsURL := leftBy(r.Servers()...), r.Metrics.URL
			at := time.Now().Truncate(time.Microsecond)
			write(t, r, "kept", traceA, at)

			require.NoError(t, down(t, r))
			if name != "Restart" {
				require.Zero(t, r.Logs.PID())
				_, err := r.Metrics.Query(t.Context(), "up")
				require.ErrorContains(t, err, "r metrics: ")
				require.ErrorContains(t, err, "connection refused")
			}
			require.NoError(t, r.Restart(t.Context()))
			for _, pid := range before.PIDs {
				require.False(t, running(pid))
			}
			require.Equal(t, metricsURL, r.Metrics.URL)
			requireMetric(t, r, "kept", at)
			requireLog(t, r, "kept")
			services, err := r.Traces.Services(t.Context())
			require.NoError(t, err)
			require.Empty(t, services, "Jaeger keeps traces in memory")
		})
	}
}

func TestRegionOfWhichOneFails(t *testing.T) {
	_, err := StartRegion(t.Context(), "r", Options{Dir: "/dev/null/r"})
	require.ErrorContains(t, err, "region r metrics: ")
	_, err = StartRegion(t.Context(), "r", Options{Port: 1})
	require.ErrorContains(t, err, "can't be set for a whole region")

	// One that fails takes the others with it.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = StartRegion(ctx, "r", Options{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestRegionInAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r, err := StartRegion(t.Context(), "r", Options{Dir: dir})
	require.NoError(t, err)
	require.NoError(t, r.Stop())
	for _, folder := range []string{"metrics", "logs", "traces"} {
		require.DirExists(t, dir+"/"+folder)
	}
}
