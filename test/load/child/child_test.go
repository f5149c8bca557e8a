// SPDX-License-Identifier: Apache-2.0

package child

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func shell(t *testing.T, script string) Command {
	return Command{Name: "script", Path: "/bin/sh", Args: []string{"-c", script}, Log: filepath.Join(t.TempDir(), "log")}
}

func TestUsageOfARunningProgram(t *testing.T) {
	p, err := Start(t.Context(), shell(t, "while :; do :; done"))
	require.NoError(t, err)
	defer p.Kill()
	require.NoError(t, p.Alive())
	require.Eventually(t, func() bool {
		cpu, err := p.CPU()
		return err == nil && cpu >= 50*time.Millisecond
	}, 30*time.Second, 10*time.Millisecond)
	m, err := p.Memory()
	require.NoError(t, err)
	require.Positive(t, m.Anonymous)
	require.GreaterOrEqual(t, m.Resident, m.Anonymous+m.File)
	require.NoError(t, p.Stop())
	_, err = p.CPU()
	require.Error(t, err)
}

func TestEndsBeforeItIsReady(t *testing.T) {
	c := shell(t, "echo reason; exit 3")
	c.Ready = "http://127.0.0.1:1"
	_, err := Start(t.Context(), c)
	require.ErrorContains(t, err, "script: ended by itself: exit status 3")
	require.ErrorContains(t, err, "reason")
}

func TestReady(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	c := shell(t, "exec sleep 60")
	c.Ready = server.URL
	p, err := Start(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, 3, asked)
	require.NoError(t, p.Stop())
}

func TestParse(t *testing.T) {
	cpu, err := parseCPU([]byte("12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 75 0 0 20 0 1"))
	require.NoError(t, err)
	require.Equal(t, 2250*time.Millisecond, cpu)
	_, err = parseCPU([]byte("12 (a) S 1"))
	require.Error(t, err)

	m, err := parseMemory([]byte("Name:\tx\nVmRSS:\t  12 kB\nRssAnon:\t       8 kB\nRssFile:\t4 kB\n"))
	require.NoError(t, err)
	require.Equal(t, Memory{Resident: 12 << 10, Anonymous: 8 << 10, File: 4 << 10}, m)
	_, err = parseMemory([]byte("VmRSS:\t12 kB\n"))
	require.Error(t, err)
}
