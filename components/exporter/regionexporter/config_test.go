// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

// loadConfig returns an entry of a file, as the Collector reads it.
func loadConfig(t testing.TB, file, id string) (*Config, error) {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", file))
	require.NoError(t, err)
	require.True(t, all.IsSet(id), "%s has no %s", file, id)
	sub, err := all.Sub(id)
	require.NoError(t, err)
	cfg := createDefaultConfig()
	if err := sub.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg.(*Config), xconfmap.Validate(cfg)
}

func TestConfigDefaults(t *testing.T) {
	require.NoError(t, componenttest.CheckConfigStruct(createDefaultConfig()))
	got, err := loadConfig(t, "config.yaml", "region")
	require.NoError(t, err)
	want := createDefaultConfig().(*Config)
	want.Directory.File, want.HomeRegion = "/etc/kof/regions.yaml", "eu-west-1"
	id := component.MustNewID("file_storage")
	want.Storage = &id
	require.Equal(t, want, got)
	// The defaults that the documentation promises.
	require.EqualValues(t, 1<<30, got.Queue.MaxBytes)
	require.EqualValues(t, 4<<30, got.Queue.MaxTotalBytes)
	require.EqualValues(t, 128<<20, got.Queue.MaxUnknownBytes)
	require.Equal(t, OnFullRefuse, got.Queue.OnFull)
	require.Equal(t, 1<<20, got.Batch.MaxBytes)
	require.Equal(t, 30*time.Second, got.Timeout)
	require.NotContains(t, got.Logs.StreamFields, "k8s.pod.uid")
	require.NotContains(t, got.Logs.StreamFields, "k8s.pod.name")
}

func TestConfigAll(t *testing.T) {
	got, err := loadConfig(t, "config.yaml", "region/all")
	require.NoError(t, err)
	id := component.MustNewIDWithName("file_storage", "queues")
	require.Equal(t, &Config{
		Directory: DirectoryConfig{
			ConfigMap:    &ConfigMapConfig{Namespace: "kof", Name: "regions", Key: "regions.yaml", Kubeconfig: "/etc/kof/kubeconfig"},
			DrainTimeout: time.Hour,
		},
		HomeRegion:       "eu-west-1",
		Storage:          &id,
		Queue:            QueueConfig{MaxBytes: 1 << 20, MaxTotalBytes: 2 << 20, MaxUnknownBytes: 3 << 20, OnFull: OnFullDropOldest, DrainAtShutdown: 50 * time.Second},
		Batch:            BatchConfig{MaxBytes: 64 << 10, MaxDelay: time.Second},
		Retry:            RetryConfig{InitialInterval: 10 * time.Millisecond, MaxInterval: time.Hour},
		Failover:         FailoverConfig{After: time.Second, ReturnAfter: 24 * time.Hour, ProbeInterval: 100 * time.Millisecond},
		Timeout:          10 * time.Minute,
		Senders:          32,
		CompressionLevel: CompressionFastest,
		MaxNamespaces:    10_000,
		Metrics:          MetricsConfig{MaxDelay: time.Minute, ResourceLabels: map[string]string{"cloud.availability_zone": "zone"}},
		Logs:             LogsConfig{StreamFields: []string{"k8s.cluster.name", "k8s.namespace.name"}},
	}, got)
}

// Each problem of a configuration is named with the path of its key, what was found and what is allowed, all at once.
func TestConfigBad(t *testing.T) {
	for id, problems := range map[string][]string{
		"region/empty": {
			"directory: one of file and config_map is required",
			"home_region: required",
			"storage: required",
		},
		"region/both_directories":  {"directory: one of file and config_map is required"},
		"region/half_a_config_map": {"directory::config_map: namespace, name and key are required"},
		"region/too_small": {
			"directory::drain_timeout: -1s is outside 0s to 24h",
			"queue::max_bytes: 1048575 is too small, at least 1048576",
			"queue::max_total_bytes: 1048574 is smaller than queue::max_bytes (1048575)",
			"queue::max_unknown_bytes: 0 is too small, at least 1048576",
			"queue::drain_at_shutdown: 1h1m0s is outside 0s to 1h",
			`queue::on_full: "" is not one of "refuse", "drop_oldest"`,
			"batch::max_bytes: 1023 is outside 1024 to 16777216",
			"metrics::max_delay: -1s is outside 0s to 1m",
			"batch::max_delay: -1ns is outside 0s to 1m",
			"retry::initial_interval: 9ms is outside 10ms to retry::max_interval (5ms)",
			"failover::after: 0s is outside 1s to 24h",
			"failover::return_after: 999ms is outside 1s to 24h",
			"failover::probe_interval: 99ms is outside 100ms to 10m",
			"timeout: 0s is outside 1s to 10m",
			"senders: 0 is outside 1 to 32",
			"max_namespaces: -1 is outside 0 to 10000",
			`compression_level: "" is not one of "fastest", "default", "better"`,
			"logs::stream_fields: 0 fields, allowed are 1 to 16",
		},
		"region/too_large": {
			"directory::drain_timeout: 24h0m1s is outside 0s to 24h",
			`queue::on_full: "drop_newest" is not one of "refuse", "drop_oldest"`,
			"batch::max_bytes: 16777217 is outside 1024 to 16777216",
			"metrics::max_delay: 2m0s is outside 0s to 1m",
			"batch::max_delay: 1m1s is outside 0s to 1m",
			"retry::max_interval: 1h0m1s is above 1h",
			"failover::after: 25h0m0s is outside 1s to 24h",
			"failover::return_after: 25h0m0s is outside 1s to 24h",
			"failover::probe_interval: 11m0s is outside 100ms to 10m",
			"timeout: 10m1s is outside 1s to 10m",
			"senders: 33 is outside 1 to 32",
			"logs::stream_fields: 17 fields, allowed are 1 to 16",
		},
		"region/initial_above_max": {"retry::initial_interval: 2s is outside 10ms to retry::max_interval (1s)"},
		"region/stream_fields": {
			"logs::stream_fields[0]: ",
			"logs::stream_fields[1]: ",
			"logs::stream_fields[2]: ", // a comma separates fields in the header that carries them
			"logs::stream_fields[3]: ", // a header can't carry this
		},
		"region/resource_labels": {
			`metrics::resource_labels::a: "not a label" is not allowed`,
			`metrics::resource_labels::b: label "namespace" is taken`,
		},
		"region/unknown_key": {"invalid keys: sending_queue"},
	} {
		t.Run(id, func(t *testing.T) {
			_, err := loadConfig(t, "bad.yaml", id)
			require.Error(t, err)
			for _, problem := range problems {
				require.ErrorContains(t, err, problem)
			}
			if id != "region/unknown_key" { // the decoder's, in its own form
				require.Len(t, strings.Split(err.Error(), "\n"), len(problems), "not looked for: %v", err)
			}
		})
	}
}

// Every bad entry is looked at.
func TestConfigBadIsComplete(t *testing.T) {
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "bad.yaml"))
	require.NoError(t, err)
	require.Len(t, all.ToStringMap(), 9)
}
