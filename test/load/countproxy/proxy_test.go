// SPDX-License-Identifier: Apache-2.0

package countproxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCountsWhatPasses(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			panic(err)
		}
		fmt.Fprint(w, n)
	}))
	defer server.Close()
	p, err := Start(server.Listener.Addr().String())
	require.NoError(t, err)

	conn, err := net.Dial("tcp", p.Address())
	require.NoError(t, err)
	request := "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100_000)
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	answer, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(answer), "\r\n\r\n100000"), "%s", answer)
	require.EqualValues(t, len(request), p.Sent())
	require.EqualValues(t, len(answer), p.Received())
	require.NoError(t, conn.Close())
	require.NoError(t, p.Close())
	require.NoError(t, p.Close(), "again")
}

func TestCloseCutsConnections(t *testing.T) {
	target, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer target.Close()
	p, err := Start(target.Addr().String())
	require.NoError(t, err)
	conn, err := net.Dial("tcp", p.Address())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("hello"))
	require.NoError(t, err)
	server, err := target.Accept()
	require.NoError(t, err)
	defer server.Close()
	require.NoError(t, p.Close())
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err, "ended, in order or by a reset")
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestNobodyThere(t *testing.T) {
	p, err := Start("127.0.0.1:1")
	require.NoError(t, err)
	defer p.Close()
	conn, err := net.Dial("tcp", p.Address())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
}
