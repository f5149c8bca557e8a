// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// payload is what split needs of a batch of one signal; the three below adapt pdata's types, which share no interface.
type payload[T any] interface {
	resources() int
	resource(i int) pcommon.Map
	// moveTo moves resource i, without copying its records, to the end of another batch.
	moveTo(i int, to T)
	// removeIf removes the resources for which gone returns true; it asks once for each, in their order.
	removeIf(gone func(i int) bool)
	fresh() T
}

// part is what goes to one region.
type part[T any] struct {
	region string
	data   T
}

// split moves the resources of data into one part per region, in the order in which the regions appear. A batch of a single region
// passes through untouched. It appends to parts, which may be reused.
func split[T payload[T]](data T, regionOf func(pcommon.Map) string, parts []part[T]) []part[T] {
	n := data.resources()
	if n == 0 {
		return parts
	}
	first := regionOf(data.resource(0))
	same := 1
	var other string
	for ; same < n; same++ {
		if other = regionOf(data.resource(same)); other != first {
			break
		}
	}
	if same == n {
		return append(parts, part[T]{first, data})
	}
	return splitAt(data, same, first, other, regionOf, parts)
}

// splitAt is split for a batch whose resources before at belong to region first, and resource at to another one. The first region's
// resources stay where they are, which allocates nothing; one of another region takes an allocation.
func splitAt[T payload[T]](data T, at int, first, other string, regionOf func(pcommon.Map) string, parts []part[T]) []part[T] {
	parts = append(parts, part[T]{first, data})
	index := map[string]int{first: len(parts) - 1}
	data.removeIf(func(i int) bool {
		name := first
		switch {
		case i == at:
			name = other
		case i > at:
			name = regionOf(data.resource(i))
		}
		if name == first {
			return false
		}
		to, ok := index[name]
		if !ok {
			to = len(parts)
			index[name] = to
			parts = append(parts, part[T]{name, data.fresh()})
		}
		data.moveTo(i, parts[to].data)
		return true
	})
	return parts
}

type metrics struct{ pmetric.Metrics }

func (m metrics) resources() int { return m.ResourceMetrics().Len() }
func (m metrics) resource(i int) pcommon.Map {
	return m.ResourceMetrics().At(i).Resource().Attributes()
}
func (m metrics) fresh() metrics { return metrics{pmetric.NewMetrics()} }
func (m metrics) moveTo(i int, to metrics) {
	m.ResourceMetrics().At(i).MoveTo(to.ResourceMetrics().AppendEmpty())
}
func (m metrics) removeIf(gone func(int) bool) {
	i := -1
	m.ResourceMetrics().RemoveIf(func(pmetric.ResourceMetrics) bool { i++; return gone(i) })
}

type logs struct{ plog.Logs }

func (l logs) resources() int             { return l.ResourceLogs().Len() }
func (l logs) resource(i int) pcommon.Map { return l.ResourceLogs().At(i).Resource().Attributes() }
func (l logs) fresh() logs                { return logs{plog.NewLogs()} }
func (l logs) moveTo(i int, to logs)      { l.ResourceLogs().At(i).MoveTo(to.ResourceLogs().AppendEmpty()) }
func (l logs) removeIf(gone func(int) bool) {
	i := -1
	l.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { i++; return gone(i) })
}

type traces struct{ ptrace.Traces }

func (t traces) resources() int             { return t.ResourceSpans().Len() }
func (t traces) resource(i int) pcommon.Map { return t.ResourceSpans().At(i).Resource().Attributes() }
func (t traces) fresh() traces              { return traces{ptrace.NewTraces()} }
func (t traces) moveTo(i int, to traces) {
	t.ResourceSpans().At(i).MoveTo(to.ResourceSpans().AppendEmpty())
}
func (t traces) removeIf(gone func(int) bool) {
	i := -1
	t.ResourceSpans().RemoveIf(func(ptrace.ResourceSpans) bool { i++; return gone(i) })
}
