// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"path"
	"regexp"
)

// podMetadata answers what the Kubernetes API knows. known is false while it doesn't know the pod or its namespace yet.
type podMetadata interface {
	lookup(id podID) (annotations, namespaceLabels map[string]string, known bool)
}

// match says whether the selector takes the container. unknown says that this can't be told before the API has answered.
func (s *SelectorConfig) match(id containerID, api podMetadata) (matches, unknown bool) {
	for _, p := range [...]struct{ pattern, name string }{
		{s.Namespace, id.namespace}, {s.Pod, id.pod}, {s.Container, id.container},
	} {
		if p.pattern != "" && !glob(p.pattern, p.name) {
			return false, false
		}
	}
	if !s.needsAPI() {
		return true, false
	}
	annotations, labels, known := api.lookup(id.podID)
	return known && matchAll(s.PodAnnotations, annotations) && matchAll(s.NamespaceLabels, labels), !known
}

func matchAll(patterns, values map[string]string) bool {
	for key, pattern := range patterns {
		if value, ok := values[key]; !ok || !glob(pattern, value) {
			return false
		}
	}
	return true
}

func glob(pattern, name string) bool {
	ok, _ := path.Match(pattern, name) // Validate has looked at the pattern
	return ok
}

// workload is a WorkloadConfig that is ready for use.
type workload struct {
	*WorkloadConfig
	firstLine *regexp.Regexp // nil: no such rule
}

// selection decides which containers are read, and how.
type selection struct {
	cfg       *Config
	workloads []workload
	api       podMetadata
}

func newSelection(cfg *Config, api podMetadata) *selection {
	s := &selection{cfg: cfg, api: api}
	for i := range cfg.Workloads {
		w := workload{WorkloadConfig: &cfg.Workloads[i]}
		if w.Multiline.FirstLine != "" {
			w.firstLine = regexp.MustCompile(w.Multiline.FirstLine)
		}
		s.workloads = append(s.workloads, w)
	}
	return s
}

// verdict is what a selection says of a container.
type verdict uint8

const (
	undecided verdict = iota // the API hasn't answered yet
	excluded
	included
)

// decide says whether a container is read, and by which rule; nil is none. With final, it decides without what the API hasn't told:
// as if the pod had no annotations, and its namespace no labels.
func (s *selection) decide(id containerID, final bool) (verdict, *workload) {
	out, unknown := s.any(s.cfg.Exclude, id)
	if out {
		return excluded, nil
	}
	in := len(s.cfg.Include) == 0
	if !in {
		var unknownIn bool
		in, unknownIn = s.any(s.cfg.Include, id)
		if !in && !unknownIn {
			return excluded, nil
		}
		unknown = unknown || !in
	}
	var rule *workload
	for i := range s.workloads {
		w := &s.workloads[i]
		matches, unknownRule := w.Match.match(id, s.api)
		unknown = unknown || unknownRule
		if matches {
			rule = w
		}
		if matches || unknownRule && !final {
			break
		}
	}
	switch {
	case unknown && !final:
		return undecided, nil
	case !in:
		return excluded, nil
	default:
		return included, rule
	}
}

func (s *selection) any(selectors []SelectorConfig, id containerID) (matches, unknown bool) {
	for i := range selectors {
		m, u := selectors[i].match(id, s.api)
		if m {
			return true, false
		}
		unknown = unknown || u
	}
	return false, unknown
}
