// SPDX-License-Identifier: Apache-2.0

package faultproxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golang/snappy"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

func TestReset(t *testing.T) {
	p, e := start(t)
	require.NoError(t, p.Set(Fault{Kind: Reset, After: 1 << 16}))
	c := newClient(t)
	_, _, err := post(c, p, strings.Repeat("x", 4<<20))
	require.Error(t, err)
	_, _, err = post(c, p, "x") // shorter than After
	require.Error(t, err)

	conn, err := net.Dial("tcp", p.address)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n"+strings.Repeat("x", 100000))
	require.NoError(t, err)
	_, err = io.ReadAll(conn)
	require.ErrorIs(t, err, syscall.ECONNRESET)

	require.Zero(t, e.whole.Load())
	require.Eventually(t, func() bool { return p.Counts() == Counts{Requests: 3, Faulted: 3} }, 5*time.Second, time.Millisecond)
}

func TestSlow(t *testing.T) {
	p, e := start(t)
	require.NoError(t, p.Set(Fault{Kind: Slow}))
	c := newClient(t)
	began := time.Now()
	status, body, err := post(c, p, "x")
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, status)
	require.Equal(t, "x", body)
	require.GreaterOrEqual(t, time.Since(began), 2*time.Second, "a second for the byte of each direction")

	c.Timeout = 1500 * time.Millisecond
	_, _, err = post(c, p, "hello")
	require.Error(t, err)
	require.EqualValues(t, 1, e.whole.Load())
}

func TestAnswerForTheNext(t *testing.T) {
	p, e := start(t)
	require.NoError(t, p.Set(Fault{
		Kind: Answer, Next: 2, Status: http.StatusTooManyRequests, Body: "slow down", Header: http.Header{"Retry-After": {"7"}},
	}))
	c := newClient(t)
	for range 2 {
		resp, err := c.Post(p.URL(), "text/plain", strings.NewReader("x"))
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, errors.Join(err, resp.Body.Close()))
		require.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
		require.Equal(t, "7", resp.Header.Get("Retry-After"))
		require.Equal(t, "slow down", string(body))
	}
	requirePasses(t, c, p)
	require.EqualValues(t, 1, e.whole.Load())
	require.Eventually(t, func() bool { return p.Counts() == Counts{Requests: 3, Answered: 1, Faulted: 2} }, 5*time.Second, time.Millisecond)
}

func TestAnswerIf(t *testing.T) {
	p, e := start(t)
	poison := func(body []byte, wireSize int) bool { return bytes.Contains(body, []byte("poison")) && wireSize > 0 }
	require.NoError(t, p.Set(Fault{Kind: Answer, Status: http.StatusBadRequest, If: poison}))
	bad, good := []byte("some poison in here"), []byte("nothing in here")
	c := newClient(t)
	for name, encode := range map[string]func([]byte) []byte{
		"":       func(b []byte) []byte { return b },
		"snappy": func(b []byte) []byte { return snappy.Encode(nil, b) },
		"gzip": func(b []byte) []byte {
			var buf bytes.Buffer
			w := gzip.NewWriter(&buf)
			_, err := w.Write(b)
			require.NoError(t, errors.Join(err, w.Close()))
			return buf.Bytes()
		},
		"zstd": func(b []byte) []byte {
			w, err := zstd.NewWriter(nil)
			require.NoError(t, err)
			defer w.Close()
			return w.EncodeAll(b, nil)
		},
	} {
		for body, want := range map[*[]byte]int{&bad: http.StatusBadRequest, &good: http.StatusAccepted} {
			wire := encode(*body)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL(), bytes.NewReader(wire))
			require.NoError(t, err)
			req.Header.Set("Content-Encoding", name)
			resp, err := c.Do(req)
			require.NoError(t, err)
			got, err := io.ReadAll(resp.Body)
			require.NoError(t, errors.Join(err, resp.Body.Close()))
			require.Equal(t, want, resp.StatusCode, name)
			if want == http.StatusAccepted {
				require.Equal(t, wire, got, "passed on as it came")
			}
		}
	}
	require.EqualValues(t, 4, e.whole.Load())
}

func TestLoseAnswer(t *testing.T) {
	p, e := start(t)
	require.NoError(t, p.Set(Fault{Kind: LoseAnswer, Next: 1}))
	c := newClient(t)
	_, _, err := post(c, p, "x")
	require.Error(t, err)
	require.EqualValues(t, 1, e.whole.Load(), "the server has it")
	requirePasses(t, c, p)
	require.Eventually(t, func() bool { return p.Counts() == Counts{Requests: 2, Answered: 1, Lost: 1} }, 5*time.Second, time.Millisecond)
}
