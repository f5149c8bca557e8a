// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/k0rdent/kof/internal/region"
)

// senderTo returns the sender of a signal to a URL; more are further lines of the endpoint or, from column 4 on, of the region.
func senderTo(t testing.TB, s signal, url string, more ...string) sender {
	t.Helper()
	text := fmt.Sprintf("regions:\n  r:\n    zone: eu\n    %s:\n      endpoint: %q\n", s, url)
	for _, line := range more {
		text += line + "\n"
	}
	cfg := createDefaultConfig().(*Config)
	cfg.Timeout = 2 * time.Second // the first handshake reads the certificates of the system
	cfg.Retry = RetryConfig{InitialInterval: 20 * time.Millisecond, MaxInterval: 200 * time.Millisecond}
	snd, err := newSender(t.Context(), parseDirectory(t, text).Regions["r"], s, cfg, "kof-test/1")
	require.NoError(t, err)
	t.Cleanup(snd.close)
	return snd
}

func logPayload(t testing.TB, ids ...string) []byte {
	t.Helper()
	payload, err := logs{logRecords("", ids...)}.otlp()
	require.NoError(t, err)
	return payload
}

func TestHTTPAnswers(t *testing.T) {
	partial := func(rejected int64, message string) string {
		resp := plogotlp.NewExportResponse()
		resp.PartialSuccess().SetRejectedLogRecords(rejected)
		resp.PartialSuccess().SetErrorMessage(message)
		b, err := resp.MarshalProto()
		require.NoError(t, err)
		return string(b)
	}
	protobuf := map[string]string{"Content-Type": "application/x-protobuf"}
	for _, test := range []struct {
		name    string
		status  int
		header  map[string]string
		body    string
		want    verdict
		reject  int64
		wait    time.Duration
		words   string
		noWords string
	}{
		{name: "200", status: 200, want: delivered},
		{name: "204", status: 204, want: delivered},
		{name: "202", status: 202, want: delivered},
		{name: "partial success", status: 200, header: protobuf, body: partial(3, "too old"), want: delivered, reject: 3, words: "too old"},
		{name: "partial success with parameters", status: 200, header: map[string]string{"Content-Type": "application/x-protobuf; charset=x"}, body: partial(3, "too old"), want: delivered, reject: 3},
		{name: "a warning without rejections", status: 200, header: protobuf, body: partial(0, "slow down"), want: delivered},
		{name: "negative rejections", status: 200, header: protobuf, body: partial(-4, "odd"), want: delivered},
		{name: "200 with a body that is no protobuf", status: 200, header: protobuf, body: "ok\n\xff\xff\xff", want: delivered},
		{name: "200 with a body of another type", status: 200, header: map[string]string{"Content-Type": "text/html"}, body: partial(3, ""), want: delivered},
		{name: "301", status: 301, header: map[string]string{"Location": "/elsewhere"}, want: tryAgain},
		{name: "302", status: 302, header: map[string]string{"Location": "/elsewhere"}, want: tryAgain},
		{name: "307", status: 307, header: map[string]string{"Location": "/elsewhere"}, want: tryAgain},
		{name: "308", status: 308, header: map[string]string{"Location": "/elsewhere"}, want: tryAgain},
		{name: "400", status: 400, body: "cannot parse line 7\n", want: badData, words: "cannot parse line 7"},
		{name: "401", status: 401, body: "no such user", want: tryAgain, words: "no such user"},
		{name: "403", status: 403, want: tryAgain},
		{name: "404", status: 404, want: tryAgain, words: "404 Not Found"},
		{name: "405", status: 405, want: tryAgain},
		{name: "408", status: 408, want: tryAgain},
		{name: "413", status: 413, want: tooLarge},
		{name: "415", status: 415, want: tryAgain},
		{name: "422", status: 422, want: badData},
		{name: "429", status: 429, want: tryAgain},
		{name: "429 with seconds", status: 429, header: map[string]string{"Retry-After": "17"}, want: tryAgain, wait: 17 * time.Second},
		{name: "503 with seconds", status: 503, header: map[string]string{"Retry-After": "17"}, want: tryAgain, wait: 17 * time.Second},
		{name: "429 with a date gone by", status: 429, header: map[string]string{"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, want: tryAgain},
		{name: "429 with nonsense", status: 429, header: map[string]string{"Retry-After": "-5"}, want: tryAgain},
		{name: "429 with a number too large", status: 429, header: map[string]string{"Retry-After": "99999999999999999999"}, want: tryAgain},
		{name: "500", status: 500, want: tryAgain},
		{name: "502", status: 502, want: tryAgain},
		{name: "503", status: 503, want: tryAgain},
		{name: "507", status: 507, want: tryAgain},
		{name: "words are bounded", status: 500, body: strings.Repeat("x", 100_000), want: tryAgain, words: strings.Repeat("x", 512), noWords: strings.Repeat("x", 513)},
		{name: "words are printable", status: 500, body: "a\x00b\x1b[31mc\r\nd\xffe", want: tryAgain, words: "a b [31mc  de"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBackend(t, func(w http.ResponseWriter, _ request) bool {
				for name, value := range test.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
				return true
			})
			a := senderTo(t, signalLogs, b.URL+"/v1/logs", "      compression: none").send(t.Context(), logPayload(t, "a"))
			require.Equal(t, test.want, a.verdict)
			require.Equal(t, fmt.Sprint(test.status), a.class)
			require.Equal(t, test.reject, a.rejected)
			require.Equal(t, test.wait, a.retryAfter)
			require.Positive(t, a.wireBytes)
			require.Equal(t, test.want == delivered && test.reject == 0, a.err == nil, "%v", a.err)
			if test.words != "" {
				require.ErrorContains(t, a.err, test.words)
			}
			if test.noWords != "" {
				require.NotContains(t, a.err.Error(), test.noWords)
			}
			require.Len(t, b.seen(), 1, "one attempt is one request, and no redirect is followed")
		})
	}
}

func TestRetryAfterDate(t *testing.T) {
	now := time.Date(2025, 5, 5, 5, 5, 5, 0, time.UTC)
	require.Equal(t, 90*time.Second, retryAfter(now.Add(90*time.Second).Format(http.TimeFormat), now))
	require.Zero(t, retryAfter(now.Add(-time.Hour).Format(http.TimeFormat), now))
	require.Zero(t, retryAfter("", now))
	require.Zero(t, retryAfter("1.5", now))
}

// What happens before a whole answer is there is no fault of the data.
func TestHTTPNoAnswer(t *testing.T) {
	hijack := func(then func(net.Conn)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				then(conn)
				_ = conn.Close()
			}
		}
	}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		class   string
		want    verdict
	}{
		{"closed without a word", hijack(func(net.Conn) {}), "network", tryAgain},
		{"reset", hijack(func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }), "network", tryAgain},
		{"cut in the status line", hijack(func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 20") }), "network", tryAgain},
		{"cut in the header", hijack(func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Le") }), "network", tryAgain},
		{"not HTTP", hijack(func(c net.Conn) { _, _ = io.WriteString(c, "SSH-2.0-x\r\n") }), "network", tryAgain},
		{"cut in the body of 200", hijack(func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nxy") }), "200", delivered},
		{"cut in the body of 400", hijack(func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\nxy") }), "400", badData},
		{"silence", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}, "timeout", tryAgain},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.handler)
			defer server.Close()
			start := time.Now()
			a := senderTo(t, signalLogs, server.URL, "      compression: none").send(t.Context(), logPayload(t, "a"))
			require.Equal(t, test.want, a.verdict)
			require.Equal(t, test.class, a.class)
			require.Less(t, time.Since(start), 5*time.Second)
		})
	}
	t.Run("refused", func(t *testing.T) {
		a := senderTo(t, signalLogs, closedURL(t)).send(t.Context(), logPayload(t, "a"))
		require.Equal(t, tryAgain, a.verdict)
		require.Equal(t, "network", a.class)
		require.ErrorContains(t, a.err, "connection refused")
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.Equal(t, tryAgain, senderTo(t, signalLogs, closedURL(t)).send(ctx, nil).verdict)
	})
}

// closedURL is one where nothing listens.
func closedURL(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return "http://" + l.Addr().String() + "/"
}

// A proxy of the environment would lead the data out of its zone.
func TestNoProxyOfTheEnvironment(t *testing.T) {
	proxy := newBackend(t, nil)
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	t.Setenv("ALL_PROXY", proxy.URL)
	// Proxies are not asked for loopback addresses, so it takes a name that isn't one, and that no one resolves.
	a := senderTo(t, signalLogs, "http://vmauth.invalid/v1/logs").send(t.Context(), logPayload(t, "a"))
	require.Equal(t, tryAgain, a.verdict)
	require.Empty(t, proxy.seen())
	a = senderTo(t, signalLogs, "http://vmauth.invalid:4317", "      protocol: otlp_grpc").send(t.Context(), logPayload(t, "a"))
	require.Equal(t, tryAgain, a.verdict)
	require.Empty(t, proxy.seen())
}

func TestHTTPHeaders(t *testing.T) {
	b := newBackend(t, nil)
	payload := logPayload(t, "a")
	require.Equal(t, delivered, senderTo(t, signalLogs, b.URL+"/v1/logs", "      headers: {X-Team: platform}").send(t.Context(), payload).verdict)
	require.Equal(t, delivered, senderTo(t, signalTraces, b.URL+"/v1/traces").send(t.Context(), nil).verdict)
	require.Equal(t, delivered, senderTo(t, signalMetrics, b.URL+"/api/v1/write").send(t.Context(), nil).verdict)
	require.Equal(t, delivered, senderTo(t, signalLogs, b.URL+"/v1/logs", "      headers: {vl-stream-fields: host}").send(t.Context(), payload).verdict)
	seen := b.seen()
	for _, r := range seen {
		require.Equal(t, "application/x-protobuf", r.header.Get("Content-Type"))
		require.Equal(t, "kof-test/1", r.header.Get("User-Agent"))
		require.Equal(t, "zstd", r.encoding)
		require.Empty(t, r.header.Get("Authorization"))
	}
	require.Equal(t, "platform", seen[0].header.Get("X-Team"))
	require.Equal(t, strings.Join(createDefaultConfig().(*Config).Logs.StreamFields, ","), seen[0].header.Get("VL-Stream-Fields"))
	require.Empty(t, seen[1].header.Get("VL-Stream-Fields"))
	require.Equal(t, "0.1.0", seen[2].header.Get("X-Prometheus-Remote-Write-Version"))
	require.Equal(t, []string{"host"}, seen[3].header.Values("VL-Stream-Fields"), "the directory's word counts")
}

func TestNoEndpointNoSender(t *testing.T) {
	r := parseDirectory(t, `regions: {r: {zone: eu, logs: {endpoint: "http://r.example/"}}}`).Regions["r"]
	snd, err := newSender(t.Context(), r, signalMetrics, createDefaultConfig().(*Config), "")
	require.NoError(t, err)
	require.Nil(t, snd)
	_, err = newSender(t.Context(), &region.Region{Name: "r", Logs: region.Endpoint{URL: "http://r.example", Protocol: "carrier_pigeon"}}, signalLogs, createDefaultConfig().(*Config), "")
	require.ErrorContains(t, err, `regions.r.logs.protocol: "carrier_pigeon" is not known`)
}
