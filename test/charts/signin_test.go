// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// dexModule is the version of tools/dex: its folder web holds the pages.
const dexModule = "github.com/dexidp/dex@v0.0.0-20210629090108-0780edbcbe43"

const signInValues = `
grafana: {host: grafana.example, roles: {authors: Admin, "readers": Editor}, defaultRole: ""}
dex:
  enabled: true
  host: dex.example
  clientSecret: dex-grafana
  connectors: {mock: {type: mockCallback, name: Mock}}
  config: {frontend: {dir: %s}, telemetry: null}
`

// TestSignIn drives the code flow at a real Dex with the chart's configuration, as Grafana would with its own from the chart, by plain HTTP:
// Grafana itself isn't there. Dex's mock connector says that everybody is of the group "authors".
func TestSignIn(t *testing.T) {
	if _, err := exec.LookPath(cmp.Or(os.Getenv("CC"), "gcc")); err != nil {
		t.Skip("building Dex, which has SQLite in it, needs a C compiler")
	}
	address := loopback(freePorts(t, 1)[0])
	all := objects(t, render(t, options{
		chart: "kof-mothership", values: fmt.Sprintf(signInValues, filepath.Join(moduleDir(t, dexModule), "web")),
	}))
	// The browser's name has TLS by the Ingress, which isn't there.
	config := strings.NewReplacer("https://dex.example", "http://"+address, ":5556", address).Replace(
		mapAt(t, find(t, all, "ConfigMap", "kof-mothership-dex").Object, "data")["config.yaml"].(string))
	issuer := "http://" + address + "/dex"
	run(t, issuer+"/.well-known/openid-configuration", "dex", []string{"KOF_CLIENT_SECRET=s3cret"}, "serve", writer(t, t.TempDir())("config.yaml", config))

	oauth := grafanaOAuth(t, all)
	require.Equal(t, "https://dex.example/dex/auth", oauth["auth_url"])
	require.Equal(t, "http://kof-mothership-dex.kof.svc:5556/dex/token", oauth["token_url"])
	claims := signIn(t, issuer, oauth, "s3cret")
	require.Equal(t, []any{"authors"}, claims["groups"])
	require.NotEmpty(t, claims[oauth["login_attribute_path"].(string)])
	// JMESPath, which Grafana evaluates over these claims.
	require.Equal(t, "contains(groups[*], 'authors') && 'Admin' || contains(groups[*], 'readers') && 'Editor'", oauth["role_attribute_path"])
	require.Equal(t, "true", oauth["role_attribute_strict"])

	code, body := requestToken(t, issuer, oauth, "any", "wrong")
	require.Equal(t, http.StatusUnauthorized, code, body)
	_, location := browse(t, issuer+"/auth?"+authorize(oauth, "https://evil.example/login/generic_oauth"))
	require.Empty(t, location, "Dex sends browsers to Grafana alone")
}

// grafanaOAuth returns Grafana's settings, after a look at where the secret comes from.
func grafanaOAuth(t *testing.T, all []*unstructured.Unstructured) map[string]any {
	t.Helper()
	spec := mapAt(t, find(t, all, "Grafana", "kof-mothership-grafana").Object, "spec")
	container := mapAt(t, spec, "deployment", "spec", "template", "spec")["containers"].([]any)[0].(map[string]any)
	require.Contains(t, container["env"], map[string]any{
		"name": "GF_AUTH_GENERIC_OAUTH_CLIENT_SECRET", "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": "dex-grafana", "key": "client-secret"}},
	})
	return mapAt(t, spec, "config", "auth.generic_oauth")
}

func authorize(oauth map[string]any, redirect string) string {
	return url.Values{
		"client_id": {oauth["client_id"].(string)}, "redirect_uri": {redirect}, "response_type": {"code"}, "state": {"state-1"},
		"scope": {oauth["scopes"].(string)}, "code_challenge_method": {"plain"}, "code_challenge": {verifier},
	}.Encode()
}

const (
	redirectURI = "https://grafana.example/login/generic_oauth"
	verifier    = "a-verifier-of-at-least-forty-three-characters-0123"
)

// browse follows redirects, up to those that leave Dex, and returns the last page and where it leads to.
func browse(t *testing.T, address string) (page, location string) {
	t.Helper()
	at, err := url.Parse(address)
	require.NoError(t, err)
	host := at.Host
	for range 10 {
		resp, err := webClient.Get(at.String())
		require.NoError(t, err)
		resp.Body.Close()
		next, err := resp.Location()
		if err != nil {
			return at.String(), ""
		}
		if next.Host != host {
			return at.String(), next.String()
		}
		at = next
	}
	require.Fail(t, "too many redirects")
	return "", ""
}

func requestToken(t *testing.T, issuer string, oauth map[string]any, code, secret string) (int, string) {
	t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirectURI}, "code_verifier": {verifier}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/token", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(oauth["client_id"].(string), secret)
	return exchange(t, req)
}

// signIn returns the claims of the ID token.
func signIn(t *testing.T, issuer string, oauth map[string]any, secret string) map[string]any {
	t.Helper()
	_, location := browse(t, issuer+"/auth?"+authorize(oauth, redirectURI))
	require.True(t, strings.HasPrefix(location, redirectURI+"?"), location)
	back, err := url.Parse(location)
	require.NoError(t, err)
	require.Equal(t, "state-1", back.Query().Get("state"))
	status, body := requestToken(t, issuer, oauth, back.Query().Get("code"), secret)
	require.Equal(t, http.StatusOK, status, body)
	var token struct {
		IDToken      string `json:"id_token"`
		RefreshToken string `json:"refresh_token"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &token))
	require.NotEmpty(t, token.RefreshToken, "scope offline_access")
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token.IDToken, ".")[1])
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal(payload, &claims))
	return claims
}
