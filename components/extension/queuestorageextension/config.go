// SPDX-License-Identifier: Apache-2.0

package queuestorageextension

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/k0rdent/kof/internal/segmentlog"
)

const (
	defaultSegmentBytes      = 16 << 20
	defaultMaxBytesPerClient = 2 << 30
	defaultMaxBytes          = 10 << 30
	maxQuotaBytes            = 16 << 40
	defaultFsyncInterval     = time.Second
	minFsyncInterval         = 10 * time.Millisecond
	maxFsyncInterval         = time.Minute
)

// FsyncPolicy tells when data is made durable against a loss of power.
type FsyncPolicy string

const (
	// FsyncInterval syncs every FsyncInterval. A loss of power takes what was written since the last sync.
	FsyncInterval FsyncPolicy = "interval"
	// FsyncAlways syncs before a write is acknowledged. A loss of power takes nothing that was acknowledged.
	FsyncAlways FsyncPolicy = "always"
	// FsyncNever leaves it to the operating system. A loss of power can take anything that it had not yet written.
	FsyncNever FsyncPolicy = "never"
)

// Config is the configuration of the extension. All sizes are bytes.
type Config struct {
	// Directory holds one folder per client. Required, absolute, used by this extension alone.
	Directory string `mapstructure:"directory"`

	// CreateDirectory makes Directory, with mode 0700, if it isn't there.
	CreateDirectory bool `mapstructure:"create_directory"`

	// SegmentBytes is the size of a file, and so the step in which disk is given back: 1 MiB to 64 MiB.
	SegmentBytes int64 `mapstructure:"segment_bytes"`

	// MaxBytesPerClient bounds what one client has on disk: from four segments to 16 TiB. The last segment of it is kept
	// for draining.
	MaxBytesPerClient int64 `mapstructure:"max_bytes_per_client"`

	// MaxBytes bounds what all clients have on disk, those included that are not in use any more: from MaxBytesPerClient
	// to 16 TiB. The last segment of it is kept for draining.
	MaxBytes int64 `mapstructure:"max_bytes"`

	// Fsync tells when data is made durable against a loss of power. The death of the process never takes anything.
	Fsync FsyncPolicy `mapstructure:"fsync"`

	// FsyncInterval is the time between syncs with Fsync "interval": 10ms to 1m.
	FsyncInterval time.Duration `mapstructure:"fsync_interval"`
}

func createDefaultConfig() component.Config {
	return &Config{
		SegmentBytes:      defaultSegmentBytes,
		MaxBytesPerClient: defaultMaxBytesPerClient,
		MaxBytes:          defaultMaxBytes,
		Fsync:             FsyncInterval,
		FsyncInterval:     defaultFsyncInterval,
	}
}

// Validate returns all problems, each with the key that it is about. Whether the directory can be used is found out at
// the start.
func (c *Config) Validate() error {
	var errs []error
	if c.Directory == "" {
		errs = append(errs, errors.New("directory: required: an absolute path"))
	} else if !filepath.IsAbs(c.Directory) || filepath.Clean(c.Directory) == string(filepath.Separator) {
		errs = append(errs, fmt.Errorf("directory: found %q, must be an absolute path below the root", c.Directory))
	}
	outside := func(key string, found, low, high int64) bool {
		if found >= low && found <= high {
			return false
		}
		errs = append(errs, fmt.Errorf("%s: found %d, must be %d to %d bytes", key, found, low, high))
		return true
	}
	low := int64(segmentlog.MinSegments * segmentlog.MinSegmentBytes)
	if !outside("segment_bytes", c.SegmentBytes, segmentlog.MinSegmentBytes, segmentlog.MaxSegmentBytes) {
		low = segmentlog.MinSegments * c.SegmentBytes
	}
	if !outside("max_bytes_per_client", c.MaxBytesPerClient, low, maxQuotaBytes) {
		low = c.MaxBytesPerClient
	}
	outside("max_bytes", c.MaxBytes, low, maxQuotaBytes)
	switch c.Fsync {
	case FsyncInterval, FsyncAlways, FsyncNever:
	default:
		errs = append(errs, fmt.Errorf("fsync: found %q, must be %q, %q or %q", c.Fsync, FsyncInterval, FsyncAlways, FsyncNever))
	}
	if c.FsyncInterval < minFsyncInterval || c.FsyncInterval > maxFsyncInterval {
		errs = append(errs, fmt.Errorf("fsync_interval: found %s, must be %s to %s", c.FsyncInterval, minFsyncInterval, maxFsyncInterval))
	}
	return errors.Join(errs...)
}

func (c *Config) syncMode() segmentlog.SyncMode {
	switch c.Fsync {
	case FsyncAlways:
		return segmentlog.SyncAlways
	case FsyncNever:
		return segmentlog.SyncNever
	default:
		return segmentlog.SyncInterval
	}
}
