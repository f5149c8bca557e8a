// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// secretFile returns the path of a file with that content.
func secretFile(t testing.TB, content string) string {
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// guarded lets in only what shows the authorization that want returns.
func guarded(want func() string) func(http.ResponseWriter, request) bool {
	return func(w http.ResponseWriter, r request) bool {
		if r.header.Get("Authorization") != want() {
			w.WriteHeader(http.StatusUnauthorized)
			return false
		}
		return true
	}
}

func TestBasicAuth(t *testing.T) {
	user, password := secretFile(t, "kof\n"), secretFile(t, "pass:word \r\n")
	want := basic("kof", "pass:word ")
	b := newBackend(t, guarded(func() string { return want }))
	for _, s := range []signal{signalMetrics, signalLogs, signalTraces} {
		path := map[signal]string{signalMetrics: "/write", signalLogs: "/logs", signalTraces: "/traces"}[s]
		snd := senderTo(t, s, b.URL+path, fmt.Sprintf("    auth: {basic: {username_file: %s, password_file: %s}}", user, password))
		require.Equal(t, delivered, snd.send(t.Context(), nil).verdict)
		snd = senderTo(t, s, b.URL+path, fmt.Sprintf("    auth: {basic: {username: kof, password_file: %s}}", password))
		require.Equal(t, delivered, snd.send(t.Context(), nil).verdict)
	}
}

func TestRotatedSecrets(t *testing.T) {
	token := secretFile(t, "first")
	want := "Bearer first"
	b := newBackend(t, guarded(func() string { return want }))
	snd := senderTo(t, signalLogs, b.URL+"/logs", fmt.Sprintf("    auth: {bearer: {token_file: %s}}", token))
	require.Equal(t, delivered, snd.send(t.Context(), nil).verdict)
	want = "Bearer second"
	a := snd.send(t.Context(), nil)
	require.Equal(t, tryAgain, a.verdict)
	require.Equal(t, "401", a.class)
	require.NoError(t, os.WriteFile(token, []byte("second\n"), 0o600))
	require.Equal(t, delivered, snd.send(t.Context(), nil).verdict)
}

// A secret that can't be read holds the data; the error names the file and never what is in it.
func TestUnreadableSecrets(t *testing.T) {
	b := newBackend(t, nil)
	for name, path := range map[string]string{
		"missing":    filepath.Join(t.TempDir(), "none"),
		"a folder":   t.TempDir(),
		"a device":   "/dev/zero",
		"empty":      secretFile(t, "\n"),
		"two lines":  secretFile(t, "SECRET1\nSECRET2"),
		"zero bytes": secretFile(t, "SECRET1\x00SECRET2"),
		"too large":  secretFile(t, strings.Repeat("SECRET", 20_000)),
	} {
		for _, protocol := range []string{"otlp_http", "otlp_grpc"} {
			for _, auth := range []string{
				"{bearer: {token_file: %s}}", "{basic: {username: kof, password_file: %s}}", "{basic: {username_file: %[1]s, password_file: %[1]s}}",
			} {
				t.Run(name+" "+protocol+" "+auth, func(t *testing.T) {
					snd := senderTo(t, signalLogs, b.URL, "      protocol: "+protocol, "    auth: "+fmt.Sprintf(auth, path))
					a := snd.send(t.Context(), nil)
					require.Equal(t, tryAgain, a.verdict)
					require.Equal(t, "credentials", a.class)
					require.ErrorContains(t, a.err, path)
					require.NotContains(t, a.err.Error(), "SECRET")
					var pathErr *fs.PathError
					require.ErrorAs(t, a.err, &pathErr)
				})
			}
		}
	}
	require.Empty(t, b.seen())
}

// Wherever a secret can stand, no answer's error shows it.
func TestNoSecretsInErrors(t *testing.T) {
	password, token := secretFile(t, "SECRET-password"), secretFile(t, "SECRET-token")
	odd := secretFile(t, "SECRET\x01odd") // no header can carry it
	down := strings.TrimSuffix(closedURL(t), "/")
	answers := newBackend(t, answerAlways(500))
	for _, auth := range []string{
		fmt.Sprintf("{basic: {username: SECRET-user, password_file: %s}}", password),
		fmt.Sprintf("{bearer: {token_file: %s}}", token),
		fmt.Sprintf("{bearer: {token_file: %s}}", odd),
	} {
		for _, url := range []string{down, answers.URL} {
			for _, snd := range []sender{
				senderTo(t, signalLogs, url+"/logs?token=SECRET-query", "      headers: {X-Key: SECRET-header}", "    auth: "+auth),
				senderTo(t, signalMetrics, url+"/write?token=SECRET-query", "      headers: {X-Key: SECRET-header}", "    auth: "+auth),
				senderTo(t, signalTraces, url, "      protocol: otlp_grpc", "      headers: {X-Key: SECRET-header}", "    auth: "+auth),
			} {
				a := snd.send(t.Context(), nil)
				require.Equal(t, tryAgain, a.verdict)
				for _, shown := range []string{a.err.Error(), fmt.Sprintf("%+v", a.err), fmt.Sprintf("%#v", a.err), a.class} {
					require.NotContains(t, shown, "SECRET")
					require.NotContains(t, shown, base64.StdEncoding.EncodeToString([]byte("SECRET-user:SECRET-password")))
				}
			}
		}
	}
}

func writeSecret(path, content string) error { return os.WriteFile(path, []byte(content), 0o600) }
