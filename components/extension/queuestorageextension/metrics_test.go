// SPDX-License-Identifier: Apache-2.0

//go:build linux

package queuestorageextension

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.yaml.in/yaml/v3"
)

func TestMetrics(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
	dir := t.TempDir()
	abandoned := filepath.Join(dir, "exporter+region++of+the+past")
	require.NoError(t, os.Mkdir(abandoned, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(abandoned, "0000000001.seg"), make([]byte, 1234), 0o600))

	set := extensiontest.NewNopSettings(NewFactory().Type())
	set.TelemetrySettings = tel.NewTelemetrySettings()
	e, err := create(t.Context(), set, testConfig(dir, func(c *Config) { c.MaxBytesPerClient, c.MaxBytes, c.Fsync = 4<<20, 8<<20, FsyncAlways }))
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	c := open(t, e.(*queueStorage), "logs")
	for n := 0; c.Set(t.Context(), strconv.Itoa(n), make([]byte, 100_000)) == nil; n++ {
		require.Less(t, n, 100)
	}

	got := func(name, reason string) int64 {
		m, err := tel.GetMetric("otelcol_kof_queue_storage_" + name)
		require.NoError(t, err)
		var points []metricdata.DataPoint[int64]
		switch data := m.Data.(type) {
		case metricdata.Gauge[int64]:
			points = data.DataPoints
		case metricdata.Sum[int64]:
			require.True(t, data.IsMonotonic)
			points = data.DataPoints
		}
		for _, p := range points {
			if r, _ := p.Attributes.Value("reason"); r.AsString() == reason {
				if client, ok := p.Attributes.Value("client"); ok {
					require.Equal(t, "exporter+region+eu-west-1+logs", client.AsString())
				}
				return p.Value
			}
		}
		require.Fail(t, "no point of "+name+" "+reason)
		return 0
	}
	require.Greater(t, got("disk_bytes", ""), int64(2<<20))
	require.Greater(t, got("live_bytes", ""), int64(2<<20))
	require.Positive(t, got("segments", ""))
	require.EqualValues(t, 1, got("refused_batches", "client_quota"))
	require.Zero(t, got("refused_batches", "total_quota"))
	require.Zero(t, got("refused_batches", "disk_full"))
	require.Zero(t, got("lost_bytes", "half_written"))
	require.Zero(t, got("lost_bytes", "corrupt"))
	require.Zero(t, got("damaged_segments", ""))
	require.Zero(t, got("sync_failures", ""))
	require.EqualValues(t, 1234, got("unclaimed_bytes", ""))
	m, err := tel.GetMetric("otelcol_kof_queue_storage_sync_duration")
	require.NoError(t, err)
	require.Positive(t, m.Data.(metricdata.Histogram[float64]).DataPoints[0].Count)

	// What is declared is what there is.
	b, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	var declared struct {
		Type      string
		Telemetry struct {
			Metrics map[string]struct{ Description, Unit string }
		}
	}
	require.NoError(t, yaml.Unmarshal(b, &declared))
	require.Equal(t, NewFactory().Type().String(), declared.Type)
	for name, want := range declared.Telemetry.Metrics {
		m, err := tel.GetMetric("otelcol_" + name)
		require.NoError(t, err)
		require.Equal(t, want.Description, m.Description, name)
		require.Equal(t, want.Unit, m.Unit, name)
	}
	require.Len(t, declared.Telemetry.Metrics, 9)
}
