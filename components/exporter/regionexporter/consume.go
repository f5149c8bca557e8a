// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
)

// Each of the three returns when all data is on disk. When a lane doesn't take its part, the error carries that part alone, so
// that a receiver which can send it again doesn't repeat what other lanes have taken.

func (e *regionExporter) consumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	rest, err := consume(ctx, e, signalMetrics, metrics{md})
	if err != nil {
		return consumererror.NewMetrics(err, rest.Metrics)
	}
	return nil
}

func (e *regionExporter) consumeLogs(ctx context.Context, ld plog.Logs) error {
	rest, err := consume(ctx, e, signalLogs, logs{ld})
	if err != nil {
		return consumererror.NewLogs(err, rest.Logs)
	}
	return nil
}

func (e *regionExporter) consumeTraces(ctx context.Context, td ptrace.Traces) error {
	rest, err := consume(ctx, e, signalTraces, traces{td})
	if err != nil {
		return consumererror.NewTraces(err, rest.Traces)
	}
	return nil
}

func consume[T interface {
	payload[T]
	batch
}](ctx context.Context, e *regionExporter, s signal, data T) (rest T, err error) {
	if data.items() == 0 {
		return rest, nil
	}
	to := e.routing.Load()
	regionOf := func(resource pcommon.Map) string { return decide(to.directory, e.cfg.HomeRegion, resource) }
	parts := split(data, regionOf, make([]part[T], 0, 4))
	tooLarge := true
	for _, p := range parts {
		laneErr := to.accept(ctx, s, origin{region: p.region, accepted: time.Now()}, p.data)
		if laneErr == nil {
			continue
		}
		if err == nil {
			rest = data.fresh()
		}
		err = errors.Join(err, laneErr)
		tooLarge = tooLarge && errors.Is(laneErr, lanequeue.ErrTooLarge)
		for i := range p.data.resources() {
			p.data.moveTo(i, rest)
		}
	}
	if err != nil && tooLarge {
		err = consumererror.NewPermanent(err) // it will never fit
	}
	return rest, err
}

// accept gives a batch to the lane of its region, or to the one that holds what belongs to unknown regions.
func (r *routing) accept(ctx context.Context, s signal, o origin, b batch) error {
	known, ok := r.directory.Regions[o.region]
	if !ok {
		// A name that is too long for a record is too long for a directory, so that it stays unknown when it is cut.
		o.region = o.region[:min(len(o.region), lanequeue.MaxNameLength)]
		return r.unknown[s].accept(ctx, o, b)
	}
	o.zone = known.Zone
	return r.lanes[laneKey{o.region, s}].accept(ctx, o, b)
}
