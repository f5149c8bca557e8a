// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"time"

	"go.opentelemetry.io/collector/component"
)

// The values of start_at.
const (
	startAtBeginning = "beginning"
	startAtEnd       = "end"
)

// Config is the receiver's configuration. README.md explains every key.
type Config struct {
	// Directory is where the kubelet keeps the logs of pods; absolute. /var/log/pods by default.
	Directory string `mapstructure:"directory"`
	// Storage is the storage extension that holds how far files were read. Required.
	Storage *component.ID `mapstructure:"storage"`
	// StartAt says where files are begun that are there when the receiver starts for the first time. All others are read from
	// their beginning.
	StartAt string `mapstructure:"start_at"`

	// Include selects the containers to read; none: all. A container is read if one selector matches.
	Include []SelectorConfig `mapstructure:"include"`
	// Exclude selects containers not to read, whatever Include says.
	Exclude []SelectorConfig `mapstructure:"exclude"`
	// Workloads are rules for some containers; the first that matches applies.
	Workloads []WorkloadConfig `mapstructure:"workloads"`

	// IncludeFilePath adds the resource attribute log.file.path.
	IncludeFilePath bool `mapstructure:"include_file_path"`
	// Severity looks for the severity that a line names.
	Severity bool `mapstructure:"severity"`

	// MaxLineBytes bounds the content of a record, joined lines included, in bytes; what is longer is cut, marked and counted.
	MaxLineBytes int `mapstructure:"max_line_bytes"`
	// IncompleteTimeout is how long a line that isn't complete waits for its rest.
	IncompleteTimeout time.Duration `mapstructure:"incomplete_timeout"`

	// Workers is how many containers can be read at the same time.
	Workers int `mapstructure:"workers"`
	// PollInterval is how often open files are looked at for new lines.
	PollInterval time.Duration `mapstructure:"poll_interval"`
	// RescanInterval is how often all directories are listed, for changes that inotify didn't tell.
	RescanInterval time.Duration `mapstructure:"rescan_interval"`
	// MaxOpenFiles bounds the open files, those included that were deleted before they were read.
	MaxOpenFiles int `mapstructure:"max_open_files"`
	// MaxContainers bounds the containers that are read.
	MaxContainers int `mapstructure:"max_containers"`

	Batch BatchConfig `mapstructure:"batch"`
	Retry RetryConfig `mapstructure:"retry"`
	// Kubernetes says how the API is reached. It is only asked when a selector has an annotation or a label.
	Kubernetes KubernetesConfig `mapstructure:"kubernetes"`
}

// BatchConfig says how records are gathered.
type BatchConfig struct {
	MaxBytes int           `mapstructure:"max_bytes"` // of the lines as they are in the files
	MaxDelay time.Duration `mapstructure:"max_delay"`
}

// RetryConfig is exponential back-off of a batch that the pipeline refuses. There is no limit in time.
type RetryConfig struct {
	InitialInterval time.Duration `mapstructure:"initial_interval"`
	MaxInterval     time.Duration `mapstructure:"max_interval"`
}

// SelectorConfig matches a container when all that it names match. Values are patterns of path.Match: `*`, `?`, `[a-z]`.
type SelectorConfig struct {
	Namespace       string            `mapstructure:"namespace"`
	Pod             string            `mapstructure:"pod"`
	Container       string            `mapstructure:"container"`
	PodAnnotations  map[string]string `mapstructure:"pod_annotations"`
	NamespaceLabels map[string]string `mapstructure:"namespace_labels"`
}

// WorkloadConfig says how lines of some containers are read.
type WorkloadConfig struct {
	Match     SelectorConfig  `mapstructure:"match"`
	Multiline MultilineConfig `mapstructure:"multiline"`
	// ParseJSON makes the members of a line that is a JSON object attributes of its record.
	ParseJSON bool            `mapstructure:"parse_json"`
	RateLimit RateLimitConfig `mapstructure:"rate_limit"`
}

// MultilineConfig says which lines are one record; at most one of the two keys.
type MultilineConfig struct {
	// FirstLine is a regular expression (RE2) that the first line of each record matches.
	FirstLine string `mapstructure:"first_line"`
	// StackTraces joins lines that look like those of a stack trace to the line before.
	StackTraces bool `mapstructure:"stack_traces"`
}

func (m MultilineConfig) enabled() bool { return m.FirstLine != "" || m.StackTraces }

// RateLimitConfig bounds each container; what exceeds it is dropped and counted. 0: no limit. A second's worth may come at once.
type RateLimitConfig struct {
	LinesPerSecond int `mapstructure:"lines_per_second"`
	BytesPerSecond int `mapstructure:"bytes_per_second"`
}

// KubernetesConfig says how the API server is reached.
type KubernetesConfig struct {
	Kubeconfig string `mapstructure:"kubeconfig"` // "" for the pod's ServiceAccount
	Node       string `mapstructure:"node"`       // whose pods are watched
}

const (
	kib = 1 << 10
	mib = 1 << 20
)

func createDefaultConfig() component.Config {
	return &Config{
		Directory:         "/var/log/pods",
		StartAt:           startAtBeginning,
		Severity:          true,
		MaxLineBytes:      256 * kib,
		IncompleteTimeout: 5 * time.Second,
		Workers:           2,
		PollInterval:      250 * time.Millisecond,
		RescanInterval:    time.Minute,
		MaxOpenFiles:      4096,
		MaxContainers:     4096,
		Batch:             BatchConfig{MaxBytes: mib, MaxDelay: 500 * time.Millisecond},
		Retry:             RetryConfig{InitialInterval: 100 * time.Millisecond, MaxInterval: 10 * time.Second},
	}
}
