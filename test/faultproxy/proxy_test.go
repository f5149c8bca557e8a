// SPDX-License-Identifier: Apache-2.0

package faultproxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo answers with the request's body, and counts the bodies that arrived whole.
type echo struct {
	*httptest.Server
	whole, broken atomic.Int64
}

func startEcho(t *testing.T) *echo {
	t.Helper()
	e := &echo{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			e.broken.Add(1)
			return
		}
		e.whole.Add(1)
		w.Header().Set("X-Path", r.URL.RequestURI())
		w.Header().Set("X-Type", r.Header.Get("Content-Type"))
		w.WriteHeader(http.StatusAccepted)
		_, _ = w.Write(body)
	}))
	t.Cleanup(e.Close)
	return e
}

func start(t *testing.T) (*Proxy, *echo) {
	t.Helper()
	e := startEcho(t)
	p, err := Start(e.URL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p, e
}

func newClient(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

// post returns the status and the body, or the error.
func post(c *http.Client, p *Proxy, body string) (int, string, error) {
	resp, err := c.Post(p.URL()+"/write?a=b", "text/plain", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(got), err
}

func requirePasses(t *testing.T, c *http.Client, p *Proxy) {
	t.Helper()
	status, body, err := post(c, p, "hello")
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, status)
	require.Equal(t, "hello", body)
}

func TestPass(t *testing.T) {
	p, e := start(t)
	resp, err := newClient(t).Post(p.URL()+"/write?a=b%2Fc", "text/x", strings.NewReader("hello"))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, "/write?a=b%2Fc", resp.Header.Get("X-Path"))
	require.Equal(t, "text/x", resp.Header.Get("X-Type"))
	require.EqualValues(t, 1, e.whole.Load())
	require.Eventually(t, func() bool { return p.Counts() == Counts{Requests: 1, Answered: 1} }, time.Second, time.Millisecond)
}

func TestRefuse(t *testing.T) {
	p, e := start(t)
	c := newClient(t)
	requirePasses(t, c, p) // leaves a connection open
	require.NoError(t, p.Set(Fault{Kind: Refuse}))
	_, _, err := post(c, p, "x")
	require.Error(t, err, "the open connection is cut")
	for range 3 {
		_, _, err := post(c, p, "x")
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	}
	require.NoError(t, p.Set(Fault{Kind: Refuse}), "again")
	require.NoError(t, p.Set(Fault{}))
	requirePasses(t, c, p)
	require.EqualValues(t, 2, e.whole.Load())
}

func TestBlackhole(t *testing.T) {
	p, e := start(t)
	require.NoError(t, p.Set(Fault{Kind: Blackhole}))
	c := newClient(t)
	c.Timeout = 100 * time.Millisecond
	_, _, err := post(c, p, "x")
	var netErr net.Error
	require.ErrorAs(t, err, &netErr)
	require.True(t, netErr.Timeout())

	// One that waits is cut when the fault is over.
	c.Timeout = 10 * time.Second
	var waiting sync.WaitGroup
	waiting.Go(func() { _, _, err = post(c, p, "x") })
	require.Eventually(t, func() bool { return p.Counts().Faulted == 2 }, 5*time.Second, time.Millisecond)
	require.NoError(t, p.Set(Fault{}))
	waiting.Wait()
	require.Error(t, err)
	requirePasses(t, c, p)
	require.EqualValues(t, 1, e.whole.Load())
}

func TestAnswerOfAClientThatHasGoneIsLost(t *testing.T) {
	p, e := start(t)
	ctx, gone := context.WithCancel(t.Context())
	gone()
	p.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodPost, p.URL(), strings.NewReader("x")))
	require.EqualValues(t, 1, e.whole.Load())
	require.Equal(t, Counts{Requests: 1, Lost: 1}, p.Counts())
}

func TestServerThatIsNotThere(t *testing.T) {
	p, e := start(t)
	e.Close()
	_, _, err := post(newClient(t), p, "x")
	require.Error(t, err, "no answer of the proxy's own")
	require.Equal(t, Counts{Requests: 1, Failed: 1}, p.Counts())
}

func TestBadInput(t *testing.T) {
	for _, server := range []string{"", "127.0.0.1:80", "https://127.0.0.1:80", "http://127.0.0.1:80/path", "http://%zz"} {
		_, err := Start(server)
		require.Error(t, err, server)
	}
	p, _ := start(t)
	for _, f := range []Fault{
		{Kind: -1}, {Kind: LoseAnswer + 1}, {Next: -1}, {Kind: Reset, After: -1},
		{Kind: Refuse, Next: 1}, {Kind: Refuse, If: func([]byte, int) bool { return true }}, {Kind: Answer}, {Kind: Answer, Status: 600},
	} {
		require.Error(t, p.Set(f), "%+v", f)
	}
	requirePasses(t, newClient(t), p)
	require.NoError(t, p.Close())
	require.NoError(t, p.Close(), "again")
	require.ErrorContains(t, p.Set(Fault{}), "closed")
}

func TestFaultsUnderLoad(t *testing.T) {
	p, _ := start(t)
	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 8 {
		c := newClient(t)
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _, _ = post(c, p, strings.Repeat("x", 1000))
				}
			}
		})
	}
	for range 5 {
		for _, f := range []Fault{
			{Kind: Refuse}, {Kind: Blackhole}, {Kind: Slow}, {Kind: Reset, After: 10}, {Kind: LoseAnswer, Next: 3}, {Kind: Answer, Status: 500}, {},
		} {
			require.NoError(t, p.Set(f))
			time.Sleep(5 * time.Millisecond) // so that requests meet it
		}
	}
	close(stop)
	load.Wait()
	requirePasses(t, newClient(t), p)
	require.Eventually(t, func() bool {
		c := p.Counts()
		return c.Requests == c.Answered+c.Lost+c.Failed+c.Faulted
	}, 5*time.Second, time.Millisecond)
}
