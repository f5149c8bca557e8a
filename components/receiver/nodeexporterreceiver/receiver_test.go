// SPDX-License-Identifier: Apache-2.0

//go:build linux

package nodeexporterreceiver

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/k0rdent/kof/components/receiver/nodeexporterreceiver/internal/metadata"
)

func create(t *testing.T, id component.ID, c *Config, sink *consumertest.MetricsSink) receiver.Metrics {
	t.Helper()
	set := receivertest.NewNopSettings(metadata.Type)
	set.ID = id
	r, err := NewFactory().CreateMetrics(t.Context(), set, c, sink)
	require.NoError(t, err)
	return r
}

func quick() *Config {
	c := createDefaultConfig().(*Config)
	c.CollectionInterval, c.InitialDelay, c.Timeout = time.Second, 0, time.Second
	return c
}

func TestLifecycle(t *testing.T) {
	require.Equal(t, component.MustNewType("node_exporter"), NewFactory().Type())
	dir := t.TempDir()
	c := quick()
	c.LinkDirectory = dir
	links := func() int {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		return len(entries)
	}
	for range 3 { // as at a reload
		sink := new(consumertest.MetricsSink)
		r := create(t, component.NewID(metadata.Type), c, sink)
		require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
		require.Equal(t, 1, links())
		require.Eventually(t, func() bool { return sink.DataPointCount() > 0 }, 10*time.Second, 10*time.Millisecond)
		require.NoError(t, r.Shutdown(context.Background()))
		require.NoError(t, r.Shutdown(context.Background()), "twice is once")
		require.Zero(t, links())
	}
	require.NoError(t, create(t, component.NewID(metadata.Type), c, nil).Shutdown(context.Background()), "without a start")
}

func TestOnePerProcess(t *testing.T) {
	a := create(t, component.NewID(metadata.Type), quick(), new(consumertest.MetricsSink))
	require.NoError(t, a.Start(t.Context(), componenttest.NewNopHost()))
	b := create(t, component.NewIDWithName(metadata.Type, "b"), quick(), new(consumertest.MetricsSink))
	require.ErrorContains(t, b.Start(t.Context(), componenttest.NewNopHost()),
		`there can be one node_exporter receiver in a collector, since node_exporter's settings are the process': "node_exporter/b" can't start while "node_exporter" runs`)
	require.NoError(t, b.Shutdown(context.Background()))
	require.DirExists(t, a.(*nodeReceiver).links)
	require.NoError(t, a.Shutdown(context.Background()))
	require.NoError(t, b.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, b.Shutdown(context.Background()))
}

func TestReloadChangesOptions(t *testing.T) {
	families := func(options map[string]any) map[string]oneSeries {
		c := quick()
		c.Collectors = map[string]CollectorConfig{"netdev": {Options: options}}
		r, err := newNodeReceiver(receivertest.NewNopSettings(metadata.Type), c, consumertest.NewNop())
		require.NoError(t, err)
		require.NoError(t, r.prepare())
		defer r.end()
		out := seriesOfOurs(t, r.collect(t.Context(), time.Now()))
		r.runners.wg.Wait()
		return out
	}
	const lo = `node_network_receive_bytes_total{device="lo"}`
	require.Contains(t, families(nil), lo)
	require.NotContains(t, families(map[string]any{"device_exclude": "^lo$"}), lo)
	require.Contains(t, families(map[string]any{"device_include": "^lo$"}), lo)
	require.NotContains(t, families(map[string]any{"device_include": "^nothing$"}), lo)
	require.Contains(t, families(nil), lo)
}

func TestStartErrors(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"procfs":         {func(c *Config) { c.ProcFS = "/nowhere" }, "procfs: stat /nowhere/stat: no such file"},
		"link_directory": {func(c *Config) { c.LinkDirectory = "/proc" }, "link_directory: mkdir /proc/kof-procfs-"},
	} {
		t.Run(name, func(t *testing.T) {
			c := quick()
			test.change(c)
			r := create(t, component.NewID(metadata.Type), c, new(consumertest.MetricsSink))
			require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), test.want)
			require.NoError(t, r.Shutdown(context.Background()))
		})
	}
}

// TestLinksOfAKilledProcess: what kill -9 left in the directory doesn't stop the next process of the same id, nor pile up.
func TestLinksOfAKilledProcess(t *testing.T) {
	dir := t.TempDir()
	first, err := makeLinks("/proc", dir)
	require.NoError(t, err)
	second, err := makeLinks("/proc", dir)
	require.NoError(t, err)
	require.Equal(t, first, second)
	target, err := os.Readlink(filepath.Join(second, "net"))
	require.NoError(t, err)
	require.Equal(t, "/proc/1/net", target)
	text, err := os.ReadFile(filepath.Join(second, "stat"))
	require.NoError(t, err)
	require.NotEmpty(t, text)
}

func TestHangingCollectorAtShutdown(t *testing.T) {
	hang := make(chan struct{})
	c := quick()
	c.Timeout = 50 * time.Millisecond
	sink := new(consumertest.MetricsSink)
	r := create(t, component.NewID(metadata.Type), c, sink).(*nodeReceiver)
	require.NoError(t, r.prepare())
	r.runners.all = append(r.runners.all, &runner{name: "stuck", collector: collectorFunc(func(chan<- prometheus.Metric) error { <-hang; return nil })})
	ctx, cancel := context.WithCancel(t.Context())
	r.cancel = cancel
	r.wg.Go(func() { r.loop(ctx) })
	require.Eventually(t, func() bool { return sink.DataPointCount() > 0 }, 10*time.Second, 10*time.Millisecond)
	require.Equal(t, 0.0, seriesOfOurs(t, sink.AllMetrics()[0])[`node_scrape_collector_success{collector="stuck"}`].value)
	require.Equal(t, 1.0, seriesOfOurs(t, sink.AllMetrics()[0])[`node_scrape_collector_success{collector="cpu"}`].value)
	require.ErrorContains(t, r.Shutdown(context.Background()), "collectors hang: [stuck]")
	next := create(t, component.NewIDWithName(metadata.Type, "next"), quick(), sink)
	require.ErrorContains(t, next.Start(t.Context(), componenttest.NewNopHost()), "still hangs")
	close(hang)
	require.Eventually(t, func() bool { return next.Start(t.Context(), componenttest.NewNopHost()) == nil }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, next.Shutdown(context.Background()))
}

func TestMaxSeries(t *testing.T) {
	c := quick()
	c.MaxSeries = 200
	md := newTestReceiver(t, c).collect(t.Context(), time.Now())
	require.LessOrEqual(t, md.DataPointCount(), 200)
	got := seriesOfOurs(t, md)
	require.Equal(t, 0.0, got[`node_scrape_collector_success{collector="netclass"}`].value+got[`node_scrape_collector_success{collector="netdev"}`].value)
	require.Contains(t, got, "node_load1{}")
}
