// SPDX-License-Identifier: Apache-2.0

package identityprocessor

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

const (
	allowedValue     = "; allowed: up to 253 bytes of UTF-8 without control characters"
	allowedOverwrite = "; allowed: k8s.cluster.name, k8s.cluster.uid, kof.cluster.namespace, cloud.region, kof.tenant"
	clusterNotSet    = "cluster.name: not set; set it in the configuration, or KOF_CLUSTER_NAME in the environment"
)

// load returns the configuration of that ID in testdata/config.yaml, in an environment of variables.
func load(t testing.TB, id string, variables map[string]string) (*Config, error) {
	cm, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	require.True(t, cm.IsSet(id))
	sub, err := cm.Sub(id)
	require.NoError(t, err)
	cfg := newFactory(func(name string) string { return variables[name] }).CreateDefaultConfig().(*Config)
	return cfg, sub.Unmarshal(cfg)
}

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		id     string
		want   Config
		errors []string
	}{
		{
			id:   "identity",
			want: Config{Cluster: ClusterConfig{Name: "prod-1"}},
		},
		{
			id: "identity/full",
			want: Config{
				Cluster:   ClusterConfig{Name: "prod-1", UID: "5f2c1c9e-6d2a-4f5e-9b1e-0c8f7a6d5e4b", Namespace: "kcm-system"},
				Region:    "eu-west-1",
				Tenant:    "acme",
				Overwrite: []string{"k8s.cluster.name", "kof.tenant"},
			},
		},
		{
			id:   "identity/utf8",
			want: Config{Cluster: ClusterConfig{Name: "größe"}},
		},
		{
			id:     "identity/empty",
			errors: []string{clusterNotSet},
		},
		{
			id:     "identity/no_cluster_name",
			want:   Config{Cluster: ClusterConfig{UID: "abc"}, Region: "eu-west-1"},
			errors: []string{clusterNotSet},
		},
		{
			id:   "identity/overwrite_unknown",
			want: Config{Cluster: ClusterConfig{Name: "prod-1"}, Overwrite: []string{"k8s.cluster.name", "kof.region", "cluster.name"}},
			errors: []string{
				`overwrite[1]: found "kof.region"` + allowedOverwrite,
				`overwrite[2]: found "cluster.name"` + allowedOverwrite,
			},
		},
		{
			id:   "identity/refuse",
			want: Config{Cluster: ClusterConfig{Name: "prod-1"}, Unattributed: UnattributedRefuse},
		},
		{
			id:     "identity/unattributed_unknown",
			want:   Config{Cluster: ClusterConfig{Name: "prod-1"}, Unattributed: "drop"},
			errors: []string{`unattributed: found "drop"; allowed: accept, refuse`},
		},
		{
			id:     "identity/too_long",
			want:   Config{Cluster: ClusterConfig{Name: strings.Repeat("0123456789", 26)[:254]}},
			errors: []string{"cluster.name: found 254 bytes" + allowedValue},
		},
		{
			id: "identity/control_characters",
			want: Config{
				Cluster: ClusterConfig{Name: "prod\n", UID: "\t", Namespace: "a\x7f"},
				Region:  "eu\x00",
				Tenant:  "a\u0085",
			},
			errors: []string{
				`cluster.name: found "prod\n", which has control characters` + allowedValue,
				`cluster.uid: found "\t", which has control characters` + allowedValue,
				`cluster.namespace: found "a\x7f", which has control characters` + allowedValue,
				`region: found "eu\x00", which has control characters` + allowedValue,
				`tenant: found "a\u0085", which has control characters` + allowedValue,
			},
		},
	} {
		t.Run(tt.id, func(t *testing.T) {
			cfg, err := load(t, tt.id, nil)
			require.NoError(t, err)
			tt.want.env = cfg.env
			if tt.want.Unattributed == "" {
				tt.want.Unattributed = UnattributedAccept
			}
			require.Equal(t, &tt.want, cfg)
			err = xconfmap.Validate(cfg)
			if tt.errors == nil {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, strings.Join(tt.errors, "\n"))
		})
	}
}

func TestConfigOfWrongShape(t *testing.T) {
	_, err := load(t, "identity/unknown_key", nil)
	require.ErrorContains(t, err, "has invalid keys: region")
	_, err = load(t, "identity/wrong_kind", nil)
	require.ErrorContains(t, err, "'cluster' expected a map or struct")
}

func TestValuesAreUpTo253Bytes(t *testing.T) {
	cfg := &Config{Cluster: ClusterConfig{Name: strings.Repeat("a", 253)}, Unattributed: UnattributedAccept}
	require.NoError(t, cfg.Validate())
}

func TestEnvironmentIsValidated(t *testing.T) {
	cfg, err := load(t, "identity/empty", map[string]string{"KOF_CLUSTER_NAME": "prod-1"})
	require.NoError(t, err)
	require.NoError(t, xconfmap.Validate(cfg))

	cfg, err = load(t, "identity", map[string]string{"KOF_CLUSTER_NAME": "not used\n", "KOF_TENANT": "acme\xff", "KOF_REGION": "eu\n"})
	require.NoError(t, err)
	require.EqualError(t, xconfmap.Validate(cfg),
		`region (environment variable KOF_REGION): found "eu\n", which has control characters`+allowedValue+"\n"+
			`tenant (environment variable KOF_TENANT): found "acme\xff", which is not UTF-8`+allowedValue)
}
