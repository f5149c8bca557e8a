// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/metadata"
)

// NewFactory returns the factory of the region exporter.
func NewFactory() exporter.Factory {
	shared := &instances{byConfig: map[*Config]*regionExporter{}}
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithMetrics(shared.createMetrics, metadata.MetricsStability),
		exporter.WithLogs(shared.createLogs, metadata.LogsStability),
		exporter.WithTraces(shared.createTraces, metadata.TracesStability),
	)
}

// instances holds one exporter per configuration, since the Collector creates one per signal.
type instances struct {
	mu       sync.Mutex
	byConfig map[*Config]*regionExporter
}

// get returns the exporter of a configuration with one more signal in use.
func (i *instances) get(set exporter.Settings, cfg component.Config, s signal) (*regionExporter, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	c := cfg.(*Config)
	e, ok := i.byConfig[c]
	if !ok {
		var err error
		if e, err = newRegionExporter(set, c); err != nil {
			return nil, err
		}
		i.byConfig[c] = e
	}
	e.signals = append(e.signals, s)
	return e, nil
}

// options are those of exporterhelper that the three signals share. Queue, batches and retries are the lanes' own, so exporterhelper
// adds what every exporter has: internal metrics, traces and life cycle.
func (i *instances) options(e *regionExporter) []exporterhelper.Option {
	return []exporterhelper.Option{
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: true}), // resources move to the parts of their regions
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}),
		exporterhelper.WithStart(e.start),
		exporterhelper.WithShutdown(func(ctx context.Context) error {
			i.mu.Lock()
			delete(i.byConfig, e.cfg)
			i.mu.Unlock()
			return e.shutdown(ctx)
		}),
	}
}

func (i *instances) createMetrics(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	e, err := i.get(set, cfg, signalMetrics)
	if err != nil {
		return nil, err
	}
	return exporterhelper.NewMetrics(ctx, set, cfg, e.consumeMetrics, i.options(e)...)
}

func (i *instances) createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	e, err := i.get(set, cfg, signalLogs)
	if err != nil {
		return nil, err
	}
	return exporterhelper.NewLogs(ctx, set, cfg, e.consumeLogs, i.options(e)...)
}

func (i *instances) createTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	e, err := i.get(set, cfg, signalTraces)
	if err != nil {
		return nil, err
	}
	return exporterhelper.NewTraces(ctx, set, cfg, e.consumeTraces, i.options(e)...)
}
