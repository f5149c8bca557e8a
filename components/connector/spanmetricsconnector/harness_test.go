// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/k0rdent/kof/components/connector/spanmetricsconnector/internal/metadata"
)

// began is when the connector of a test starts; it flushes when the test says so.
var began = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// sink keeps what it is given, unless it is told to refuse it. Like the region exporter it takes apart what it gets.
type sink struct {
	mu      sync.Mutex
	refuses bool
	got     []pmetric.Metrics
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

func (s *sink) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := pmetric.NewMetrics()
	md.ResourceMetrics().MoveAndAppendTo(mine.ResourceMetrics())
	if s.refuses {
		return errors.New("full")
	}
	s.got = append(s.got, mine)
	return nil
}

// take returns what came since the last time.
func (s *sink) take() []pmetric.Metrics {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got
	s.got = nil
	return got
}

// world is a connector whose time is the test's.
type world struct {
	*spanMetrics
	sink      *sink
	telemetry *componenttest.Telemetry
	at        time.Time
}

func newWorld(t testing.TB, change func(*Config)) *world {
	cfg := createDefaultConfig().(*Config)
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	w := &world{sink: &sink{}, telemetry: componenttest.NewTelemetry(), at: began}
	set := connectortest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = w.telemetry.NewTelemetrySettings()
	var err error
	w.spanMetrics, err = newSpanMetrics(set, cfg, w.sink)
	require.NoError(t, err)
	require.NoError(t, w.spanMetrics.telemetry.RegisterCallback(w.observe))
	w.began.Store(uint64(milliseconds(began)))
	t.Cleanup(func() { require.NoError(t, w.telemetry.Shutdown(context.Background())) })
	return w
}

// flushAfter flushes when so much more time has passed.
func (w *world) flushAfter(d time.Duration) {
	w.at = w.at.Add(d)
	w.flush(context.Background(), w.at)
}

// take counts spans at the time of the last flush.
func (w *world) take(td ptrace.Traces) { w.consume(context.Background(), td, w.at) }

// internal returns the value of a metric of the connector itself.
func (w *world) internal(t testing.TB, name string) (value int64) {
	m, err := w.telemetry.GetMetric(name)
	require.NoError(t, err)
	var points []metricdata.DataPoint[int64]
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		points = data.DataPoints
	case metricdata.Gauge[int64]:
		points = data.DataPoints
	}
	require.Len(t, points, 1)
	return points[0].Value
}

// spans makes traces of one resource.
func spans(resource map[string]any, add ...func(ptrace.Span)) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	_ = rs.Resource().Attributes().FromRaw(resource)
	to := rs.ScopeSpans().AppendEmpty().Spans()
	for _, a := range add {
		a(to.AppendEmpty())
	}
	return td
}

// span makes a server's span of that name and duration.
func span(name string, took time.Duration, change ...func(ptrace.Span)) func(ptrace.Span) {
	return func(s ptrace.Span) {
		s.SetName(name)
		s.SetKind(ptrace.SpanKindServer)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(began))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(began.Add(took)))
		s.SetTraceID(pcommon.TraceID{15: 1})
		s.SetSpanID(pcommon.SpanID{7: 1})
		for _, c := range change {
			c(s)
		}
	}
}

// failed gives a span the status of an error.
func failed(s ptrace.Span) { s.Status().SetCode(ptrace.StatusCodeError) }

// point is a data point of either metric.
type point struct {
	resource, attrs map[string]any
	start, at       time.Time
	count           uint64
	sum             float64
	buckets         []uint64
	exemplars       int
}

// points returns the points of the metric of that name.
func points(batches []pmetric.Metrics, name string) (all []point) {
	for _, md := range batches {
		for _, rm := range md.ResourceMetrics().All() {
			resource := rm.Resource().Attributes().AsRaw()
			for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
				if m.Name() != name {
					continue
				}
				if m.Type() == pmetric.MetricTypeSum {
					for _, p := range m.Sum().DataPoints().All() {
						all = append(all, point{resource: resource, attrs: p.Attributes().AsRaw(), start: p.StartTimestamp().AsTime(),
							at: p.Timestamp().AsTime(), count: uint64(p.IntValue())})
					}
					continue
				}
				for _, p := range m.Histogram().DataPoints().All() {
					all = append(all, point{resource, p.Attributes().AsRaw(), p.StartTimestamp().AsTime(), p.Timestamp().AsTime(), p.Count(), p.Sum(),
						p.BucketCounts().AsRaw(), p.Exemplars().Len()})
				}
			}
		}
	}
	return all
}

const (
	calls    = "traces.span.metrics.calls"
	duration = "traces.span.metrics.duration"
)

var shop = map[string]any{"service.name": "shop", "k8s.node.name": "node-1"}

// with returns attributes with some more.
func with(attrs map[string]any, more map[string]any) map[string]any {
	all := maps.Clone(attrs)
	maps.Copy(all, more)
	return all
}
