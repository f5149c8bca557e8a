// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"strings"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/remotewrite"
)

const attrNamespace = "k8s.namespace.name"

// otherNamespaces stands for those for which there is no room. No namespace of Kubernetes has such a name.
const otherNamespaces = "_other"

// usage counts what a lane accepted by namespace, so that what telemetry costs can be told whoever sends it. It costs a look at one attribute for
// each resource. A batch of several namespaces is divided between them by items, and of logs by the length of their lines: to measure what each
// resource takes would cost a quarter of what encoding it costs.
type usage struct {
	most  int // 0: nothing is counted
	attrs []attribute.KeyValue

	mu   sync.Mutex
	sent map[string]*sent
}

// sent is what a namespace sent through a lane.
type sent struct {
	items, bytes int64
	attrs        metric.MeasurementOption
}

func newUsage(most int, attrs ...attribute.KeyValue) *usage {
	return &usage{most: most, attrs: attrs, sent: map[string]*sent{}}
}

// add counts a batch that was stored as a payload of so many bytes.
func (u *usage) add(b batch, payload int) {
	n := b.resources()
	if u.most == 0 || n == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	first := namespaceOf(b, 0)
	same := 1
	for same < n && namespaceOf(b, same) == first {
		same++
	}
	if same == n {
		u.of(first).add(b.items(), payload)
		return
	}
	all, before := 0, 0
	for i := range n {
		_, weight := b.shareOf(i)
		all += weight
	}
	for i := range n {
		items, weight := b.shareOf(i)
		if weight == 0 {
			continue
		}
		// Of the payload from here to there, so that all shares add up to it.
		u.of(namespaceOf(b, i)).add(items, payload*(before+weight)/all-payload*before/all)
		before += weight
	}
}

func (s *sent) add(items, bytes int) { s.items, s.bytes = s.items+int64(items), s.bytes+int64(bytes) }

func namespaceOf(b batch, i int) string {
	v, ok := b.resource(i).Get(attrNamespace)
	if !ok {
		return ""
	}
	return v.AsString()
}

// of returns the counts of a namespace, or of the others if there are as many as there may be.
func (u *usage) of(namespace string) *sent {
	if s, ok := u.sent[namespace]; ok {
		return s
	}
	if len(u.sent) >= u.most {
		namespace = otherNamespaces
		if s, ok := u.sent[namespace]; ok {
			return s
		}
	}
	namespace = strings.Clone(namespace) // it would keep the whole batch in memory
	attrs := append(append([]attribute.KeyValue(nil), u.attrs...), attribute.String("namespace", namespace))
	s := &sent{attrs: metric.WithAttributeSet(attribute.NewSet(attrs...))}
	u.sent[namespace] = s
	return s
}

// each calls report for each namespace.
func (u *usage) each(report func(items, bytes int64, attrs metric.MeasurementOption)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, s := range u.sent {
		report(s.items, s.bytes, s.attrs)
	}
}

// shareOf is by points, which are of much the same size.
func (m metrics) shareOf(i int) (items, weight int) {
	for _, sm := range m.ResourceMetrics().At(i).ScopeMetrics().All() {
		for _, one := range sm.Metrics().All() {
			items += remotewrite.PointCount(one)
		}
	}
	return items, items
}

// recordBytes is about what a log record takes beside its line: two times, the severity, a flag or an attribute.
const recordBytes = 64

// shareOf is by the length of the lines.
func (l logs) shareOf(i int) (items, weight int) {
	for _, sl := range l.ResourceLogs().At(i).ScopeLogs().All() {
		for _, lr := range sl.LogRecords().All() {
			items++
			weight += recordBytes + len(lr.Body().Str())
		}
	}
	return items, weight
}

// shareOf is by spans.
func (t traces) shareOf(i int) (items, weight int) {
	for _, ss := range t.ResourceSpans().At(i).ScopeSpans().All() {
		items += ss.Spans().Len()
	}
	return items, items
}
