// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/otelcol"
)

// role is a configuration that the project ships, with the environment that the chart or the unit gives it.
type role struct {
	file string
	env  []string
}

const distribution = "../../distributions/kof-otelcol/"

func roles(t *testing.T) []role {
	return []role{
		// What the chart gives.
		{distribution + "agent.yaml", []string{
			"KOF_REGION=eu-west-1", "KOF_CLUSTER_NAME=cluster-1", "KOF_NODE_NAME=node-1", "KOF_NODE_IP=10.0.0.7", "KOF_POD_IP=10.0.0.7", "KOF_HOST_IP=10.0.0.7",
			"KOF_POD_NAMESPACE=kof", "KOF_POD_NAME=kof-agent-x7k2p", "KOF_STATE_DIR=" + t.TempDir(), "KOF_HOST_ROOT=/",
			"KOF_SERVICE_ACCOUNT_DIR=" + serviceAccount(t),
		}},
		{distribution + "cluster.yaml", []string{
			"KOF_REGION=eu-west-1", "KOF_CLUSTER_NAME=cluster-1", "KOF_POD_IP=10.0.0.8", "KOF_POD_NAME=kof-cluster-0", "KOF_POD_NAMESPACE=kof",
			"KOF_STATE_DIR=" + t.TempDir(), "KOF_SERVICE_ACCOUNT_DIR=" + serviceAccount(t),
		}},
		{distribution + "host.yaml", unitEnvironment(t)},
	}
}

// serviceAccount returns a folder like the one that Kubernetes mounts: receivers look for the token when they check their
// configuration.
func serviceAccount(t *testing.T) string {
	dir := t.TempDir()
	for _, name := range []string{"token", "ca.crt"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	return dir
}

// unitEnvironment returns the environment that kof-otelcol.service gives, on a host of the name host-1.
func unitEnvironment(t *testing.T) []string {
	var env []string
	unit, err := os.ReadFile(distribution + "kof-otelcol.service")
	require.NoError(t, err)
	for line := range strings.Lines(string(unit)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "Environment="); ok {
			env = append(env, strings.NewReplacer("%H", "host-1", "%S", t.TempDir()).Replace(v))
		}
	}
	require.NotEmpty(t, env)
	file, err := os.ReadFile(distribution + "kof-otelcol.env")
	require.NoError(t, err)
	for line := range strings.Lines(string(file)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			env = append(env, line)
		}
	}
	return env
}

func TestRolesValidate(t *testing.T) {
	for _, role := range roles(t) {
		t.Run(filepath.Base(role.file), func(t *testing.T) {
			out, err := collector(role.env, "validate", "--config", role.file).CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.NotContains(t, string(out), "KOF_", "a variable that the role needs is not in its documented environment")
		})
	}
}

func TestRolesNeedTheirEnvironment(t *testing.T) {
	for _, role := range roles(t) {
		t.Run(filepath.Base(role.file), func(t *testing.T) {
			out, err := collector(nil, "validate", "--config", role.file).CombinedOutput()
			require.Error(t, err, "%s", out)
			require.Contains(t, string(out), "home_region")
		})
	}
}

func TestRolesFollowTheRules(t *testing.T) {
	for _, role := range roles(t) {
		t.Run(filepath.Base(role.file), func(t *testing.T) {
			require.Empty(t, brokenRules(t, load(t, role)))
		})
	}
}

func TestBrokenRulesAreFound(t *testing.T) {
	require.ElementsMatch(t, []string{
		"pipeline logs: the first processor is not memory_limiter",
		"pipeline metrics: the first processor is not memory_limiter",
		"pipeline metrics: no identity processor",
		"pipeline metrics: exporters [debug], not [region]",
		"receiver otlp: protocols::grpc::endpoint: 0.0.0.0:4317 listens on every address",
		"receiver otlp: protocols::http::endpoint: :4318 listens on every address",
		"extension health_check: endpoint: [::]:13133 listens on every address",
		"service::telemetry: own metrics listen on 0.0.0.0, not on loopback",
	}, brokenRules(t, load(t, role{"testdata/broken-rules.yaml", nil})))
}

// load resolves and decodes a configuration as the collector does, with nothing but the role's environment.
func load(t *testing.T, role role) *otelcol.Config {
	for _, name := range os.Environ() {
		if name, _, _ = strings.Cut(name, "="); strings.HasPrefix(name, "KOF_") {
			t.Setenv(name, "")
			require.NoError(t, os.Unsetenv(name))
		}
	}
	for _, v := range role.env {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	provider, err := otelcol.NewConfigProvider(otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
		URIs: []string{"file:" + role.file},
		ProviderFactories: []confmap.ProviderFactory{
			envprovider.NewFactory(), fileprovider.NewFactory(), yamlprovider.NewFactory(),
		},
	}})
	require.NoError(t, err)
	factories, err := components()
	require.NoError(t, err)
	config, err := provider.Get(context.Background(), factories)
	require.NoError(t, err)
	require.NoError(t, provider.Shutdown(context.Background()))
	return config
}

// brokenRules returns how a configuration breaks the rules that hold for every role.
func brokenRules(t *testing.T, config *otelcol.Config) []string {
	var broken []string
	report := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }

	require.NotEmpty(t, config.Service.Pipelines)
	for id, pipeline := range config.Service.Pipelines {
		if len(pipeline.Processors) == 0 || pipeline.Processors[0].Type().String() != "memory_limiter" {
			report("pipeline %s: the first processor is not memory_limiter", id)
		}
		if has(pipeline.Processors, "batch") {
			report("pipeline %s: a batch processor acknowledges what is only in memory", id)
		}
		// A pipeline that goes on in another one is as good as that.
		if len(pipeline.Exporters) == 1 && config.Connectors[pipeline.Exporters[0]] != nil {
			continue
		}
		if !has(pipeline.Processors, "identity") {
			report("pipeline %s: no identity processor", id)
		}
		if len(pipeline.Exporters) != 1 || pipeline.Exporters[0].String() != "region" {
			report("pipeline %s: exporters %v, not [region]", id, pipeline.Exporters)
		}
	}
	for id, c := range config.Receivers {
		for _, address := range openAddresses(t, c) {
			report("receiver %s: %s listens on every address", id, address)
		}
	}
	for id, c := range config.Extensions {
		for _, address := range openAddresses(t, c) {
			report("extension %s: %s listens on every address", id, address)
		}
	}
	telemetry := toMap(t, config.Service.Telemetry)
	readers, _ := telemetry["metrics"].(map[string]any)["readers"].([]any)
	require.NotEmpty(t, readers)
	for _, reader := range readers {
		exporter := confmap.NewFromStringMap(reader.(map[string]any))
		if host := exporter.Get("pull::exporter::prometheus::host"); host != "127.0.0.1" {
			report("service::telemetry: own metrics listen on %v, not on loopback", host)
		}
	}
	return broken
}

func has(ids []component.ID, typ string) bool {
	return slices.ContainsFunc(ids, func(id component.ID) bool { return id.Type().String() == typ })
}

// openAddresses returns the path and value of each endpoint in a configuration, its defaults included, that is not bound to
// one address.
func openAddresses(t *testing.T, config component.Config) []string {
	var open []string
	c := confmap.NewFromStringMap(toMap(t, config))
	for _, key := range c.AllKeys() {
		if key != "endpoint" && !strings.HasSuffix(key, confmap.KeyDelimiter+"endpoint") {
			continue
		}
		if strings.HasPrefix(key, "kubelet"+confmap.KeyDelimiter) {
			continue // a server that is asked
		}
		address, _ := c.Get(key).(string)
		host, _, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err != nil || host == "" || ip != nil && ip.IsUnspecified() {
			open = append(open, key+": "+address)
		}
	}
	return open
}

func toMap(t *testing.T, config any) map[string]any {
	c := confmap.New()
	require.NoError(t, c.Marshal(config))
	return c.ToStringMap()
}
