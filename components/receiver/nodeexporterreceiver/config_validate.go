// SPDX-License-Identifier: Apache-2.0

package nodeexporterreceiver

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The bounds of the durations and of the number of series.
const (
	minInterval  = time.Second
	maxInterval  = time.Hour
	minMaxSeries = 100
	maxMaxSeries = 1_000_000
)

// problems collects what is wrong, each with the path of its key.
type problems []error

func (p *problems) add(path string, found any, allowed string) {
	*p = append(*p, fmt.Errorf("%s: %v: %s", path, found, allowed))
}

// Validate returns all problems of the configuration, each with the path of the key, what was found and what is allowed.
func (c *Config) Validate() error {
	var p problems
	if c.CollectionInterval < minInterval || c.CollectionInterval > maxInterval {
		p.add("collection_interval", c.CollectionInterval, fmt.Sprintf("must be from %s to %s", minInterval, maxInterval))
	}
	if c.InitialDelay < 0 {
		p.add("initial_delay", c.InitialDelay, "must not be negative")
	}
	if c.Timeout <= 0 || c.Timeout > c.CollectionInterval {
		p.add("timeout", c.Timeout, "must be more than 0 and not more than collection_interval")
	}
	if c.MaxSeries < minMaxSeries || c.MaxSeries > maxMaxSeries {
		p.add("max_series", c.MaxSeries, fmt.Sprintf("must be from %d to %d", minMaxSeries, maxMaxSeries))
	}
	if c.RootPath == "" {
		p.add("root_path", `""`, "must be an absolute path, / where the agent is not in a container")
	}
	for _, path := range []struct{ key, value string }{
		{"root_path", c.RootPath}, {"procfs", c.ProcFS}, {"sysfs", c.SysFS}, {"rootfs", c.RootFS}, {"udev_data", c.UdevData},
		{"link_directory", c.LinkDirectory},
	} {
		if path.value != "" && !filepath.IsAbs(path.value) {
			p.add(path.key, fmt.Sprintf("%q", path.value), "must be an absolute path")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Collectors)) {
		path := "collectors::" + name
		if _, ok := collectors[name]; !ok {
			p.add(path, "unknown", "there are "+strings.Join(slices.Sorted(maps.Keys(collectors)), ", "))
			continue
		}
		validateOptions(&p, path+"::options", collectors[name].options, c.Collectors[name].Options)
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(collectors)), c.enabled) {
		p.add("collectors", "all disabled", "at least one must be enabled")
	}
	return errors.Join(p...)
}

func validateOptions(p *problems, path string, known map[string]optionKind, given map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(given)) {
		kind, ok := known[key]
		switch {
		case !ok && len(known) == 0:
			p.add(path+"::"+key, "unknown", "this collector has no options")
		case !ok:
			p.add(path+"::"+key, "unknown", "there are "+strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		default:
			if err := kind.check(given[key]); err != nil {
				p.add(path+"::"+key, fmt.Sprintf("%#v", given[key]), err.Error())
			}
		}
		if other, ok := excludeOf(key); ok && given[key] != "" && given[other] != nil && given[other] != "" {
			p.add(path+"::"+key, fmt.Sprintf("%#v", given[key]), "must not be given together with "+other)
		}
	}
}

// excludeOf is the option that can't be set together with an include option.
func excludeOf(key string) (string, bool) {
	if !strings.HasSuffix(key, "_include") {
		return "", false
	}
	return strings.TrimSuffix(key, "_include") + "_exclude", true
}
