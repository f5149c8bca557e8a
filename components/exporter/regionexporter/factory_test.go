// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
)

// oneRegion is a directory with the home region alone.
func oneRegion(url string) string {
	return fmt.Sprintf(`
regions:
  home:
    zone: eu
    metrics: {endpoint: "%[1]s/write"}
    logs: {endpoint: "%[1]s/logs"}
    traces: {endpoint: "%[1]s/traces"}
`, url)
}

func TestFactory(t *testing.T) {
	factory := NewFactory()
	require.Equal(t, "region", factory.Type().String())
	require.Equal(t, component.StabilityLevelAlpha, factory.MetricsStability())
	require.Equal(t, component.StabilityLevelAlpha, factory.LogsStability())
	require.Equal(t, component.StabilityLevelAlpha, factory.TracesStability())
	r := create(t, quickConfig(t, oneRegion("http://127.0.0.1:1")))
	require.True(t, r.Metrics.Capabilities().MutatesData, "resources are moved")
	require.True(t, r.Logs.Capabilities().MutatesData)
	require.True(t, r.Traces.Capabilities().MutatesData)
}

func TestLifecycle(t *testing.T) {
	b := newBackend(t, nil)
	h := newHost(t, t.TempDir())
	for range 3 { // again with the same storage
		r := begin(t, h, quickConfig(t, oneRegion(b.URL)))
		require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("", "a")))
		r.drained("home", signalLogs)
		r.end()
	}
	require.Equal(t, map[string]int{"a": 3}, b.has())
}

func TestShutdownWithoutStart(t *testing.T) {
	r := create(t, quickConfig(t, oneRegion("http://127.0.0.1:1")))
	r.end()
}

// One signal alone is a whole exporter.
func TestOneSignal(t *testing.T) {
	b := newBackend(t, nil)
	exp, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(NewFactory().Type()), quickConfig(t, oneRegion(b.URL)))
	require.NoError(t, err)
	require.NoError(t, exp.Start(t.Context(), newHost(t, t.TempDir())))
	require.NoError(t, exp.ConsumeLogs(t.Context(), logRecords("", "a")))
	require.Eventually(t, func() bool { return b.has()["a"] == 1 }, testTimeout, testTick)
	require.NoError(t, exp.Shutdown(t.Context()))
}

// After the end nothing is accepted, since nothing would be kept.
func TestConsumeAfterShutdown(t *testing.T) {
	r := begin(t, newHost(t, t.TempDir()), quickConfig(t, oneRegion("http://127.0.0.1:1")))
	r.end()
	require.Error(t, r.ConsumeLogs(t.Context(), logRecords("", "a")))
	require.Error(t, r.ConsumeMetrics(t.Context(), gauges("", "a")))
	require.Error(t, r.ConsumeTraces(t.Context(), spans("north", "a")))
}

func TestStartErrors(t *testing.T) {
	good := oneRegion("http://127.0.0.1:1")
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, test := range []struct {
		name   string
		dir    string
		change func(*Config)
		host   component.Host
		want   []string
	}{
		{"no storage extension", good, nil, componenttest.NewNopHost(), []string{"storage", `"file_storage"`}},
		{"not a storage extension", good, nil, host{storageID: struct {
			component.StartFunc
			component.ShutdownFunc
		}{}}, []string{"storage", "stores nothing"}},
		{"storage folder gone", good, nil, newHost(t, filepath.Join(t.TempDir(), "none")), []string{"list of lanes", "no such file or directory"}},
		{"storage folder is a file", good, nil, newHost(t, file), []string{"not a directory"}},
		{"no directory", good, func(c *Config) { c.Directory.File += ".none" }, nil, []string{"directory", "no such file or directory", ".none"}},
		{"not YAML", "regions: [", nil, nil, []string{"directory", "YAML"}},
		{"several problems", "regions: {home: {logs: {endpoint: \"ftp://x\"}}}\nmore: 1", nil, nil, []string{"regions.home.zone", "regions.home.logs.endpoint", "more"}},
		{"home region unknown", good, func(c *Config) { c.HomeRegion = "north" }, nil, []string{"home_region", `"north"`}},
		{"CA file is no certificate", good + "    tls: {ca_file: " + file + "}\n", nil, nil, []string{"regions.home.tls"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := quickConfig(t, test.dir)
			if test.change != nil {
				test.change(cfg)
			}
			if test.host == nil {
				test.host = newHost(t, t.TempDir())
			}
			r := create(t, cfg)
			err := r.Metrics.Start(t.Context(), test.host)
			require.Error(t, err)
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
			// The Collector shuts down what failed to start.
			for _, c := range r.parts {
				require.NoError(t, c.Shutdown(context.Background()))
			}
		})
	}
}
