// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

const (
	maxSelectors   = 256
	maxPatternSize = 1024
)

// Validate returns all problems, each with the key that it is about.
func (c *Config) Validate() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(!filepath.IsAbs(c.Directory), "directory: found %q, must be an absolute path", c.Directory)
	refuse(c.Storage == nil, "storage: required: the ID of a storage extension, such as queue_storage")
	refuse(c.StartAt != startAtBeginning && c.StartAt != startAtEnd, "start_at: found %q, must be %q or %q", c.StartAt, startAtBeginning, startAtEnd)
	errs = append(errs,
		within("max_line_bytes", c.MaxLineBytes, kib, mib),
		within("incomplete_timeout", c.IncompleteTimeout, 100*time.Millisecond, time.Hour),
		within("workers", c.Workers, 1, 64),
		within("poll_interval", c.PollInterval, 10*time.Millisecond, 10*time.Second),
		within("rescan_interval", c.RescanInterval, time.Second, time.Hour),
		within("max_open_files", c.MaxOpenFiles, 16, 1_000_000),
		within("max_containers", c.MaxContainers, 1, 100_000),
		within("batch::max_bytes", c.Batch.MaxBytes, kib, 16*mib),
		within("batch::max_delay", c.Batch.MaxDelay, 0, time.Minute),
		within("retry::initial_interval", c.Retry.InitialInterval, time.Millisecond, time.Minute),
		within("retry::max_interval", c.Retry.MaxInterval, time.Millisecond, time.Hour),
	)
	refuse(c.Retry.MaxInterval < c.Retry.InitialInterval, "retry::max_interval: found %s, must be at least initial_interval, %s",
		c.Retry.MaxInterval, c.Retry.InitialInterval)
	for _, list := range []struct {
		key       string
		selectors []SelectorConfig
	}{{"include", c.Include}, {"exclude", c.Exclude}} {
		errs = append(errs, within(list.key, len(list.selectors), 0, maxSelectors))
		for i, s := range list.selectors {
			errs = append(errs, s.validate(fmt.Sprintf("%s[%d]", list.key, i)))
			refuse(s.empty(), "%s[%d]: names nothing; allowed are namespace, pod, container, pod_annotations, namespace_labels", list.key, i)
		}
	}
	errs = append(errs, within("workloads", len(c.Workloads), 0, maxSelectors))
	for i, w := range c.Workloads {
		errs = append(errs, w.validate(fmt.Sprintf("workloads[%d]", i)))
	}
	refuse(c.needsAPI() && c.Kubernetes.Node == "",
		"kubernetes::node: required by selectors with pod_annotations or namespace_labels: the name of the node whose pods are read")
	return errors.Join(errs...)
}

func within[T cmp.Ordered](key string, found, low, high T) error {
	if found >= low && found <= high {
		return nil
	}
	return fmt.Errorf("%s: found %v, must be %v to %v", key, found, low, high)
}

func (w *WorkloadConfig) validate(key string) error {
	errs := []error{
		w.Match.validate(key + "::match"),
		within(key+"::rate_limit::lines_per_second", w.RateLimit.LinesPerSecond, 0, 100_000_000),
		within(key+"::rate_limit::bytes_per_second", w.RateLimit.BytesPerSecond, 0, 1<<40),
	}
	if w.Multiline.FirstLine != "" && w.Multiline.StackTraces {
		errs = append(errs, fmt.Errorf("%s::multiline: one of first_line and stack_traces is allowed, not both", key))
	}
	if _, err := regexp.Compile(w.Multiline.FirstLine); err != nil {
		errs = append(errs, fmt.Errorf("%s::multiline::first_line: %w", key, err))
	}
	errs = append(errs, within(key+"::multiline::first_line, its length", len(w.Multiline.FirstLine), 0, maxPatternSize))
	return errors.Join(errs...)
}

func (s *SelectorConfig) validate(key string) error {
	var errs []error
	pattern := func(key, p string) {
		if _, err := path.Match(p, ""); err != nil {
			errs = append(errs, fmt.Errorf("%s: found %q: %w of path.Match", key, p, err))
		}
		errs = append(errs, within(key+", its length", len(p), 0, maxPatternSize))
	}
	pattern(key+"::namespace", s.Namespace)
	pattern(key+"::pod", s.Pod)
	pattern(key+"::container", s.Container)
	for name, of := range map[string]map[string]string{"pod_annotations": s.PodAnnotations, "namespace_labels": s.NamespaceLabels} {
		errs = append(errs, within(key+"::"+name, len(of), 0, 16))
		for _, k := range slices.Sorted(maps.Keys(of)) {
			pattern(key+"::"+name+"::"+k, of[k])
		}
	}
	return errors.Join(errs...)
}

func (s *SelectorConfig) empty() bool {
	return s.Namespace == "" && s.Pod == "" && s.Container == "" && !s.needsAPI()
}

func (s *SelectorConfig) needsAPI() bool {
	return len(s.PodAnnotations) > 0 || len(s.NamespaceLabels) > 0
}

// needsAPI says that the Kubernetes API has to be asked for annotations or labels.
func (c *Config) needsAPI() bool {
	needs := func(s SelectorConfig) bool { return s.needsAPI() }
	return slices.ContainsFunc(c.Include, needs) || slices.ContainsFunc(c.Exclude, needs) ||
		slices.ContainsFunc(c.Workloads, func(w WorkloadConfig) bool { return w.Match.needsAPI() })
}
