// SPDX-License-Identifier: Apache-2.0

package nodeexporterreceiver

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/receiver/nodeexporterreceiver/internal/metadata"
)

// jobName is the label that dashboards and rules of node_exporter's metrics look for.
const jobName = "node-exporter"

// What node_exporter itself tells of its collectors, under its names.
var (
	durationDesc = prometheus.NewDesc("node_scrape_collector_duration_seconds", "node_exporter: Duration of a collector scrape.", []string{"collector"}, nil)
	successDesc  = prometheus.NewDesc("node_scrape_collector_success", "node_exporter: Whether a collector succeeded.", []string{"collector"}, nil)
)

func (r *nodeReceiver) collectAndSend(ctx context.Context) {
	begin := time.Now()
	md := r.collect(ctx, begin)
	if ctx.Err() != nil {
		return
	}
	r.telemetry.NodeExporterCollectionDuration.Record(ctx, time.Since(begin).Seconds())
	n := md.DataPointCount()
	op := r.report.StartMetricsOp(ctx)
	err := r.next.ConsumeMetrics(op, md)
	// Values of now are no use later: what is refused leaves a gap, which the count of refused points shows.
	r.report.EndMetricsOp(op, metadata.Type.String(), n, err)
}

// collect runs the collectors once and returns what they gave.
func (r *nodeReceiver) collect(ctx context.Context, now time.Time) pmetric.Metrics {
	all := r.runners.all
	limit := r.config.MaxSeries - 2*len(all) // every collector has two of its own
	results := r.runners.collect(ctx.Done(), r.config.Timeout, limit)
	if left := cut(results, limit); left > 0 {
		r.telemetry.NodeExporterDroppedSeries.Add(ctx, int64(left))
	}
	var gathered replay
	for i := range results {
		out := &results[i]
		success := 0.0
		if out.err == nil {
			success = 1
		}
		gathered = append(gathered, out.metrics...)
		gathered = append(gathered,
			prometheus.MustNewConstMetric(durationDesc, prometheus.GaugeValue, out.duration.Seconds(), all[i].name),
			prometheus.MustNewConstMetric(successDesc, prometheus.GaugeValue, success, all[i].name))
		if ctx.Err() == nil {
			r.note(ctx, all[i], out)
		}
	}
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	attrs := rm.Resource().Attributes()
	attrs.PutStr("service.name", jobName)
	if node := r.config.Node; node != "" {
		attrs.PutStr("service.instance.id", node)
		attrs.PutStr("k8s.node.name", node)
	}
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(metadata.ScopeName)
	sm.Scope().SetVersion(r.settings.BuildInfo.Version)

	registry := prometheus.NewRegistry()
	registry.MustRegister(gathered)
	families, err := registry.Gather()
	if err != nil {
		// What remains is consistent; the rest was said twice or is no metric.
		r.telemetry.NodeExporterInconsistent.Add(ctx, 1)
		r.settings.Logger.Debug("Inconsistent metrics were left out", zap.Error(err))
	}
	convert(families, sm.Metrics(), r.boot, pcommon.NewTimestampFromTime(now))
	return md
}

// note counts and logs what became of a collector: a failure when it begins and when it ends.
func (r *nodeReceiver) note(ctx context.Context, c *runner, out *result) {
	failed := out.err != nil && !out.noData()
	if failed {
		r.telemetry.NodeExporterCollectorErrors.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(
			attribute.String("collector", c.name), attribute.String("reason", reasonOf(out.err)))))
	}
	switch {
	case failed && !c.failing:
		r.settings.Logger.Warn("A collector fails: its metrics are missing", zap.String("collector", c.name), zap.Error(out.err))
	case !failed && c.failing:
		r.settings.Logger.Info("A collector works again", zap.String("collector", c.name))
	}
	c.failing = failed
}

// replay is a collection that was made already, for a registry to group and check.
type replay []prometheus.Metric

// Describe says nothing: what there will be isn't known.
func (replay) Describe(chan<- *prometheus.Desc) {}

// Collect sends the metrics.
func (p replay) Collect(ch chan<- prometheus.Metric) {
	for _, m := range p {
		ch <- m
	}
}
