// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/backends"
)

// arriveTimeout bounds the time until all that was sent is in the stores. Retries after an outage may be 30 s apart.
const arriveTimeout = 2 * time.Minute

// stored is how often each number of a run is there.
type stored map[int64]int

// missing names what isn't there of the first n numbers.
func (s stored) missing(n int64) []int64 {
	var out []int64
	for i := range n {
		if s[i] == 0 {
			out = append(out, i)
		}
	}
	return out
}

func (s stored) duplicates() int {
	n := 0
	for _, times := range s {
		n += times - 1
	}
	return n
}

// lines reads a run's lines from VictoriaLogs.
func (r *region) lines(t *testing.T, run string) stored {
	t.Helper()
	require.NoError(t, r.Logs.Flush(t.Context()))
	rows, err := r.Logs.LogsQuery(t.Context(), fmt.Sprintf(`"run=%s" | fields _msg`, run), 0)
	require.NoError(t, err)
	out := stored{}
	for _, row := range rows {
		out[number(t, run, row["_msg"])]++
	}
	return out
}

// spans reads a run's spans from Jaeger.
func (r *region) spans(t *testing.T, run string) stored {
	t.Helper()
	out := stored{}
	for _, span := range r.allSpans(t, run) {
		out[number(t, run, span.Name)]++
	}
	return out
}

func (r *region) allSpans(t *testing.T, run string) []backends.Span {
	t.Helper()
	traces, err := r.Traces.Traces(t.Context(), "workload-"+run, 100000, time.Time{}, time.Time{})
	require.NoError(t, err)
	var out []backends.Span
	for _, trace := range traces {
		out = append(out, trace.Spans...)
	}
	return out
}

// points reads a run's points from VictoriaMetrics.
func (r *region) points(t *testing.T, run string) stored {
	t.Helper()
	out := stored{}
	for _, s := range r.series(t, fmt.Sprintf(`{__name__=~"workload_otlp_number.*",run=%q}`, run)) {
		for _, v := range s.Values {
			out[int64(v)]++
		}
	}
	return out
}

func (r *region) series(t *testing.T, selector string) []backends.Series {
	t.Helper()
	require.NoError(t, r.Metrics.Flush(t.Context()))
	series, err := r.Metrics.Export(t.Context(), selector)
	require.NoError(t, err)
	return series
}

// number is the n of "run=RUN n=N …".
func number(t *testing.T, run, text string) int64 {
	t.Helper()
	var id string
	var n int64
	_, err := fmt.Sscanf(text, "run=%s n=%d", &id, &n)
	require.NoError(t, err, text)
	require.Equal(t, run, id)
	return n
}

// requireArrived waits until all that a run says it wrote and sent is in the region, and then requires that none of it is in
// another.
func (w *world) requireArrived(t *testing.T, name string, s state) {
	t.Helper()
	r := w.regions[name]
	for _, signal := range []struct {
		name string
		n    int64
		read func(*testing.T, string) stored
	}{
		{"lines", s.Lines, r.lines}, {"spans", s.Spans, r.spans}, {"points", s.Points, r.points},
	} {
		var got stored
		ok := eventually(t, arriveTimeout, func() bool {
			got = signal.read(t, s.Run)
			return len(got.missing(signal.n)) == 0
		})
		lost := got.missing(signal.n)
		if !ok {
			t.Log(w.state())
		}
		require.True(t, ok, "run %s, %s: %d of %d never came to %s: %v …", s.Run, signal.name, len(lost), signal.n, name, lost[:min(20, len(lost))])
		t.Logf("run %s: all %d %s in %s, %d more than once, %d sends repeated", s.Run, signal.n, signal.name, name, got.duplicates(), s.Errors)
	}
	for other, r := range w.regions {
		if other != name {
			require.Empty(t, r.lines(t, s.Run), "lines in %s", other)
			require.Empty(t, r.spans(t, s.Run), "spans in %s", other)
			require.Empty(t, r.points(t, s.Run), "points in %s", other)
		}
	}
}

// requireLabels requires that a map has these, and names all that differ.
func requireLabels(t *testing.T, want, got map[string]string, what string) {
	t.Helper()
	var differ []string
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if got[k] != want[k] {
			differ = append(differ, fmt.Sprintf("%s is %q, not %q", k, got[k], want[k]))
		}
	}
	require.Empty(t, differ, "%s: %s\nall: %v", what, strings.Join(differ, "; "), got)
}
