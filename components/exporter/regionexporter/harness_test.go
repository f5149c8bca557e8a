// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/metadata"
)

// host is a Collector with a file_storage on a folder.
type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

var storageID = component.MustNewID("file_storage")

func newHost(t testing.TB, dir string) host {
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = dir
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	return host{storageID: ext}
}

// quickConfig has short times.
func quickConfig(t testing.TB, directory string) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Directory.File = filepath.Join(t.TempDir(), "regions.yaml")
	require.NoError(t, os.WriteFile(cfg.Directory.File, []byte(directory), 0o600))
	id := storageID
	cfg.Storage, cfg.HomeRegion = &id, "home"
	cfg.Batch.MaxDelay, cfg.Metrics.MaxDelay = time.Millisecond, time.Millisecond
	cfg.Retry = RetryConfig{InitialInterval: 10 * time.Millisecond, MaxInterval: 50 * time.Millisecond}
	cfg.Timeout = time.Second
	require.NoError(t, cfg.Validate())
	return cfg
}

// running is an exporter with all three signals, as the Collector runs it.
type running struct {
	exporter.Metrics
	exporter.Logs
	exporter.Traces
	t         testing.TB
	telemetry *componenttest.Telemetry
	logged    *observer.ObservedLogs
	parts     []component.Component
}

// create makes the exporter without starting it.
func create(t testing.TB, cfg *Config) *running {
	return createNamed(t, component.NewID(metadata.Type), cfg)
}

func createNamed(t testing.TB, id component.ID, cfg *Config) *running {
	r := &running{t: t, telemetry: componenttest.NewTelemetry()}
	set := exporter.Settings{
		ID: id, TelemetrySettings: r.telemetry.NewTelemetrySettings(), BuildInfo: component.NewDefaultBuildInfo(),
	}
	var core = zap.NewNop().Core()
	core, r.logged = observer.New(zap.DebugLevel)
	set.Logger = zap.New(core)
	factory := NewFactory()
	var err error
	r.Metrics, err = factory.CreateMetrics(t.Context(), set, cfg)
	require.NoError(t, err)
	r.Logs, err = factory.CreateLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	r.Traces, err = factory.CreateTraces(t.Context(), set, cfg)
	require.NoError(t, err)
	r.parts = []component.Component{r.Metrics, r.Logs, r.Traces}
	return r
}

// begin starts an exporter, which ends with the test at the latest.
func begin(t testing.TB, h component.Host, cfg *Config) *running {
	t.Helper()
	r := create(t, cfg)
	for _, c := range r.parts {
		require.NoError(t, c.Start(t.Context(), h))
	}
	t.Cleanup(func() { r.end() })
	return r
}

// end shuts the exporter down. Further calls do nothing.
func (r *running) end() {
	r.t.Helper()
	for _, c := range r.parts {
		require.NoError(r.t, c.Shutdown(context.Background()))
	}
	r.parts = nil
}

// ledger is what the internal metrics say of a lane.
type ledger struct {
	accepted, delivered, released, held, heldBytes, residual, refused, wireBytes int64
	dropped, failed                                                              map[string]int64 // by reason, by class
	age                                                                          float64
}

// balance is what should be 0.
func (l ledger) balance() int64 {
	rest := l.accepted - l.delivered - l.released - l.held
	for _, n := range l.dropped {
		rest -= n
	}
	return rest
}

func (l ledger) droppedSum() (n int64) {
	for _, d := range l.dropped {
		n += d
	}
	return n
}

// ledger reads the internal metrics of a lane.
func (r *running) ledger(regionName string, s signal) ledger {
	var all metricdata.ResourceMetrics
	require.NoError(r.t, r.telemetry.Reader.Collect(context.Background(), &all))
	l := ledger{dropped: map[string]int64{}, failed: map[string]int64{}}
	of := func(attrs attribute.Set) bool {
		name, _ := attrs.Value("region")
		sig, _ := attrs.Value("signal")
		return name.AsString() == regionName && sig.AsString() == string(s)
	}
	for _, sm := range all.ScopeMetrics {
		for _, m := range sm.Metrics {
			var points []metricdata.DataPoint[int64]
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				points = data.DataPoints
			case metricdata.Gauge[int64]:
				points = data.DataPoints
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					if m.Name == "otelcol_kof_region_oldest_held_age" && of(p.Attributes) {
						l.age = p.Value
					}
				}
			}
			for _, p := range points {
				if of(p.Attributes) {
					l.set(m.Name, p)
				}
			}
		}
	}
	return l
}

func (l *ledger) set(name string, p metricdata.DataPoint[int64]) {
	switch name {
	case "otelcol_kof_region_accepted_items":
		l.accepted = p.Value
	case "otelcol_kof_region_delivered_items":
		l.delivered = p.Value
	case "otelcol_kof_region_released_items":
		l.released = p.Value
	case "otelcol_kof_region_held_items":
		l.held = p.Value
	case "otelcol_kof_region_held_bytes":
		l.heldBytes = p.Value
	case "otelcol_kof_region_ledger_residual_items":
		l.residual = p.Value
	case "otelcol_kof_region_refused_items":
		l.refused = p.Value
	case "otelcol_kof_region_wire_bytes":
		l.wireBytes = p.Value
	case "otelcol_kof_region_dropped_items":
		reason, _ := p.Attributes.Value("reason")
		if p.Value != 0 {
			l.dropped[reason.AsString()] = p.Value
		}
	case "otelcol_kof_region_failed_attempts":
		class, _ := p.Attributes.Value("class")
		l.failed[class.AsString()] = p.Value
	}
}

// drained waits until a lane holds nothing, and checks its books.
func (r *running) drained(regionName string, s signal) ledger {
	r.t.Helper()
	var l ledger
	require.Eventually(r.t, func() bool { l = r.ledger(regionName, s); return l.held == 0 }, testTimeout, testTick, "%s %s", regionName, s)
	require.Zero(r.t, l.balance())
	require.Zero(r.t, l.residual)
	require.Zero(r.t, l.heldBytes)
	require.Zero(r.t, l.age)
	return l
}
