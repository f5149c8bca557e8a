// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"

	"github.com/k0rdent/kof/components/receiver/k8seventsreceiver/internal/metadata"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func load(t *testing.T, file, name string) (*Config, error) {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", file))
	require.NoError(t, err)
	sub, err := conf.Sub(name)
	require.NoError(t, err)
	c := createDefaultConfig().(*Config)
	return c, sub.Unmarshal(c)
}

func TestConfigGood(t *testing.T) {
	require.NoError(t, componenttest.CheckConfigStruct(createDefaultConfig()))
	c, err := load(t, "config.yaml", "k8s_events")
	require.NoError(t, err)
	require.NoError(t, xconfmap.Validate(c))
	require.Equal(t, createDefaultConfig(), c)

	c, err = load(t, "config.yaml", "k8s_events/all")
	require.NoError(t, err)
	require.NoError(t, xconfmap.Validate(c))
	elector, storage := component.MustNewIDWithName("k8s_leader_elector", "events"), component.MustNewIDWithName("file_storage", "checkpoints")
	require.Equal(t, &Config{
		AuthType: "kubeConfig", Kubeconfig: "/etc/kof/kubeconfig", Namespaces: []string{"default", "kube-system"},
		LeaderElector: &elector, Storage: &storage, Timeout: 10 * time.Second,
	}, c)

	c, err = load(t, "config.yaml", "k8s_events/lease")
	require.NoError(t, err)
	require.NoError(t, xconfmap.Validate(c))
	require.Equal(t, PositionLeaseConfig{Name: "kof-k8s-events-position", Namespace: "kof"}, c.PositionLease)
}

func TestConfigBad(t *testing.T) {
	for name, want := range map[string][]string{
		"auth":       {`auth_type: "tls": must be serviceAccount or kubeConfig`},
		"kubeconfig": {`kubeconfig: "/x": is for auth_type kubeConfig only`},
		"namespaces": {`namespaces[1]: "": must be the name of a namespace`, `namespaces[2]: "Kube_System"`, `namespaces[3]: "default": must not be there twice`},
		"age":        {"max_age: -1s: must not be negative", "timeout: 0s: must be more than 0"},
		"lease":      {`position_lease::namespace: "": must be the name of a namespace`},
		"both":       {"storage: file_storage: must not be given together with position_lease"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := load(t, "bad.yaml", "k8s_events/"+name)
			require.NoError(t, err)
			err = xconfmap.Validate(c)
			for _, w := range want {
				require.ErrorContains(t, err, w)
			}
		})
	}
	_, err := load(t, "bad.yaml", "k8s_events/unknown")
	require.ErrorContains(t, err, "namespace")
	c := createDefaultConfig().(*Config)
	for i := range 65 {
		c.Namespaces = append(c.Namespaces, fmt.Sprint("n", i))
	}
	require.ErrorContains(t, c.Validate(), "namespaces: 65: must not be more than 64 names")
}

func TestStartErrors(t *testing.T) {
	id := component.MustNewID("nothing")
	for name, test := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"cluster": {func(c *Config) { c.AuthType, c.Kubeconfig = authServiceAccount, "" }, "kubernetes: unable to load in-cluster configuration"},
		"file":    {func(c *Config) { c.Kubeconfig = "/nowhere" }, "kubernetes: stat /nowhere"},
		"storage": {func(c *Config) { c.Storage = &id }, `storage: there is no extension "nothing"`},
		"elector": {func(c *Config) { c.LeaderElector = &id }, `k8s_leader_elector: there is no extension "nothing"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			c := createDefaultConfig().(*Config)
			c.AuthType, c.Kubeconfig = authKubeConfig, unreachable(t)
			test.change(c)
			r, err := NewFactory().CreateLogs(t.Context(), receivertest.NewNopSettings(metadata.Type), c, consumertest.NewNop())
			require.NoError(t, err)
			require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), test.want)
			require.NoError(t, r.Shutdown(context.Background()))
		})
	}
}

// TestLifecycleWithoutAPIServer: a collector has to start and end while the API server is away.
func TestLifecycleWithoutAPIServer(t *testing.T) {
	require.Equal(t, component.MustNewType("k8s_events"), NewFactory().Type())
	c := createDefaultConfig().(*Config)
	c.AuthType, c.Kubeconfig = authKubeConfig, unreachable(t)
	tel := componenttest.NewTelemetry()
	defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	r, err := newEventsReceiver(set, c, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, func() bool { return counter(t, tel, "otelcol_k8s_events_errors") > 0 }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, r.Shutdown(context.Background()))
	require.NoError(t, r.Shutdown(context.Background()), "twice is once")
}
