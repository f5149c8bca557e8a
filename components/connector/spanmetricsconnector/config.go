// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"time"

	"go.opentelemetry.io/collector/component"
)

// Config is the configuration of the span metrics connector. Keys that OpenTelemetry's connector has too mean the same.
type Config struct {
	// Namespace precedes the names of the metrics, with a dot between. Default: traces.span.metrics. Empty: nothing precedes them.
	Namespace string `mapstructure:"namespace"`

	// Dimensions are attributes of a span or, where it lacks them, of its resource, that metrics have beside service.name,
	// span.name, span.kind and status.code. At most 16.
	Dimensions []DimensionConfig `mapstructure:"dimensions"`

	// ExcludeDimensions are those of the four that metrics don't have.
	ExcludeDimensions []string `mapstructure:"exclude_dimensions"`

	Histogram HistogramConfig `mapstructure:"histogram"`

	Exemplars ExemplarsConfig `mapstructure:"exemplars"`

	// AggregationTemporality is AGGREGATION_TEMPORALITY_CUMULATIVE (the default, which remote write needs) or
	// AGGREGATION_TEMPORALITY_DELTA.
	AggregationTemporality string `mapstructure:"aggregation_temporality"`

	// MetricsFlushInterval is how often metrics are given on: 1s to 1h. Default: 60s.
	MetricsFlushInterval time.Duration `mapstructure:"metrics_flush_interval"`

	// MetricsExpiration is how long a series without spans is kept, at least twice the interval. Default: 15m. 0: for ever, so that the
	// bounds below are all that frees no room.
	MetricsExpiration time.Duration `mapstructure:"metrics_expiration"`

	// AggregationCardinalityLimit is how many series a resource has, 1 to 100,000; what would be more is counted in one that has
	// otel.metric.overflow=true in place of its dimensions. Default: 1000.
	AggregationCardinalityLimit int `mapstructure:"aggregation_cardinality_limit"`

	// ResourceMetricsCacheSize is how many resources there are, 1 to 100,000; those beyond share one per region, tenant, cluster and
	// node, of which there are as many at most. Default: 1000.
	ResourceMetricsCacheSize int `mapstructure:"resource_metrics_cache_size"`

	// MaxSeries is how many series there are of all resources, but for the overflowing ones: 1 to 1,000,000. Default: 10,000.
	MaxSeries int `mapstructure:"max_series"`

	// ResourceAttributes are the attributes of the spans' resource that the metrics keep, beside those that say where they belong. What
	// differs in others only is counted together. Default: the service, the namespace and the workload.
	ResourceAttributes []string `mapstructure:"resource_attributes"`

	// CollectorInstanceID tells this collector from others that count spans of the same service: the value of the attribute
	// collector.instance.id. Default: none where the resource names the node, else an ID that is new at each start.
	CollectorInstanceID string `mapstructure:"collector_instance_id"`
}

// DimensionConfig is an attribute that becomes one of the metrics.
type DimensionConfig struct {
	// Name is the attribute's key.
	Name string `mapstructure:"name"`

	// Default is the value where neither the span nor its resource has it. Not set: the metric lacks it then.
	Default *string `mapstructure:"default"`
}

// HistogramConfig is how durations are counted.
type HistogramConfig struct {
	// Disable leaves out durations.
	Disable bool `mapstructure:"disable"`

	// Unit is ms (the default) or s.
	Unit string `mapstructure:"unit"`

	Explicit ExplicitHistogramConfig `mapstructure:"explicit"`
}

// ExplicitHistogramConfig holds the upper bounds of the buckets.
type ExplicitHistogramConfig struct {
	// Buckets are positive and ascending, at most 64. Default: 2ms to 15s in 16 buckets.
	Buckets []time.Duration `mapstructure:"buckets"`
}

// ExemplarsConfig is about spans that stand for the others of a data point.
type ExemplarsConfig struct {
	// Enabled adds exemplars to durations. Remote write leaves them out; OTLP has them.
	Enabled bool `mapstructure:"enabled"`

	// MaxPerDataPoint is how many a point has, 1 to 100. Default: 5. They are drawn evenly from the spans since the last flush.
	MaxPerDataPoint int `mapstructure:"max_per_data_point"`
}

const (
	temporalityCumulative = "AGGREGATION_TEMPORALITY_CUMULATIVE"
	temporalityDelta      = "AGGREGATION_TEMPORALITY_DELTA"
)

// The dimensions that every metric has unless they are excluded, and the attributes that the connector sets itself.
const (
	attrServiceName = "service.name"
	attrSpanName    = "span.name"
	attrSpanKind    = "span.kind"
	attrStatusCode  = "status.code"
	attrOverflow    = "otel.metric.overflow"
	attrInstanceID  = "collector.instance.id"
	attrNode        = "k8s.node.name"
)

// routingAttributes say which region and tenant a resource belongs to, and who reports it. They are always kept: what is left out here
// could bring the metrics of one region to another.
var routingAttributes = []string{
	"kof.region", "kof.tenant", "cloud.region", "k8s.cluster.name", "k8s.cluster.uid", "kof.cluster.namespace", attrNode,
}

func createDefaultConfig() component.Config {
	return &Config{
		Namespace: "traces.span.metrics",
		Histogram: HistogramConfig{Unit: "ms", Explicit: ExplicitHistogramConfig{Buckets: []time.Duration{
			2 * time.Millisecond, 4 * time.Millisecond, 6 * time.Millisecond, 8 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond,
			100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, time.Second,
			1400 * time.Millisecond, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second,
		}}},
		Exemplars:                   ExemplarsConfig{MaxPerDataPoint: 5},
		AggregationTemporality:      temporalityCumulative,
		MetricsFlushInterval:        time.Minute,
		MetricsExpiration:           15 * time.Minute,
		AggregationCardinalityLimit: 1000,
		ResourceMetricsCacheSize:    1000,
		MaxSeries:                   10_000,
		ResourceAttributes: []string{
			attrServiceName, "service.namespace", "deployment.environment.name", "k8s.namespace.name", "k8s.deployment.name", "k8s.statefulset.name",
			"k8s.daemonset.name", "k8s.job.name", "k8s.cronjob.name",
		},
	}
}
