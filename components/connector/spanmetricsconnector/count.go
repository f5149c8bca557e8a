// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// tally is what became of the spans of a batch.
type tally struct {
	spans      int64 // in a series
	overflowed int64 // of these, in one that overflows
	left       int64 // in none
}

// scratch is what counting a batch needs, used anew for each, so that spans of known series allocate nothing.
type scratch struct {
	key        []byte
	service    optional
	dimensions []optional // the configured ones as the resource, or the default, has them
}

// optional is a value that may not be there.
type optional struct {
	pcommon.Value
	there bool
}

var scratches = sync.Pool{New: func() any { return &scratch{} }}

// release gives it back without what it knows of the batch, which would otherwise stay in memory.
func (sc *scratch) release() {
	sc.service = optional{}
	clear(sc.dimensions)
	scratches.Put(sc)
}

// countResource counts the spans of a resource.
func (c *spanMetrics) countResource(rs ptrace.ResourceSpans, now time.Time, counted *tally) {
	spans := 0
	for _, ss := range rs.ScopeSpans().All() {
		spans += ss.Spans().Len()
	}
	if spans == 0 {
		return
	}
	sc := scratches.Get().(*scratch)
	defer sc.release()
	attrs := rs.Resource().Attributes()
	r, overflows := c.resource(attrs, sc)
	if r == nil {
		counted.left += int64(spans)
		return
	}
	defer r.mu.Unlock() // resource has locked it
	counted.spans += int64(spans)
	if overflows {
		counted.overflowed += int64(spans)
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				c.overflowOf(r).observe(c, span, now)
			}
		}
		return
	}
	c.inherit(attrs, sc)
	for _, ss := range rs.ScopeSpans().All() {
		for _, span := range ss.Spans().All() {
			s := c.find(r, span, sc)
			if s == nil {
				s = c.overflowOf(r)
				counted.overflowed++
			}
			s.observe(c, span, now)
		}
	}
}

// resource returns the series of the resource, locked; nil if there is no room, not even with what overflows.
func (c *spanMetrics) resource(attrs pcommon.Map, sc *scratch) (r *resourceSeries, overflows bool) {
	for {
		sc.key = appendAttributes(sc.key[:0], attrs, c.resourceKeys)
		c.mu.RLock()
		r, overflows = c.resources[string(sc.key)], false
		c.mu.RUnlock()
		if r == nil {
			r, overflows = c.addResource(attrs, sc)
		}
		if r == nil {
			return nil, false
		}
		r.mu.Lock()
		if !r.removed {
			return r, overflows
		}
		r.mu.Unlock() // it expired in between
	}
}

// addResource makes room for a resource, or finds the one that it shares with others.
func (c *spanMetrics) addResource(attrs pcommon.Map, sc *scratch) (r *resourceSeries, overflows bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r = c.resources[string(sc.key)]; r != nil {
		return r, false
	}
	if len(c.resources) < c.cfg.ResourceMetricsCacheSize {
		r = c.newResource(attrs, c.resourceKeys)
		c.resources[string(sc.key)] = r
		return r, false
	}
	sc.key = appendAttributes(sc.key[:0], attrs, routingAttributes)
	if r = c.overflows[string(sc.key)]; r == nil && len(c.overflows) < c.cfg.ResourceMetricsCacheSize {
		r = c.newResource(attrs, routingAttributes)
		c.overflows[string(sc.key)] = r
	}
	return r, true
}

func (c *spanMetrics) newResource(attrs pcommon.Map, keys []string) *resourceSeries {
	r := &resourceSeries{attrs: copied(attrs, keys), series: map[string]*series{}, instanceID: c.cfg.CollectorInstanceID}
	// There is one agent on a node, so that the node's name tells it from the others, over restarts too.
	if node, ok := attrs.Get(attrNode); r.instanceID == "" && (!ok || node.AsString() == "") {
		r.instanceID = c.instanceID
	}
	return r
}

// inherit looks up what spans have from their resource.
func (c *spanMetrics) inherit(attrs pcommon.Map, sc *scratch) {
	service, ok := attrs.Get(attrServiceName)
	sc.service = optional{service, ok && c.own.serviceName}
	sc.dimensions = sc.dimensions[:0]
	for i, d := range c.cfg.Dimensions {
		if v, ok := attrs.Get(d.Name); ok {
			sc.dimensions = append(sc.dimensions, optional{v, true})
		} else {
			sc.dimensions = append(sc.dimensions, c.defaults[i])
		}
	}
}

// dimension returns dimension i of a span.
func (c *spanMetrics) dimension(i int, span ptrace.Span, sc *scratch) optional {
	if v, ok := span.Attributes().Get(c.cfg.Dimensions[i].Name); ok {
		return optional{v, true}
	}
	return sc.dimensions[i]
}

// find returns the series of a span, nil if there is no room for it.
func (c *spanMetrics) find(r *resourceSeries, span ptrace.Span, sc *scratch) *series {
	key := sc.key[:0]
	if sc.service.there { // the resource's key may be without it
		key = appendValue(key, sc.service.Value)
	}
	if c.own.spanName {
		key = appendString(key, cut(span.Name()))
	}
	if c.own.spanKind {
		key = append(key, byte(span.Kind()))
	}
	if c.own.statusCode {
		key = append(key, byte(span.Status().Code()))
	}
	for i := range c.cfg.Dimensions {
		if d := c.dimension(i, span, sc); d.there {
			key = appendValue(key, d.Value)
		} else {
			key = append(key, 0)
		}
	}
	sc.key = key
	if s := r.series[string(key)]; s != nil {
		return s
	}
	if len(r.series) >= c.cfg.AggregationCardinalityLimit || !c.reserve() {
		return nil
	}
	attrs := pcommon.NewMap()
	attrs.EnsureCapacity(5 + len(c.cfg.Dimensions))
	if sc.service.there {
		put(attrs, attrServiceName, sc.service.Value)
	}
	if c.own.spanName {
		attrs.PutStr(attrSpanName, cut(span.Name()))
	}
	if c.own.spanKind {
		attrs.PutStr(attrSpanKind, spanKind(span.Kind()))
	}
	if c.own.statusCode {
		attrs.PutStr(attrStatusCode, statusCode(span.Status().Code()))
	}
	for i, d := range c.cfg.Dimensions {
		if v := c.dimension(i, span, sc); v.there {
			put(attrs, d.Name, v.Value)
		}
	}
	s := c.newSeries(r, attrs)
	r.series[string(key)] = s
	return s
}

// reserve takes one of MaxSeries.
func (c *spanMetrics) reserve() bool {
	if c.total.Add(1) > int64(c.cfg.MaxSeries) {
		c.total.Add(-1)
		return false
	}
	return true
}

// overflowOf returns the series that counts what there is no other for.
func (c *spanMetrics) overflowOf(r *resourceSeries) *series {
	if r.overflow == nil {
		attrs := pcommon.NewMap()
		attrs.PutBool(attrOverflow, true)
		r.overflow = c.newSeries(r, attrs)
	}
	return r.overflow
}

func (c *spanMetrics) newSeries(r *resourceSeries, attrs pcommon.Map) *series {
	if r.instanceID != "" {
		attrs.PutStr(attrInstanceID, r.instanceID)
	}
	s := &series{attrs: attrs, start: pcommon.Timestamp(c.began.Load())}
	if c.bounds != nil {
		s.buckets = make([]uint64, len(c.bounds)+1)
	}
	return s
}

// spanKind and statusCode are the names of OTLP's enumerations, as OpenTelemetry's connector has them.
func spanKind(kind ptrace.SpanKind) string {
	switch kind {
	case ptrace.SpanKindInternal:
		return "SPAN_KIND_INTERNAL"
	case ptrace.SpanKindServer:
		return "SPAN_KIND_SERVER"
	case ptrace.SpanKindClient:
		return "SPAN_KIND_CLIENT"
	case ptrace.SpanKindProducer:
		return "SPAN_KIND_PRODUCER"
	case ptrace.SpanKindConsumer:
		return "SPAN_KIND_CONSUMER"
	default:
		return "SPAN_KIND_UNSPECIFIED"
	}
}

func statusCode(code ptrace.StatusCode) string {
	switch code {
	case ptrace.StatusCodeOk:
		return "STATUS_CODE_OK"
	case ptrace.StatusCodeError:
		return "STATUS_CODE_ERROR"
	default:
		return "STATUS_CODE_UNSET"
	}
}
