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

	jmespath "github.com/jmespath-community/go-jmespath"
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
`

// TestSignIn drives the code flow at a real Dex with the chart's configuration, as Grafana would with its own from the chart, by plain HTTP:
// Grafana itself isn't there. Dex's mock connector says that everybody is of the group "authors".
func TestSignIn(t *testing.T) {
	dex := startDex(t, options{chart: "kof-mothership", values: signInValues})
	require.Equal(t, "https://dex.example/dex/auth", dex.oauth["auth_url"])
	require.Equal(t, "http://kof-mothership-dex.kof.svc:5556/dex/token", dex.oauth["token_url"])
	_, location := browse(t, dex.authorize(dex.redirect))
	claims := dex.claims(t, location)
	require.Equal(t, []any{"authors"}, claims["groups"])
	require.NotEmpty(t, claims[dex.oauth["login_attribute_path"].(string)])
	require.Equal(t, "Admin", role(t, dex.oauth, claims))
	require.Equal(t, "true", dex.oauth["role_attribute_strict"])

	code, body := dex.requestToken(t, "any", "wrong")
	require.Equal(t, http.StatusUnauthorized, code, body)
	_, location = browse(t, dex.authorize("https://evil.example/login/generic_oauth"))
	require.Empty(t, location, "Dex sends browsers to Grafana alone")
}

// TestSignInByPassword is the same with the example for development, whose one user has a password in Dex.
func TestSignInByPassword(t *testing.T) {
	dex := startDex(t, exampleOf("kof-mothership", "development"))
	form, _ := browse(t, dex.authorize(dex.redirect))
	post := func(password string) string {
		t.Helper()
		resp, err := webClient.PostForm(form, url.Values{"login": {"admin@example.test"}, "password": {password}})
		require.NoError(t, err)
		resp.Body.Close()
		next, err := resp.Location()
		if err != nil {
			return ""
		}
		_, location := browse(t, next.String())
		return location
	}
	require.Empty(t, post("wrong"))
	claims := dex.claims(t, post("password"))
	require.Equal(t, "admin@example.test", claims[dex.oauth["login_attribute_path"].(string)])
	require.Equal(t, "Admin", role(t, dex.oauth, claims))
}

// role evaluates Grafana's expression with the library that Grafana has for it.
func role(t *testing.T, oauth, claims map[string]any) any {
	t.Helper()
	found, err := jmespath.Search(oauth["role_attribute_path"].(string), claims)
	require.NoError(t, err)
	return found
}

func TestRoles(t *testing.T) {
	const values = `
grafana: {host: grafana.example, roles: {a-team: Viewer, b-team: Admin, c-team: Editor, "org:d team": Admin}, defaultRole: %q}
dex: {enabled: true, host: dex.example, clientSecret: dex-grafana, connectors: {mock: {type: mockCallback, name: Mock}}}
`
	for _, otherwise := range []string{"", "Viewer"} {
		oauth := grafanaOAuth(t, objects(t, render(t, options{chart: "kof-mothership", values: fmt.Sprintf(values, otherwise)})))
		for _, c := range []struct {
			groups any
			want   string
		}{
			{[]any{"a-team"}, "Viewer"}, {[]any{"a-team", "c-team"}, "Editor"}, {[]any{"c-team", "b-team", "x"}, "Admin"}, {[]any{"org:d team"}, "Admin"},
			{[]any{"x"}, otherwise}, {[]any{}, otherwise}, {nil, otherwise},
		} {
			claims := map[string]any{"email": "a@example"}
			if c.groups != nil {
				claims["groups"] = c.groups
			}
			got := role(t, oauth, claims)
			if c.want == "" {
				require.NotContains(t, []any{"Admin", "Editor", "Viewer"}, got, "%v can't sign in", c.groups)
			} else {
				require.Equal(t, c.want, got, "%v", c.groups)
			}
		}
	}
}

// dex is a real one, and what Grafana knows of it.
type dex struct {
	issuer   string
	oauth    map[string]any
	redirect string // to Grafana
}

const clientSecret = "s3cret"

// startDex runs Dex with the configuration of values; only its addresses are other ones.
func startDex(t *testing.T, o options) *dex {
	t.Helper()
	if _, err := exec.LookPath(cmp.Or(os.Getenv("CC"), "gcc")); err != nil {
		t.Skip("building Dex, which has SQLite in it, needs a C compiler")
	}
	here := fmt.Sprintf("dex: {config: {frontend: {dir: %s}, telemetry: null}}", filepath.Join(moduleDir(t, dexModule), "web"))
	o.files = append(o.files, writer(t, t.TempDir())("here.yaml", here))
	address := loopback(freePorts(t, 1)[0])
	all := objects(t, render(t, o))
	d := &dex{issuer: "http://" + address + "/dex", oauth: grafanaOAuth(t, all)}
	settings := mapAt(t, find(t, all, "Grafana", "kof-mothership-grafana").Object, "spec", "config", "server")
	d.redirect = settings["root_url"].(string) + "login/generic_oauth"
	// The browser's name has TLS by the Ingress, which isn't there.
	host := strings.TrimSuffix(d.oauth["auth_url"].(string), "/dex/auth")
	config := strings.NewReplacer(host, "http://"+address, ":5556", address).Replace(
		mapAt(t, find(t, all, "ConfigMap", "kof-mothership-dex").Object, "data")["config.yaml"].(string))
	run(t, d.issuer+"/.well-known/openid-configuration", "dex", []string{"KOF_CLIENT_SECRET=" + clientSecret}, "serve",
		writer(t, t.TempDir())("config.yaml", config))
	return d
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

// authorize is where Grafana sends browsers to.
func (d *dex) authorize(redirect string) string {
	return d.issuer + "/auth?" + url.Values{
		"client_id": {d.oauth["client_id"].(string)}, "redirect_uri": {redirect}, "response_type": {"code"}, "state": {"state-1"},
		"scope": {d.oauth["scopes"].(string)}, "code_challenge_method": {"plain"}, "code_challenge": {verifier},
	}.Encode()
}

const verifier = "a-verifier-of-at-least-forty-three-characters-0123"

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

func (d *dex) requestToken(t *testing.T, code, secret string) (int, string) {
	t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {d.redirect}, "code_verifier": {verifier}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.issuer+"/token", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(d.oauth["client_id"].(string), secret)
	return exchange(t, req)
}

// claims returns those of the ID token that Grafana gets for the code with which a browser comes back to it.
func (d *dex) claims(t *testing.T, location string) map[string]any {
	t.Helper()
	require.True(t, strings.HasPrefix(location, d.redirect+"?"), location)
	back, err := url.Parse(location)
	require.NoError(t, err)
	require.Equal(t, "state-1", back.Query().Get("state"))
	status, body := d.requestToken(t, back.Query().Get("code"), clientSecret)
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
