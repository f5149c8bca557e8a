// SPDX-License-Identifier: Apache-2.0

package promxyconfig

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	c, err := Parse([]byte(`
global: {evaluation_interval: 30s}
promxy:
  server_groups:
    - static_configs: [{targets: ["a:1", "b:2"]}]
      labels: {promxyCluster: a}
      scheme: https
      path_prefix: /vm
      ignore_error: true
      http_client:
        dial_timeout: 5s
        basic_auth: {username_file: /u, password_file: /p}
        tls_config: {ca_file: /ca, server_name: a}
`))
	require.NoError(t, err)
	g := c.Promxy.ServerGroups[0]
	require.Equal(t, []string{"a:1", "b:2"}, g.Targets())
	require.EqualValues(t, "a", g.Labels["promxyCluster"])
	require.Equal(t, 5*time.Second, g.HTTPClient.DialTimeout)
	require.Equal(t, "/u", g.HTTPClient.HTTPClientConfig.BasicAuth.UsernameFile)
	require.Equal(t, "/ca", g.HTTPClient.HTTPClientConfig.TLSConfig.CAFile)
}

func TestRefused(t *testing.T) {
	group := func(more string) string {
		return "promxy: {server_groups: [{static_configs: [{targets: [\"a:1\"]}], " + more + "}]}"
	}
	for text, want := range map[string]string{
		"promxi: {}":                                  "promxi",
		"global: {evaluation_intervall: 1s}":          "evaluation_intervall",
		"promxy: {server_groups: [{labels: {a: b}}]}": "no targets",
		"promxy: {server_groups: [{static_configs: [{target: [\"a:1\"]}]}]}": "target",
		group("path_prefixx: /vm"):                                           "path_prefixx",
		group("scheme: ftp"):                                                 "ftp",
		group("http_client: {dial_timeout: soon}"):                           "soon",
		group("http_client: {basic_auth: {usernamefile: /u}}"):               "usernamefile",
		group("http_client: {basic_auth: {username: a, username_file: /u}}"): "username",
		group("http_client: {tls_config: {cafile: /ca}}"):                    "cafile",
		group("http_client: {bearer_token: a, basic_auth: {username: a}}"):   "at most one",
		"promxy: {}\n---\npromxy: {}":                                        "more than one document",
	} {
		_, err := Parse([]byte(text))
		require.ErrorContains(t, err, want, text)
	}
}
