// SPDX-License-Identifier: Apache-2.0

package identityprocessor

import (
	"context"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"

	"github.com/k0rdent/kof/components/processor/identityprocessor/internal/metadata"
)

var capabilities = consumer.Capabilities{MutatesData: true}

// NewFactory returns the factory of the identity processor.
func NewFactory() processor.Factory {
	return newFactory(os.Getenv)
}

// newFactory reads the environment once for every configuration that it creates.
func newFactory(getenv func(string) string) processor.Factory {
	return processor.NewFactory(
		metadata.Type,
		func() component.Config {
			return &Config{Unattributed: UnattributedAccept, env: readEnvironment(getenv)}
		},
		processor.WithMetrics(createMetrics, metadata.MetricsStability),
		processor.WithLogs(createLogs, metadata.LogsStability),
		processor.WithTraces(createTraces, metadata.TracesStability),
	)
}

func createMetrics(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
	p, err := newIdentityProcessor(cfg.(*Config), set, pipeline.SignalMetrics)
	if err != nil {
		return nil, err
	}
	return processorhelper.NewMetrics(ctx, set, cfg, next, p.processMetrics, p.options()...)
}

func createLogs(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	p, err := newIdentityProcessor(cfg.(*Config), set, pipeline.SignalLogs)
	if err != nil {
		return nil, err
	}
	return processorhelper.NewLogs(ctx, set, cfg, next, p.processLogs, p.options()...)
}

func createTraces(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	p, err := newIdentityProcessor(cfg.(*Config), set, pipeline.SignalTraces)
	if err != nil {
		return nil, err
	}
	return processorhelper.NewTraces(ctx, set, cfg, next, p.processTraces, p.options()...)
}

func (p *identityProcessor) options() []processorhelper.Option {
	options := []processorhelper.Option{processorhelper.WithCapabilities(capabilities)}
	if p.refusal != nil {
		options = append(options, processorhelper.WithStart(p.refusal.start), processorhelper.WithShutdown(p.refusal.shutdown))
	}
	return options
}
