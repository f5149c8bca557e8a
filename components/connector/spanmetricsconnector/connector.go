// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/connector/spanmetricsconnector/internal/metadata"
)

// spanMetrics is the connector.
type spanMetrics struct {
	cfg       *Config
	next      consumer.Metrics
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder

	// What the configuration says, in the form in which it is used for each span.
	delta        bool
	bounds       []float64
	nanosPerUnit float64
	maxExemplars int
	resourceKeys []string
	own          dimensions
	defaults     []optional // of cfg.Dimensions
	instanceID   string

	// began is when the interval began that spans are counted in now: the last flush, or the start.
	began atomic.Uint64
	total atomic.Int64 // series but for the overflowing ones

	mu        sync.RWMutex
	resources map[string]*resourceSeries
	overflows map[string]*resourceSeries // of what ResourceMetricsCacheSize left no room for, by routing attributes

	pending []pmetric.Metrics // deltas that were refused; used by the flushing goroutine only
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// dimensions says which of the standard dimensions there are.
type dimensions struct{ serviceName, spanName, spanKind, statusCode bool }

var _ connector.Traces = (*spanMetrics)(nil)

func newSpanMetrics(set connector.Settings, cfg *Config, next consumer.Metrics) (*spanMetrics, error) {
	c := &spanMetrics{
		cfg: cfg, next: next, logger: set.Logger,
		delta:        cfg.AggregationTemporality == temporalityDelta,
		nanosPerUnit: float64(time.Millisecond),
		resourceKeys: unique(routingAttributes, cfg.ResourceAttributes),
		own:          dimensions{true, true, true, true},
		instanceID:   instanceID(set.TelemetrySettings),
		resources:    map[string]*resourceSeries{},
		overflows:    map[string]*resourceSeries{},
	}
	if cfg.Histogram.Unit == "s" {
		c.nanosPerUnit = float64(time.Second)
	}
	if !cfg.Histogram.Disable {
		for _, b := range cfg.Histogram.Explicit.Buckets {
			c.bounds = append(c.bounds, float64(b)/c.nanosPerUnit)
		}
	}
	if cfg.Exemplars.Enabled {
		c.maxExemplars = cfg.Exemplars.MaxPerDataPoint
	}
	for _, d := range cfg.Dimensions {
		if d.Default == nil {
			c.defaults = append(c.defaults, optional{})
		} else {
			c.defaults = append(c.defaults, optional{pcommon.NewValueStr(*d.Default), true})
		}
	}
	for _, name := range cfg.ExcludeDimensions {
		*map[string]*bool{
			attrServiceName: &c.own.serviceName, attrSpanName: &c.own.spanName, attrSpanKind: &c.own.spanKind, attrStatusCode: &c.own.statusCode,
		}[name] = false
	}
	var err error
	c.telemetry, err = metadata.NewTelemetryBuilder(set.TelemetrySettings)
	return c, err
}

// instanceID is what the collector's own metrics name it by, new at each start.
func instanceID(set component.TelemetrySettings) string {
	if v, ok := set.Resource.Attributes().Get("service.instance.id"); ok && v.AsString() != "" {
		return v.AsString()
	}
	return uuid.NewString()
}

func unique(lists ...[]string) (all []string) {
	seen := map[string]bool{}
	for _, list := range lists {
		for _, s := range list {
			if !seen[s] {
				seen[s] = true
				all = append(all, s)
			}
		}
	}
	return all
}

// Capabilities says that spans stay as they are.
func (c *spanMetrics) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// Start begins to flush.
func (c *spanMetrics) Start(context.Context, component.Host) error {
	c.began.Store(uint64(milliseconds(time.Now())))
	if err := c.telemetry.RegisterCallback(c.observe); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.done.Go(func() {
		ticker := time.NewTicker(c.cfg.MetricsFlushInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				c.flush(ctx, time.Now())
			case <-ctx.Done():
				return
			}
		}
	})
	return nil
}

// Shutdown gives on what was counted since the last flush.
func (c *spanMetrics) Shutdown(ctx context.Context) error {
	if c.stop != nil {
		c.stop()
		c.done.Wait()
		c.flush(ctx, time.Now())
		c.stop = nil
	}
	c.telemetry.Shutdown()
	return nil
}

// ConsumeTraces counts the spans. It never fails: metrics must not hold up traces.
func (c *spanMetrics) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	c.consume(ctx, td, time.Now())
	return nil
}

func (c *spanMetrics) consume(ctx context.Context, td ptrace.Traces, now time.Time) {
	var counted tally
	for _, rs := range td.ResourceSpans().All() {
		c.countResource(rs, now, &counted)
	}
	c.telemetry.SpanMetricsSpans.Add(ctx, counted.spans)
	if counted.overflowed > 0 {
		c.telemetry.SpanMetricsOverflowSpans.Add(ctx, counted.overflowed)
	}
	if counted.left > 0 {
		c.telemetry.SpanMetricsUncountedSpans.Add(ctx, counted.left)
	}
}

// milliseconds is the time in the precision that remote write has, so that two points of a series never have the same.
func milliseconds(t time.Time) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(t.Truncate(time.Millisecond))
}
