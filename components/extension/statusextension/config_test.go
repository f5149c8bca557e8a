// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

func load(t *testing.T, id string) *Config {
	cm, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	require.True(t, cm.IsSet(id))
	sub, err := cm.Sub(id)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(cfg))
	return cfg
}

func TestConfig(t *testing.T) {
	const allowedEndpoint = "; allowed: host:port with a port of 0 to 65535"
	for _, tt := range []struct {
		id       string
		endpoint string
		errors   []string
	}{
		{id: "kof_status", endpoint: "127.0.0.1:13134"},
		{id: "kof_status/full", endpoint: "0.0.0.0:13135"},
		{id: "kof_status/no_endpoint", errors: []string{`endpoint: found ""` + allowedEndpoint}},
		{id: "kof_status/no_port", endpoint: "localhost", errors: []string{`endpoint: found "localhost"` + allowedEndpoint}},
		{id: "kof_status/all_wrong", endpoint: "localhost:70000", errors: []string{
			`endpoint: found "localhost:70000" with port "70000"` + allowedEndpoint,
			`transport: found "unix"; allowed: ["tcp" "tcp4" "tcp6"]`,
			"cors: found settings; allowed: none, no other site may read the page",
		}},
	} {
		t.Run(tt.id, func(t *testing.T) {
			cfg := load(t, tt.id)
			require.Equal(t, tt.endpoint, cfg.ServerConfig.NetAddr.Endpoint)
			err := xconfmap.Validate(cfg)
			if tt.errors == nil {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, strings.Join(tt.errors, "\n"))
		})
	}
}

func TestConfigFull(t *testing.T) {
	server := load(t, "kof_status/full").ServerConfig
	require.Equal(t, "/etc/kof/status/tls.crt", server.TLS.Get().CertFile)
	require.Equal(t, component.MustNewIDWithName("bearertokenauth", "status"), server.Auth.Get().AuthenticatorID)
	require.NotZero(t, server.WriteTimeout)
}
