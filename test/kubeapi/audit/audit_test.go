// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const log = `{"auditID":"1","stage":"ResponseStarted","verb":"watch","requestURI":"/api/v1/pods?timeoutSeconds=360&watch=true","user":{"username":"a"},"objectRef":{"resource":"pods"},"requestReceivedTimestamp":"2026-01-01T00:00:02Z"}
{"auditID":"2","stage":"ResponseStarted","verb":"watch","requestURI":"/api/v1/nodes?timeoutSeconds=600","user":{"username":"a"},"objectRef":{"resource":"nodes"},"requestReceivedTimestamp":"2026-01-01T00:00:01Z"}
{"auditID":"3","stage":"ResponseComplete","verb":"get","requestURI":"/version","user":{"username":"a"},"requestReceivedTimestamp":"2026-01-01T00:01:00Z"}
{"auditID":"4","stage":"ResponseComplete","verb":"get","requestURI":"/version","user":{"username":"b"},"requestReceivedTimestamp":"2026-01-01T00:01:00Z"}
{"auditID":"2","stage":"ResponseComplete","verb":"watch","requestURI":"/api/v1/nodes?timeoutSeconds=600","user":{"username":"a"},"objectRef":{"resource":"nodes"},"requestReceivedTimestamp":"2026-01-01T00:00:01Z"}
{"auditID":"5","stage":"Resp`

func write(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestRead(t *testing.T) {
	all, err := Read(write(t, log), "a")
	require.NoError(t, err)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	require.Equal(t, []Request{
		{Verb: "watch", Resource: "nodes", Received: start.Add(time.Second), Lasts: 10 * time.Minute},
		{Verb: "watch", Resource: "pods", Received: start.Add(2 * time.Second), Open: true, Lasts: 6 * time.Minute},
		{Verb: "get", Received: start.Add(time.Minute)},
	}, all)
	require.Equal(t, map[string]int{"watch nodes": 1, "watch pods": 1, "get ": 1}, Count(all))

	watches, others := PerHour(all, start.Add(30*time.Second), start.Add(90*time.Second))
	require.InDelta(t, 10, watches, 1e-9, "the watch that goes on")
	require.InDelta(t, 60, others, 1e-9, "one in the minute; the watch that ended came before")
}

func TestReadRefuses(t *testing.T) {
	_, err := Read(filepath.Join(t.TempDir(), "none"), "a")
	require.ErrorContains(t, err, "audit log: ")
	_, err = Read(write(t, `{"auditID":"1","verb":"watch","requestURI":"/api/v1/pods?watch=true","user":{"username":"a"}}`), "a")
	require.ErrorContains(t, err, "a watch without an end: /api/v1/pods?watch=true")
}

func TestFlags(t *testing.T) {
	dir := t.TempDir()
	flags, path, err := Flags(dir, "system:serviceaccount:a:b")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(dir, "audit.yaml"))
	require.Contains(t, flags, "--audit-log-path="+path)
}
