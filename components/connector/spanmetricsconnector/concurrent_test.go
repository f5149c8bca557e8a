// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"

	"github.com/k0rdent/kof/components/connector/spanmetricsconnector/internal/metadata"
)

// Spans come from many senders while series are given on and expire: deltas add up to what came, to the span.
func TestNothingIsLostBetweenSendersAndFlushes(t *testing.T) {
	w := newWorld(t, func(cfg *Config) {
		cfg.AggregationTemporality = temporalityDelta
		cfg.MetricsExpiration = 2 * cfg.MetricsFlushInterval
		cfg.ResourceMetricsCacheSize = 3
	})
	const senders, batches, each = 8, 200, 5
	var all sync.WaitGroup
	stop := make(chan struct{})
	flushes := make(chan struct{})
	go func() {
		defer close(flushes)
		for at := began; ; {
			select {
			case <-stop:
				w.flush(context.Background(), at.Add(time.Minute))
				return
			default:
				at = at.Add(time.Minute)
				w.flush(context.Background(), at) // the spans' time stands still, so that resources go and come again
			}
		}
	}()
	for i := range senders {
		all.Go(func() {
			for n := range batches {
				resource := with(shop, map[string]any{"service.name": fmt.Sprint("s", (i+n)%5)})
				w.consume(context.Background(), spans(resource, named(each, "a")...), began)
			}
		})
	}
	all.Wait()
	close(stop)
	<-flushes
	var calls_, durations uint64
	got := w.sink.take()
	for _, p := range points(got, calls) {
		calls_ += p.count
	}
	for _, p := range points(got, duration) {
		durations += p.count
	}
	require.EqualValues(t, senders*batches*each, calls_)
	require.EqualValues(t, senders*batches*each, durations)
}

// At the end, what was counted since the last flush is given on.
func TestShutdownFlushes(t *testing.T) {
	s := &sink{}
	cfg := createDefaultConfig().(*Config)
	c, err := createTracesToMetrics(context.Background(), connectortest.NewNopSettings(metadata.Type), cfg, s)
	require.NoError(t, err)
	require.NoError(t, c.Start(context.Background(), componenttest.NewNopHost()))
	require.NoError(t, c.ConsumeTraces(context.Background(), spans(shop, span("a", 0))))
	require.NoError(t, c.Shutdown(context.Background()))
	_, in, _ := counts(points(s.take(), calls))
	require.EqualValues(t, 1, in)
	require.NoError(t, c.Shutdown(context.Background()))
}

func TestFlushesByItself(t *testing.T) {
	s := &sink{}
	cfg := createDefaultConfig().(*Config)
	cfg.MetricsFlushInterval = time.Second
	c, err := createTracesToMetrics(context.Background(), connectortest.NewNopSettings(metadata.Type), cfg, s)
	require.NoError(t, err)
	require.NoError(t, c.Start(context.Background(), componenttest.NewNopHost()))
	require.NoError(t, c.ConsumeTraces(context.Background(), spans(shop, span("a", 0))))
	require.Eventually(t, func() bool {
		_, in, _ := counts(points(s.take(), calls))
		return in == 1
	}, 30*time.Second, 50*time.Millisecond)
	require.NoError(t, c.Shutdown(context.Background()))
}

func TestKnownSeriesAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget things")
	}
	w := newWorld(t, func(cfg *Config) {
		cfg.Dimensions = []DimensionConfig{{Name: "http.request.method"}, {Name: "zone"}}
		cfg.Exemplars = ExemplarsConfig{Enabled: true, MaxPerDataPoint: 5}
	})
	td := spans(shop, named(100, "a")...)
	for range 6 { // so that the exemplars have their room
		w.take(td)
	}
	require.Zero(t, testing.AllocsPerRun(100, func() { w.take(td) }))
}
