// SPDX-License-Identifier: Apache-2.0

package nodeexporterreceiver

import (
	"path/filepath"
	"time"

	"go.opentelemetry.io/collector/component"
)

// Config is the receiver's configuration. README.md explains every key.
type Config struct {
	CollectionInterval time.Duration              `mapstructure:"collection_interval"`
	InitialDelay       time.Duration              `mapstructure:"initial_delay"`
	Timeout            time.Duration              `mapstructure:"timeout"`
	Node               string                     `mapstructure:"node"`
	RootPath           string                     `mapstructure:"root_path"`
	ProcFS             string                     `mapstructure:"procfs"`
	SysFS              string                     `mapstructure:"sysfs"`
	RootFS             string                     `mapstructure:"rootfs"`
	UdevData           string                     `mapstructure:"udev_data"`
	LinkDirectory      string                     `mapstructure:"link_directory"`
	MaxSeries          int                        `mapstructure:"max_series"`
	Collectors         map[string]CollectorConfig `mapstructure:"collectors"`
}

// CollectorConfig says whether a collector runs, and how.
type CollectorConfig struct {
	Enabled *bool          `mapstructure:"enabled"` // nil: as by default
	Options map[string]any `mapstructure:"options"` // its flags of node_exporter, with _ for -
}

func createDefaultConfig() component.Config {
	return &Config{
		CollectionInterval: 30 * time.Second,
		InitialDelay:       time.Second,
		Timeout:            10 * time.Second,
		RootPath:           "/",
		MaxSeries:          10_000,
	}
}

// paths are where the node's file systems are mounted.
type paths struct{ proc, sys, root, udevData string }

func (c *Config) paths() paths {
	or := func(path, below string) string {
		if path != "" {
			return filepath.Clean(path)
		}
		return filepath.Join(c.RootPath, below)
	}
	return paths{
		proc: or(c.ProcFS, "proc"), sys: or(c.SysFS, "sys"), root: or(c.RootFS, ""), udevData: or(c.UdevData, "run/udev/data"),
	}
}

// enabled tells whether a collector of the table runs.
func (c *Config) enabled(name string) bool {
	if e := c.Collectors[name].Enabled; e != nil {
		return *e
	}
	return collectors[name].byDefault
}
