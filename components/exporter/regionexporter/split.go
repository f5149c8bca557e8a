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

	index := make(map[string]int, 4)
	for i := range n {
		name := first
		switch {
		case i == same:
			name = other
		case i > same:
			name = regionOf(data.resource(i))
		}
		at, ok := index[name]
		if !ok {
			at = len(parts)
			index[name] = at
			parts = append(parts, part[T]{name, data.fresh()})
		}
		data.moveTo(i, parts[at].data)
	}
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

type logs struct{ plog.Logs }

func (l logs) resources() int             { return l.ResourceLogs().Len() }
func (l logs) resource(i int) pcommon.Map { return l.ResourceLogs().At(i).Resource().Attributes() }
func (l logs) fresh() logs                { return logs{plog.NewLogs()} }
func (l logs) moveTo(i int, to logs)      { l.ResourceLogs().At(i).MoveTo(to.ResourceLogs().AppendEmpty()) }

type traces struct{ ptrace.Traces }

func (t traces) resources() int             { return t.ResourceSpans().Len() }
func (t traces) resource(i int) pcommon.Map { return t.ResourceSpans().At(i).Resource().Attributes() }
func (t traces) fresh() traces              { return traces{ptrace.NewTraces()} }
func (t traces) moveTo(i int, to traces) {
	t.ResourceSpans().At(i).MoveTo(to.ResourceSpans().AppendEmpty())
}
