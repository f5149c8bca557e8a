// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"context"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/connector/spanmetricsconnector/internal/metadata"
)

// batchSeries is how many series are given on in one call: with 17 buckets they become some 20 samples each, about 3 MB of remote write
// before compression.
const batchSeries = 500

// batch is metrics on their way, with what they say of each series.
type batch struct {
	md     pmetric.Metrics
	series []*series
	counts []uint64
}

// flush gives on all series, and forgets those that have expired.
func (c *spanMetrics) flush(ctx context.Context, now time.Time) {
	if !c.resend(ctx) {
		return // deltas go on being added up
	}
	at := max(milliseconds(now), pcommon.Timestamp(c.began.Load())+pcommon.Timestamp(time.Millisecond))
	c.began.Store(uint64(at))
	b := &batch{md: pmetric.NewMetrics()}
	for key, r := range c.snapshot(c.resources) {
		c.flushResource(ctx, c.resources, key, r, now, at, &b)
	}
	for key, r := range c.snapshot(c.overflows) {
		c.flushResource(ctx, c.overflows, key, r, now, at, &b)
	}
	c.send(ctx, b)
}

func (c *spanMetrics) snapshot(of map[string]*resourceSeries) map[string]*resourceSeries {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return maps.Clone(of)
}

// flushResource appends the series of a resource to the batch, and sends that as often as it is full.
func (c *spanMetrics) flushResource(ctx context.Context, in map[string]*resourceSeries, key string, r *resourceSeries, now time.Time, at pcommon.Timestamp, b **batch) {
	r.mu.Lock()
	c.expire(r, now)
	left := slices.Collect(maps.Values(r.series))
	if r.overflow != nil {
		left = append(left, r.overflow)
	}
	r.mu.Unlock()
	if len(left) == 0 {
		c.remove(in, key, r)
	}
	for len(left) > 0 {
		n := min(len(left), batchSeries-len((*b).series))
		c.appendSeries(r, left[:n], at, *b)
		left = left[n:]
		if len((*b).series) >= batchSeries {
			c.send(ctx, *b)
			*b = &batch{md: pmetric.NewMetrics()}
		}
	}
}

// remove removes a resource that has no series, unless it got one in between.
func (c *spanMetrics) remove(in map[string]*resourceSeries, key string, r *resourceSeries) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.series) == 0 && r.overflow == nil {
		r.removed = true
		delete(in, key)
	}
}

// expire removes the series that have had no span for long, and nothing that isn't given on.
func (c *spanMetrics) expire(r *resourceSeries, now time.Time) {
	if c.cfg.MetricsExpiration == 0 {
		return
	}
	expired := func(s *series) bool {
		return now.Sub(s.last) >= c.cfg.MetricsExpiration && (c.delta && s.count == 0 || !c.delta && s.delivered.Load() == s.count)
	}
	for key, s := range r.series {
		if expired(s) {
			delete(r.series, key)
			c.total.Add(-1)
		}
	}
	if r.overflow != nil && expired(r.overflow) {
		r.overflow = nil
	}
}

// appendSeries appends some series of a resource. The lock is held for these only, so that spans needn't wait for long.
func (c *spanMetrics) appendSeries(r *resourceSeries, some []*series, at pcommon.Timestamp, b *batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var calls, durations pmetric.Metric
	began := false
	for _, s := range some {
		// What came since the flush began has its zero at that time: it is given on next time.
		if s.start >= at || c.delta && s.count == 0 {
			continue
		}
		if !began {
			calls, durations = c.beginResource(b.md, r)
			began = true
		}
		s.appendTo(calls, durations, c, at)
		b.series, b.counts = append(b.series, s), append(b.counts, s.count)
		s.restart(c.delta, at)
	}
}

// beginResource appends a resource with its two metrics.
func (c *spanMetrics) beginResource(md pmetric.Metrics, r *resourceSeries) (calls, durations pmetric.Metric) {
	temporality := pmetric.AggregationTemporalityCumulative
	if c.delta {
		temporality = pmetric.AggregationTemporalityDelta
	}
	prefix := c.cfg.Namespace
	if prefix != "" {
		prefix += "."
	}
	rm := md.ResourceMetrics().AppendEmpty()
	r.attrs.CopyTo(rm.Resource().Attributes())
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(metadata.ScopeName)
	calls = sm.Metrics().AppendEmpty()
	calls.SetName(prefix + "calls")
	sum := calls.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(temporality)
	if c.bounds != nil {
		durations = sm.Metrics().AppendEmpty()
		durations.SetName(prefix + "duration")
		durations.SetUnit(c.cfg.Histogram.Unit)
		durations.SetEmptyHistogram().SetAggregationTemporality(temporality)
	}
	return calls, durations
}

// send gives on a batch. Cumulative series that are refused are told of by the next flush; deltas are kept until then.
func (c *spanMetrics) send(ctx context.Context, b *batch) {
	if b.md.ResourceMetrics().Len() == 0 {
		return
	}
	if !c.delta {
		if c.deliver(ctx, b.md) {
			for i, s := range b.series {
				s.delivered.Store(b.counts[i])
			}
		}
		return
	}
	kept := pmetric.NewMetrics() // the consumer may take b.md apart
	b.md.CopyTo(kept)
	if len(c.pending) > 0 || !c.deliver(ctx, b.md) {
		c.pending = append(c.pending, kept)
	}
}

// resend gives on the deltas that were refused, and says whether none is left.
func (c *spanMetrics) resend(ctx context.Context) bool {
	for len(c.pending) > 0 {
		again := pmetric.NewMetrics()
		c.pending[0].CopyTo(again)
		if !c.deliver(ctx, again) {
			return false
		}
		c.pending = c.pending[1:]
	}
	return true
}

func (c *spanMetrics) deliver(ctx context.Context, md pmetric.Metrics) bool {
	points := md.DataPointCount()
	err := c.next.ConsumeMetrics(ctx, md)
	if err != nil {
		c.telemetry.SpanMetricsRefusedPoints.Add(ctx, int64(points))
		c.logger.Warn("span metrics were refused; the next flush brings them again", zap.Error(err))
	}
	return err == nil
}

// observe reports how much there is.
func (c *spanMetrics) observe(_ context.Context, o metric.Observer) error {
	c.mu.RLock()
	resources := len(c.resources) + len(c.overflows)
	c.mu.RUnlock()
	o.ObserveInt64(c.telemetry.SpanMetricsResources, int64(resources))
	o.ObserveInt64(c.telemetry.SpanMetricsSeries, c.total.Load())
	return nil
}
