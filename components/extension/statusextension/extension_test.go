// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"context"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/k0rdent/kof/internal/status"
)

func TestShutdownFreesThePort(t *testing.T) {
	e := newT(t, newClock())
	require.NoError(t, e.Start(context.Background(), componenttest.NewNopHost()))
	address := e.address.String()

	second := newT(t, newClock())
	second.cfg.ServerConfig.NetAddr.Endpoint = address
	require.ErrorContains(t, second.Start(context.Background(), componenttest.NewNopHost()), "endpoint "+address+": ")
	require.NoError(t, second.Shutdown(context.Background()), "it never started")

	require.NoError(t, e.Shutdown(context.Background()))
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	require.NoError(t, listener.Close())
}

func TestStartWithoutItsAuthenticatorFreesThePort(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := free.Addr().String()
	require.NoError(t, free.Close())
	e := newT(t, newClock())
	e.cfg.ServerConfig.Auth = load(t, "kof_status/full").ServerConfig.Auth
	e.cfg.ServerConfig.NetAddr.Endpoint = address
	require.Error(t, e.Start(context.Background(), componenttest.NewNopHost()))
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	require.NoError(t, listener.Close())
}

// A reader that sends half a request must not hold up the agent.
func TestShutdownWithAnOpenConnection(t *testing.T) {
	e := newT(t, newClock())
	e.cfg.ServerConfig.ReadTimeout, e.cfg.ServerConfig.ReadHeaderTimeout = 5*time.Minute, 5*time.Minute
	require.NoError(t, e.Start(context.Background(), componenttest.NewNopHost()))
	c, err := net.Dial("tcp", e.address.String())
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write([]byte("GET / HTTP/1.1\r\nHost: loc"))
	require.NoError(t, err)
	begun := time.Now()
	require.NoError(t, e.Shutdown(context.Background()))
	require.Less(t, time.Since(begun), 30*time.Second)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = c.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the connection is closed")
}

func TestNodeName(t *testing.T) {
	t.Setenv("KOF_NODE_NAME", "node-7")
	require.Equal(t, "node-7", newT(t, newClock()).node)
	t.Setenv("KOF_NODE_NAME", "")
	hostname, err := os.Hostname()
	require.NoError(t, err)
	require.Equal(t, hostname, newT(t, newClock()).node)
}

func TestReportIsAskedForOnceASecond(t *testing.T) {
	c := newClock()
	e := newT(t, c)
	asked := 0
	t.Cleanup(e.AddLanes(func() []status.Lane {
		asked++
		return lanesOf("a")()
	}))
	for range 10 {
		require.Len(t, e.report().Lanes, 1)
	}
	require.Equal(t, 1, asked)
	c.advance(reportAge)
	e.report()
	require.Equal(t, 2, asked)
	t.Cleanup(e.AddLanes(lanesOf("b")))
	require.Len(t, e.report().Lanes, 2, "but what is new is there at once")
}

func TestSamplesWhileItRuns(t *testing.T) {
	factory := NewFactory()
	cfg := factory.CreateDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = "127.0.0.1:0"
	ext, err := factory.Create(context.Background(), extensiontest.NewNopSettings(typ), cfg)
	require.NoError(t, err)
	e := ext.(*statusExtension)
	begun := time.Now()
	t.Cleanup(e.AddLanes(func() []status.Lane {
		l := counters(int64(time.Since(begun).Seconds()*1000), 0, 0)
		return []status.Lane{l}
	}))
	startT(t, e)
	require.Eventually(t, func() bool {
		short := e.report().Lanes[0].Rates.Short
		return short != nil && short.Accepted > 800 && short.Accepted < 1200
	}, time.Minute, 200*time.Millisecond)
}

func TestConcurrentUse(t *testing.T) {
	e := newT(t, newClock())
	url := startT(t, e)
	var work sync.WaitGroup
	for _, name := range strings.Split("a b c d", " ") {
		work.Go(func() {
			for range 20 {
				remove := e.AddLanes(lanesOf(name))
				e.sample()
				remove()
			}
		})
		work.Go(func() {
			for range 5 {
				resp, _ := get(t, "GET", url+"/api/v1/lanes", "", "")
				require.Equal(t, 200, resp.StatusCode)
			}
		})
	}
	work.Wait()
	require.Empty(t, e.report().Lanes)
}
