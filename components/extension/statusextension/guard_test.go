// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestServer(t *testing.T) {
	e := sampled(t)
	url := startT(t, e)
	for _, tt := range []struct {
		name, method, path, host, body string
		want                           int
	}{
		{name: "page", method: "GET", path: "/", want: 200},
		{name: "head", method: "HEAD", path: "/", want: 200},
		{name: "json", method: "GET", path: "/api/v1/lanes", want: 200},
		{name: "json head", method: "HEAD", path: "/api/v1/lanes", want: 200},
		{name: "no such page", method: "GET", path: "/metrics", want: 404},
		{name: "not below", method: "GET", path: "/api/v1/lanes/x", want: 404},
		{name: "post", method: "POST", path: "/", want: 405},
		{name: "put", method: "PUT", path: "/api/v1/lanes", want: 405},
		{name: "options", method: "OPTIONS", path: "/api/v1/lanes", want: 405},
		{name: "body", method: "GET", path: "/", body: "x", want: 413},
		{name: "localhost through a forwarded port", method: "GET", path: "/", host: "localhost:8080", want: 200},
		{name: "other loopback", method: "GET", path: "/", host: "[::1]:13134", want: 200},
		{name: "rebound name", method: "GET", path: "/api/v1/lanes", host: "evil.example", want: 421},
		{name: "rebound name with port", method: "GET", path: "/", host: "evil.example:13134", want: 421},
		{name: "name that begins like it", method: "GET", path: "/", host: "localhost.evil.example", want: 421},
		{name: "other address", method: "GET", path: "/", host: "192.0.2.1:13134", want: 421},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := get(t, tt.method, url+tt.path, tt.host, tt.body)
			require.Equal(t, tt.want, resp.StatusCode)
			require.Equal(t, csp, resp.Header.Get("Content-Security-Policy"))
			require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
			require.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
			require.Empty(t, resp.Header.Get("Access-Control-Allow-Origin"))
			if tt.want != 200 {
				require.NotContains(t, body, "ap-south-1")
			}
			if tt.want == 405 {
				require.Equal(t, "GET, HEAD", resp.Header.Get("Allow"))
			}
			if tt.method == "HEAD" {
				require.Empty(t, body)
				require.Positive(t, resp.ContentLength)
			}
		})
	}
	resp, _ := get(t, "GET", url+"/api/v1/lanes", "", "")
	require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	resp, _ = get(t, "GET", url, "", "")
	require.Equal(t, "text/html; charset=utf-8", resp.Header.Get("Content-Type"))
}

func TestNamesLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:1": true, "127.0.0.1": true, "127.8.0.1:80": true, "[::1]": true, "[::1]:80": true,
		"::1": true, "[::ffff:127.0.0.1]:80": true,
		"": false, ":80": false, "127.0.0.1.nip.io": false, "0.0.0.0": false, "2130706433": false, "localhost.": false, "node-1": false,
	} {
		require.Equal(t, want, namesLoopback(host), host)
	}
}

func TestBoundElsewhereAnyNameWillDo(t *testing.T) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for loopback, want := range map[bool]int{true: 421, false: 200} {
		w := httptest.NewRecorder()
		guard(ok, loopback, csp).ServeHTTP(w, httptest.NewRequest("GET", "http://node-1.example/", nil))
		require.Equal(t, want, w.Code)
	}
	require.True(t, isLoopback(&net.TCPAddr{IP: net.IPv6loopback}))
	require.False(t, isLoopback(&net.TCPAddr{IP: net.IPv4zero}))
}

func TestAnswersAtOnceAreBounded(t *testing.T) {
	begun, end := make(chan struct{}, maxAnswers), make(chan struct{})
	g := guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		begun <- struct{}{}
		<-end
	}), true, csp)
	var requests sync.WaitGroup
	for range maxAnswers {
		requests.Go(func() { g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "http://localhost/", nil)) })
	}
	for range maxAnswers {
		<-begun
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	g.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "http://localhost/", nil))
	require.Error(t, ctx.Err(), "one more waits until it goes away")
	w := httptest.NewRecorder()
	g.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/", nil))
	require.Equal(t, 503, w.Code, "or is turned away")
	close(end)
	requests.Wait()
}

func TestConnectionsAreBounded(t *testing.T) {
	e := newT(t, newClock())
	// Longer than this test on a slow machine: a connection that ends makes room.
	e.cfg.ServerConfig.ReadTimeout, e.cfg.ServerConfig.ReadHeaderTimeout = 5*time.Minute, 5*time.Minute
	url := startT(t, e)
	var conns []net.Conn
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range maxConnections {
		c, err := net.Dial("tcp", e.address.String())
		require.NoError(t, err)
		conns = append(conns, c)
	}
	// The server takes connections in their order, so this one is beyond the bound.
	c, err := net.Dial("tcp", e.address.String())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "closed at once")
	for _, c := range conns {
		_ = c.Close()
	}
	require.Eventually(t, func() bool {
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == 200
	}, 10*time.Second, 20*time.Millisecond, "there is room again")
	http.DefaultClient.CloseIdleConnections()
}
