// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"go.opentelemetry.io/collector/component"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/remotewrite"
)

// Config is the configuration of the region exporter.
type Config struct {
	// Directory says where the region directory is.
	Directory DirectoryConfig `mapstructure:"directory"`
	// HomeRegion takes the records whose resource names no region. Required; the directory must know it.
	HomeRegion string `mapstructure:"home_region"`
	// Storage is the ID of the storage extension that holds the queues. Required.
	Storage *component.ID `mapstructure:"storage"`
	// Queue bounds what is held on disk.
	Queue QueueConfig `mapstructure:"queue"`
	// Batch says how records are gathered into one request.
	Batch BatchConfig `mapstructure:"batch"`
	// Retry says how long to wait between attempts. Attempts never end.
	Retry RetryConfig `mapstructure:"retry"`
	// Failover says when another region of the same zone stands in for one that fails.
	Failover FailoverConfig `mapstructure:"failover"`
	// Timeout ends one attempt. From 1s to 10m; 30s by default.
	Timeout time.Duration `mapstructure:"timeout"`
	// Senders is how many requests of one lane may be under way at once. From 1 to 32; 2 by default.
	Senders int `mapstructure:"senders"`
	// CompressionLevel is that of zstd: `fastest`, `default` or `better` (the default).
	CompressionLevel CompressionLevel `mapstructure:"compression_level"`
	// MaxNamespaces is of how many Kubernetes namespaces a lane counts what they send, each by itself; what is beyond is counted together. From 0
	// (none) to 10,000; 500 by default.
	MaxNamespaces int `mapstructure:"max_namespaces"`
	// Metrics holds what only concerns metrics.
	Metrics MetricsConfig `mapstructure:"metrics"`
	// Logs holds what only concerns logs.
	Logs LogsConfig `mapstructure:"logs"`
}

// DirectoryConfig says where the region directory is: in a file or in a ConfigMap. It is watched, and read again when it changes.
type DirectoryConfig struct {
	// File is the path of the directory in YAML.
	File string `mapstructure:"file"`
	// ConfigMap names an object of the Kubernetes cluster that the exporter runs in.
	ConfigMap *ConfigMapConfig `mapstructure:"config_map"`
	// DrainTimeout is how long records of a region that has left the directory are still delivered to where it was; then they are
	// held. From 0 to 24h; 10m by default.
	DrainTimeout time.Duration `mapstructure:"drain_timeout"`
}

// ConfigMapConfig names a key of a ConfigMap.
type ConfigMapConfig struct {
	Namespace string `mapstructure:"namespace"` // required
	Name      string `mapstructure:"name"`      // required
	Key       string `mapstructure:"key"`       // required
	// Kubeconfig is a path; empty for the Pod's ServiceAccount.
	Kubeconfig string `mapstructure:"kubeconfig"`
}

// OnFull is what a lane does with new data when its queue is at its bound.
type OnFull string

const (
	// OnFullRefuse returns an error to the receiver, which can wait and try again.
	OnFullRefuse OnFull = "refuse"
	// OnFullDropOldest drops the oldest records of the lane and counts them.
	OnFullDropOldest OnFull = "drop_oldest"
)

// QueueConfig bounds what is held on disk, in bytes of stored records.
type QueueConfig struct {
	// MaxBytes bounds each lane. At least 1 MiB; 1 GiB by default.
	MaxBytes int64 `mapstructure:"max_bytes"`
	// MaxTotalBytes bounds all lanes of the exporter together, but for the first 16 MiB of each: so much is a lane's own, whatever
	// the others hold. At least MaxBytes; 4 GiB by default.
	MaxTotalBytes int64 `mapstructure:"max_total_bytes"`
	// MaxUnknownBytes bounds, per signal, the records of regions that the directory doesn't know. At least 1 MiB; 128 MiB by default.
	MaxUnknownBytes int64 `mapstructure:"max_unknown_bytes"`
	// OnFull is `refuse` (the default) or `drop_oldest`. Records of unknown regions are always refused at their bound.
	OnFull OnFull `mapstructure:"on_full"`
	// DrainAtShutdown is how long a shutdown goes on to deliver what is held, failures included, where the disk goes with the collector. From
	// 0 to 1h; 0 by default: what is held stays on the disk, and only a region that takes it gets it, for up to 5s.
	DrainAtShutdown time.Duration `mapstructure:"drain_at_shutdown"`
}

// BatchConfig says how records are gathered into one request.
type BatchConfig struct {
	// MaxBytes is the size of a request before compression. From 1 KiB to 16 MiB; 1 MiB by default.
	MaxBytes int `mapstructure:"max_bytes"`
	// MaxDelay is how long a log record or span may wait for others to fill the request. From 0 to 1m; 1s by default.
	MaxDelay time.Duration `mapstructure:"max_delay"`
}

// RetryConfig is exponential back-off with 50 % jitter. There is no limit in time: records stay on disk until they are delivered.
type RetryConfig struct {
	// InitialInterval is the first wait. From 10ms to MaxInterval; 500ms by default.
	InitialInterval time.Duration `mapstructure:"initial_interval"`
	// MaxInterval bounds the wait; a server may ask for a longer one, up to 1h, by Retry-After. At most 1h; 30s by default.
	MaxInterval time.Duration `mapstructure:"max_interval"`
}

// FailoverConfig says when another region of the same zone, which the directory names, stands in for one that fails.
type FailoverConfig struct {
	// After is how long no attempt may deliver before the lane turns to another region. From 1s to 24h; 2m by default.
	After time.Duration `mapstructure:"after"`
	// ReturnAfter is how long each probe of a preferred region must succeed before the lane returns. From 1s to 24h; 2m by default.
	ReturnAfter time.Duration `mapstructure:"return_after"`
	// ProbeInterval is the time between two probes, requests without records. From 100ms to 10m; 15s by default.
	ProbeInterval time.Duration `mapstructure:"probe_interval"`
}

// MetricsConfig holds what only concerns metrics.
type MetricsConfig struct {
	// MaxDelay is how long a data point may wait for others to fill the request. What is scraped every half minute can wait longer
	// than the rest, and what repeats from target to target is sent once. From 0 to 1m; 5s by default.
	MaxDelay time.Duration `mapstructure:"max_delay"`
	// ResourceLabels maps further resource attributes to labels of remote write, besides those of the KOF contract.
	ResourceLabels map[string]string `mapstructure:"resource_labels"`
	// TargetInfo adds a target_info series for each resource that has attributes beyond those that become labels.
	TargetInfo bool `mapstructure:"target_info"`
}

// LogsConfig holds what only concerns logs.
type LogsConfig struct {
	// StreamFields are the resource attributes that make a log stream in VictoriaLogs. Each combination of values is a stream, so
	// none may be of high cardinality, such as a pod's UID. At least 1, at most 16.
	StreamFields []string `mapstructure:"stream_fields"`
}

func (m MetricsConfig) options() remotewrite.Options {
	return remotewrite.Options{ResourceLabels: m.ResourceLabels, TargetInfo: m.TargetInfo}
}

// laneReserve is what a lane may hold even when the others have used up the bound on all.
const laneReserve = 16 * mib

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// Validate returns all problems, each with the path of its key.
func (c *Config) Validate() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	cm := c.Directory.ConfigMap
	refuse((c.Directory.File == "") == (cm == nil), "directory: one of file and config_map is required: where the region directory is")
	refuse(cm != nil && (cm.Namespace == "" || cm.Name == "" || cm.Key == ""), "directory::config_map: namespace, name and key are required")
	refuse(c.Directory.DrainTimeout < 0 || c.Directory.DrainTimeout > 24*time.Hour, "directory::drain_timeout: %v is outside 0s to 24h", c.Directory.DrainTimeout)
	refuse(c.HomeRegion == "", "home_region: required: the name of a region of the directory")
	refuse(c.Storage == nil, "storage: required: the ID of a storage extension, such as file_storage")

	q := c.Queue
	refuse(q.MaxBytes < mib, "queue::max_bytes: %d is too small, at least %d", q.MaxBytes, mib)
	refuse(q.MaxTotalBytes < q.MaxBytes, "queue::max_total_bytes: %d is smaller than queue::max_bytes (%d)", q.MaxTotalBytes, q.MaxBytes)
	refuse(q.MaxUnknownBytes < mib, "queue::max_unknown_bytes: %d is too small, at least %d", q.MaxUnknownBytes, mib)
	refuse(q.DrainAtShutdown < 0 || q.DrainAtShutdown > time.Hour, "queue::drain_at_shutdown: %v is outside 0s to 1h", q.DrainAtShutdown)
	refuse(q.OnFull != OnFullRefuse && q.OnFull != OnFullDropOldest, "queue::on_full: %q is not one of %q, %q", q.OnFull, OnFullRefuse, OnFullDropOldest)

	b := c.Batch
	refuse(b.MaxBytes < kib || b.MaxBytes > 16*mib, "batch::max_bytes: %d is outside %d to %d", b.MaxBytes, kib, 16*mib)
	_, ok := zstdEncoders[c.CompressionLevel]
	refuse(!ok, "compression_level: %q is not one of %q, %q, %q", c.CompressionLevel, CompressionFastest, CompressionDefault, CompressionBetter)
	refuse(c.Metrics.MaxDelay < 0 || c.Metrics.MaxDelay > time.Minute, "metrics::max_delay: %v is outside 0s to 1m", c.Metrics.MaxDelay)
	refuse(b.MaxDelay < 0 || b.MaxDelay > time.Minute, "batch::max_delay: %v is outside 0s to 1m", b.MaxDelay)

	r := c.Retry
	refuse(r.MaxInterval > time.Hour, "retry::max_interval: %v is above 1h", r.MaxInterval)
	refuse(r.InitialInterval < 10*time.Millisecond || r.InitialInterval > r.MaxInterval,
		"retry::initial_interval: %v is outside 10ms to retry::max_interval (%v)", r.InitialInterval, r.MaxInterval)

	f := c.Failover
	for _, d := range []struct {
		key              string
		value, low, high time.Duration
	}{
		{"after", f.After, time.Second, 24 * time.Hour},
		{"return_after", f.ReturnAfter, time.Second, 24 * time.Hour},
		{"probe_interval", f.ProbeInterval, 100 * time.Millisecond, 10 * time.Minute},
	} {
		refuse(d.value < d.low || d.value > d.high, "failover::%s: %v is outside %v to %v", d.key, d.value, d.low, d.high)
	}

	refuse(c.Timeout < time.Second || c.Timeout > 10*time.Minute, "timeout: %v is outside 1s to 10m", c.Timeout)
	refuse(c.Senders < 1 || c.Senders > 32, "senders: %d is outside 1 to 32", c.Senders)

	refuse(c.MaxNamespaces < 0 || c.MaxNamespaces > 10_000, "max_namespaces: %d is outside 0 to 10000", c.MaxNamespaces)

	fields := c.Logs.StreamFields
	refuse(len(fields) < 1 || len(fields) > 16, "logs::stream_fields: %d fields, allowed are 1 to 16", len(fields))
	for i, f := range fields {
		refuse(f == "" || f == "k8s.pod.uid", "logs::stream_fields[%d]: %q can't be a stream field: it is empty or makes a stream per pod", i, f)
		// They go into an HTTP header, with commas between them.
		refuse(strings.ContainsFunc(f, func(r rune) bool { return r == ',' || unicode.IsControl(r) }),
			"logs::stream_fields[%d]: %q can't be a stream field: it has a comma or a control character", i, f)
	}
	if err := c.Metrics.options().Validate(); err != nil {
		for problem := range strings.SplitSeq(err.Error(), "\n") {
			errs = append(errs, fmt.Errorf("metrics::%s", problem))
		}
	}
	return errors.Join(errs...)
}

func createDefaultConfig() component.Config {
	return &Config{
		Directory:        DirectoryConfig{DrainTimeout: 10 * time.Minute},
		Queue:            QueueConfig{MaxBytes: gib, MaxTotalBytes: 4 * gib, MaxUnknownBytes: 128 * mib, OnFull: OnFullRefuse},
		Batch:            BatchConfig{MaxBytes: mib, MaxDelay: time.Second},
		Retry:            RetryConfig{InitialInterval: 500 * time.Millisecond, MaxInterval: 30 * time.Second},
		Failover:         FailoverConfig{After: 2 * time.Minute, ReturnAfter: 2 * time.Minute, ProbeInterval: 15 * time.Second},
		Timeout:          30 * time.Second,
		Senders:          2,
		CompressionLevel: CompressionBetter,
		MaxNamespaces:    500,
		Metrics:          MetricsConfig{MaxDelay: 5 * time.Second, TargetInfo: true},
		Logs: LogsConfig{StreamFields: []string{
			"k8s.cluster.name", "k8s.namespace.name", "k8s.container.name",
			"k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name", "k8s.cronjob.name",
			"service.name", "host.name",
		}},
	}
}
