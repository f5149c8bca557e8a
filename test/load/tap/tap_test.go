// SPDX-License-Identifier: Apache-2.0

package tap

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func send(t *testing.T, url, encoding string, body []byte) int {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Encoding", encoding)
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	return resp.StatusCode
}

func someLogs(t *testing.T, at time.Time, records int) []byte {
	l := plog.NewLogs()
	for range 2 {
		r := l.ResourceLogs().AppendEmpty()
		r.Resource().Attributes().PutStr("a", "b")
		for range records / 2 {
			one := r.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
			one.SetTimestamp(pcommon.NewTimestampFromTime(at))
			one.Body().SetStr("hello")
		}
	}
	body, err := plogotlp.NewExportRequestFromLogs(l).MarshalProto()
	require.NoError(t, err)
	return body
}

func TestCountsEverySignal(t *testing.T) {
	m := pmetric.NewMetrics()
	metrics := m.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	metrics.AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
	metrics.AppendEmpty().SetEmptySum().DataPoints().AppendEmpty()
	metrics.AppendEmpty().SetEmptyHistogram().DataPoints().AppendEmpty()
	metrics.AppendEmpty().SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
	summary := metrics.AppendEmpty()
	summary.SetName("summary")
	summary.SetEmptySummary().DataPoints().AppendEmpty()
	summary.Summary().DataPoints().AppendEmpty()
	metricsBody, err := pmetricotlp.NewExportRequestFromMetrics(m).MarshalProto()
	require.NoError(t, err)
	spans := ptrace.NewTraces()
	for range 3 {
		spans.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName("x")
	}
	tracesBody, err := ptraceotlp.NewExportRequestFromTraces(spans).MarshalProto()
	require.NoError(t, err)

	for path, one := range map[string]struct {
		body []byte
		want int
	}{"metrics": {metricsBody, 6}, "traces": {tracesBody, 3}, "logs": {someLogs(t, time.Now(), 4), 4}} {
		n, err := countRecords(path, one.body, nil)
		require.NoError(t, err)
		require.Equal(t, one.want, n, path)
		_, err = countRecords(path, one.body[:len(one.body)-1], nil)
		require.Error(t, err, path)
	}
}

func TestTapInFrontOfAStore(t *testing.T) {
	status := http.StatusOK
	var got []byte
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ = io.ReadAll(r.Body)
		w.WriteHeader(status)
	}))
	defer store.Close()
	tap, err := Start(store.URL)
	require.NoError(t, err)
	defer func() { require.NoError(t, tap.Close()) }()
	require.Nil(t, tap.Measure())

	body := someLogs(t, time.Now().Add(-2*time.Second), 4)
	require.Equal(t, 200, send(t, tap.URL()+"/v1/logs", "", body))
	require.Equal(t, body, got)
	require.Equal(t, Totals{Requests: 1, Records: 4, RawBytes: int64(len(body)), WireBytes: int64(len(body))}, tap.Totals())
	status = http.StatusServiceUnavailable
	require.Equal(t, 503, send(t, tap.URL()+"/v1/logs", "", body))
	require.EqualValues(t, 4, tap.Totals().Records, "not taken")

	ages := tap.Measure()
	require.EqualValues(t, 4, ages.Count())
	require.InDelta(t, 2.5, ages.Quantile(0.99).Seconds(), 0.6)
	require.Zero(t, tap.Measure().Quantile(0.99))
}

func TestTapAlone(t *testing.T) {
	tap, err := Start("")
	require.NoError(t, err)
	defer func() { require.NoError(t, tap.Close()) }()
	body := someLogs(t, time.Now(), 4)
	enc, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	defer enc.Close()
	require.Equal(t, 200, send(t, tap.URL()+"/v1/logs", "zstd", enc.EncodeAll(body, nil)))
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err = z.Write(body)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.Equal(t, 200, send(t, tap.URL()+"/v1/logs", "gzip", b.Bytes()))
	told := func(query string) string {
		resp, err := client.Get(tap.URL() + recordsPath + query)
		require.NoError(t, err)
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(answer)
	}
	require.Equal(t, "8", told(""))
	answer := make(chan string)
	go func() { answer <- told("?at_least=12") }()
	require.Equal(t, 200, send(t, tap.URL()+"/v1/logs", "", body))
	require.Equal(t, "12", <-answer)
	totals := tap.Totals()
	require.EqualValues(t, 12, totals.Records)
	require.EqualValues(t, 3*len(body), totals.RawBytes)
	send(t, tap.URL()+"/v1/logs", "br", body)
	send(t, tap.URL()+"/v1/logs", "", []byte{0xff})
	require.EqualValues(t, 2, tap.Totals().Broken)
}

func TestQuantile(t *testing.T) {
	var a Ages
	for i := range 100 {
		a.add(time.Duration(i) * time.Millisecond)
	}
	a.add(time.Hour)
	require.Equal(t, 51*time.Millisecond, a.Quantile(0.5))
	require.Equal(t, maxAge+time.Millisecond, a.Quantile(0.999))
}
