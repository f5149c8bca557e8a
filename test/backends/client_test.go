// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMetricsClient(t *testing.T) {
	t.Parallel()
	s := StartT(t, StartVictoriaMetrics, Options{})
	ctx := t.Context()
	now := time.Now().UnixMilli()
	// Long ago, twice the same, and special values.
	old := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC).UnixMilli()
	for range 2 {
		send(t, s.URL+"/api/v1/import/prometheus", "text/plain",
			fmt.Sprintf("old 1 %d\nlow -Inf %d\nhigh +Inf %d\n", old, now, now))
	}
	require.NoError(t, s.Flush(ctx))
	series, err := s.Export(ctx, `{__name__="old"}`)
	require.NoError(t, err)
	require.Equal(t, []Series{{Labels: map[string]string{"__name__": "old"}, Values: []float64{1, 1}, Timestamps: []int64{old, old}}}, series)

	samples, err := s.Query(ctx, `{__name__=~"high|low"}`)
	require.NoError(t, err)
	require.Len(t, samples, 2)
	require.WithinDuration(t, time.Now(), samples[0].Time, time.Minute)
	series, err = s.Export(ctx, `{__name__=~"high|low"}`)
	require.NoError(t, err)
	for _, one := range series {
		require.Contains(t, []string{"+Inf", "-Inf"}, fmt.Sprintf("%+v", one.Values[0]))
	}

	samples, err = s.Query(ctx, "nosuch")
	require.NoError(t, err)
	require.Empty(t, samples)
	_, err = s.Query(ctx, "sum(")
	require.ErrorContains(t, err, "victoria-metrics: POST /api/v1/query: HTTP status 400: ")
	require.ErrorContains(t, err, "unexpected token")
	_, err = s.Query(ctx, "high[5m]")
	require.ErrorContains(t, err, "gives a matrix, not an instant vector")
}

func TestLogsClient(t *testing.T) {
	t.Parallel()
	s := StartT(t, StartVictoriaLogs, Options{})
	ctx := t.Context()
	const records = 2000
	var lines strings.Builder
	for i := range records {
		fmt.Fprintf(&lines, "{\"_msg\":\"line %d\",\"_time\":%q}\n", i, time.Now().Format(time.RFC3339Nano))
	}
	send(t, s.URL+"/insert/jsonline", "application/stream+json", lines.String())
	require.NoError(t, s.Flush(ctx))
	count, err := s.LogsCount(ctx, "*")
	require.NoError(t, err)
	require.Equal(t, records, count)
	for limit, want := range map[int]int{0: records, 7: 7} {
		got, err := s.LogsQuery(ctx, "*", limit)
		require.NoError(t, err)
		require.Len(t, got, want)
	}
	_, err = s.LogsQuery(ctx, "| nosuch", 0)
	require.ErrorContains(t, err, "victoria-logs: POST /select/logsql/query: HTTP status 400: ")
}

func TestAnswerIsBounded(t *testing.T) {
	r := &limitedReader{r: strings.NewReader(strings.Repeat("x", 100)), left: 10}
	p := make([]byte, 64)
	n, err := r.Read(p)
	require.NoError(t, err)
	require.Equal(t, 10, n)
	_, err = r.Read(p)
	require.ErrorIs(t, err, errAnswerTooBig)
}

func TestAClientAlone(t *testing.T) {
	t.Parallel()
	s := StartT(t, StartJaeger, Options{})
	other := &Server{Name: "other", URL: s.URL}
	services, err := other.Services(t.Context())
	require.NoError(t, err)
	require.Empty(t, services)
	_, err = other.Traces(t.Context(), "", 1, time.Time{}, time.Time{})
	require.ErrorContains(t, err, fmt.Sprintf("other: GET /api/traces: HTTP status %d", http.StatusBadRequest))
	_, err = other.Trace(t.Context(), url.PathEscape("not hex"))
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrNotFound)
}
