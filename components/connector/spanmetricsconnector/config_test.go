// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

// load returns the configuration of that ID in testdata/config.yaml.
func load(t testing.TB, id string) (*Config, error) {
	cm, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	require.True(t, cm.IsSet(id), id)
	sub, err := cm.Sub(id)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	return cfg, sub.Unmarshal(cfg)
}

func TestConfig(t *testing.T) {
	zero := "0"
	cfg, err := load(t, "span_metrics")
	require.NoError(t, err)
	require.Equal(t, createDefaultConfig(), cfg)
	require.NoError(t, xconfmap.Validate(cfg))

	cfg, err = load(t, "span_metrics/full")
	require.NoError(t, err)
	require.NoError(t, xconfmap.Validate(cfg))
	require.Equal(t, &Config{
		Namespace:         "app.spans",
		Dimensions:        []DimensionConfig{{Name: "http.request.method"}, {Name: "http.response.status_code", Default: &zero}},
		ExcludeDimensions: []string{"service.name"},
		Histogram: HistogramConfig{Unit: "s", Explicit: ExplicitHistogramConfig{
			Buckets: []time.Duration{time.Millisecond, 100 * time.Millisecond, time.Second}}},
		Exemplars:                   ExemplarsConfig{Enabled: true, MaxPerDataPoint: 2},
		AggregationTemporality:      temporalityDelta,
		MetricsFlushInterval:        15 * time.Second,
		AggregationCardinalityLimit: 10,
		ResourceMetricsCacheSize:    20,
		MaxSeries:                   100,
		ResourceAttributes:          []string{"service.name"},
		CollectorInstanceID:         "gateway-1",
	}, cfg)

	cfg, err = load(t, "span_metrics/stock")
	require.NoError(t, err)
	require.NoError(t, xconfmap.Validate(cfg))
}

func TestBadConfig(t *testing.T) {
	for id, want := range map[string][]string{
		"span_metrics/bad_numbers": {
			"metrics_flush_interval: found 100ms; allowed: 1s to 1h0m0s",
			"aggregation_cardinality_limit: found 0; allowed: 1 to 100000",
			"resource_metrics_cache_size: found -1; allowed: 1 to 100000",
			"max_series: found 1000001; allowed: 1 to 1000000",
			"exemplars::max_per_data_point: found 0; allowed: 1 to 100",
			"metrics_expiration: found 150ms; allowed: 0 (never), or at least twice metrics_flush_interval (200ms)",
		},
		"span_metrics/bad_words": {
			`exclude_dimensions[1]: found "http.method"; allowed: ["service.name" "span.name" "span.kind" "status.code"]`,
			`histogram::unit: found "us"; allowed: ["ms" "s"]`,
			`aggregation_temporality: found "cumulative"; allowed: ["AGGREGATION_TEMPORALITY_CUMULATIVE" "AGGREGATION_TEMPORALITY_DELTA"]`,
			"resource_attributes[0]: is empty; allowed: the key of an attribute",
		},
		"span_metrics/bad_dimensions": {
			"dimensions[1]::name: not set; set it to the key of an attribute",
			`dimensions[2]::name: found "span.name", which is there already; allowed: each key once`,
			`dimensions[3]::name: found "http.method", which is there already; allowed: each key once`,
			`dimensions[4]::name: found "otel.metric.overflow", which is there already; allowed: each key once`,
		},
		"span_metrics/bad_buckets": {
			"histogram::explicit::buckets[0]: found 0s; allowed: more than 0s",
			"histogram::explicit::buckets[2]: found 1s; allowed: more than 2s",
		},
		"span_metrics/no_buckets": {"histogram::explicit::buckets: found 0; allowed: 1 to 64"},
	} {
		t.Run(id, func(t *testing.T) {
			cfg, err := load(t, id)
			require.NoError(t, err)
			require.EqualError(t, xconfmap.Validate(cfg), strings.Join(want, "\n"))
		})
	}
	_, err := load(t, "span_metrics/unknown_key")
	require.ErrorContains(t, err, "has invalid keys: events")
}
