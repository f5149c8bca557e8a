// SPDX-License-Identifier: Apache-2.0

package samples

import (
	"sync"
	"time"

	"github.com/k0rdent/kof/test/demo/truth"
)

// Sample is one value of one series, as a Prometheus-compatible store names it.
type Sample struct {
	Name   string
	Labels map[string]string
	Value  float64
}

type seriesName struct{ source, name string }

// Recorder notes in a truth.Set what sources of samples have sent. It remembers which labels the sources gave to their
// series, so that labels which the collector adds don't count as another series. It is safe for concurrent use.
type Recorder struct {
	set *truth.Set

	mu     sync.Mutex
	labels map[seriesName]map[string]bool
}

// NewRecorder returns a Recorder that fills the set.
func NewRecorder(set *truth.Set) *Recorder {
	return &Recorder{set: set, labels: map[seriesName]map[string]bool{}}
}

// Timed notes a sample that was sent with its own time. The source's name must be the value of InstanceLabel.
func (r *Recorder) Timed(source truth.Source, s Sample, at time.Time) {
	r.note(source.Name, s)
	id := timedID(source.Name, key(s.Name, s.Labels), at.UnixMilli())
	r.set.Sent(source, truth.Item{ID: id, At: at, Value: s.Value})
}

// Scraped notes a sample that was served by the scrape of the given number.
func (r *Recorder) Scraped(source truth.Source, s Sample, scrape uint64) {
	r.note(source.Name, s)
	id := scrapedID(source.Name, key(s.Name, s.Labels), scrape)
	r.set.Sent(source, truth.Item{ID: id, At: time.Now(), Value: s.Value})
}

func (r *Recorder) note(source string, s Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	series := seriesName{source, s.Name}
	names := r.labels[series]
	if names == nil {
		names = map[string]bool{}
		r.labels[series] = names
	}
	for label := range s.Labels {
		names[label] = true
	}
}

// own returns the labels that the source itself gave to the series; ok is false when it never sent such a series.
func (r *Recorder) own(source, name string, labels map[string]string) (own map[string]string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	names, ok := r.labels[seriesName{source, name}]
	if !ok {
		return nil, false
	}
	own = map[string]string{}
	for label, value := range labels {
		if names[label] {
			own[label] = value
		}
	}
	return own, true
}

// Names returns the names of all series that were sent so far.
func (r *Recorder) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[string]bool{}
	var names []string
	for s := range r.labels {
		if !seen[s.name] {
			seen[s.name] = true
			names = append(names, s.name)
		}
	}
	return names
}
