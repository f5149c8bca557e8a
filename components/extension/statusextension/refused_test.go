// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/status"
)

func linesOf(t *testing.T, body string) (all []map[string]any) {
	for line := range strings.Lines(body) {
		var l map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &l), line)
		all = append(all, l)
	}
	return all
}

func TestRefused(t *testing.T) {
	url := startT(t, sampled(t))
	resp, body := get(t, "GET", url+"/refused", "", "")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "text/plain; charset=utf-8", resp.Header.Get("Content-Type"))
	all := linesOf(t, body)
	require.Len(t, all, 2)
	first := all[0]
	require.Equal(t, []any{"region", "eu-west-1", "traces", "eu", "rejected", "otlp"},
		[]any{first["exporter"], first["region"], first["signal"], first["zone"], first["reason"], first["format"]})
	require.Contains(t, first, "record")
	require.NotContains(t, all[1], "record")
	require.EqualValues(t, 100_000, all[1]["bytes"])
	require.NotContains(t, body, "s3cret")
	require.NotContains(t, body, "hunter2")
	require.NotContains(t, body, "<script>", "no markup, whatever a browser takes it for")

	for query, want := range map[string]int{
		"?region=eu-west-1": 2, "?region=eu-west-1&signal=traces&exporter=region": 2, "?signal=logs": 0, "?region=": 0, "?other=1": 2,
	} {
		_, body := get(t, "GET", url+"/refused"+query, "", "")
		require.Len(t, linesOf(t, body), want, query)
	}
	resp, body = get(t, "HEAD", url+"/refused", "", "")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Empty(t, body)
	resp, _ = get(t, "GET", url+"/refused", "evil.example", "")
	require.Equal(t, http.StatusMisdirectedRequest, resp.StatusCode)
}

// What servers refused is read when it is asked for, and at no other time.
func TestRefusedAreReadWhenAskedFor(t *testing.T) {
	e := newT(t, newClock())
	reads := 0
	l := lanesOf("a")()[0]
	l.RefusedKept, l.Refused = 1, func(context.Context) ([]status.Refused, error) {
		reads++
		return nil, errors.New("the queue https://u:hunter2@x.example/ is closed")
	}
	t.Cleanup(e.AddLanes(func() []status.Lane { return []status.Lane{l} }))
	serve(t, e, "/")
	serve(t, e, "/api/v1/lanes")
	e.sample()
	require.Zero(t, reads)
	all := linesOf(t, serve(t, e, "/refused"))
	require.Equal(t, 1, reads)
	require.Len(t, all, 1)
	require.Equal(t, "the queue https://x.example/ is closed", all[0]["error"])
	require.NotContains(t, all[0], "items")
}

// They are users' data: whoever listens for the world doesn't show them, and the page has no link to what isn't there.
func TestRefusedOnLoopbackOnly(t *testing.T) {
	e := sampled(t)
	world := handler(e.report, false)
	w := httptest.NewRecorder()
	world.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/refused", nil))
	require.Equal(t, http.StatusForbidden, w.Code)
	require.Contains(t, w.Body.String(), "loopback")
	require.NotContains(t, w.Body.String(), "eu-west-1")
	w = httptest.NewRecorder()
	world.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	require.NotContains(t, w.Body.String(), "refused?")

	e.cfg.ServerConfig.NetAddr.Endpoint = "0.0.0.0:0"
	startT(t, e)
	resp, _ := get(t, "GET", "http://localhost:"+e.address.String()[strings.LastIndex(e.address.String(), ":")+1:]+"/refused", "", "")
	require.Equal(t, http.StatusForbidden, resp.StatusCode)
}

func TestPageLinksToWhatWasRefused(t *testing.T) {
	e := sampled(t)
	elements := parse(t, serve(t, e, "/"))
	var links []string
	for _, a := range elements("a") {
		if strings.HasPrefix(attr(a, "href"), "refused") {
			links = append(links, attr(a, "href"))
			require.Equal(t, "The last 2 that the server refused", text(a))
		}
	}
	require.Equal(t, []string{"refused?exporter=region&region=eu-west-1&signal=traces"}, links)
	require.Len(t, linesOf(t, serve(t, e, "/"+links[0])), 2)
}
