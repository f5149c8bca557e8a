// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/demo/truth"
)

// TestReturner has somebody kill a real backend.
func TestReturner(t *testing.T) {
	server, err := backends.StartVictoriaLogs(t.Context(), backends.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Stop()) }()
	pid := server.PID()
	key := truth.Key{Region: homeRegion, Signal: truth.Logs}
	r := startReturner(t.Context(), map[truth.Key]*backends.Server{key: server}, time.Second)
	defer r.stop()
	require.Empty(t, r.note(key))

	process, err := os.FindProcess(pid)
	require.NoError(t, err)
	require.NoError(t, process.Kill())
	require.Eventually(t, func() bool { return strings.HasPrefix(r.note(key), "down, back in ") }, 10*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return r.note(key) == "" }, 60*time.Second, 20*time.Millisecond)
	require.NotEqual(t, pid, server.PID())
	_, err = server.LogsQuery(t.Context(), "*", 1)
	require.NoError(t, err)
}
