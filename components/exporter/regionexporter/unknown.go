// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"sync"

	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
)

// unknownLane holds, per signal, what belongs to regions that the directory doesn't know.
type unknownLane struct {
	*lane
	releasing sync.Mutex // one taker at a time: it returns what it can't release
}

// release goes once over what the lane holds, and moves the records of regions that the directory knows by now into their lanes. A
// crash between the two lanes' changes repeats one record.
func (e *regionExporter) release(ctx context.Context, from *unknownLane) {
	from.releasing.Lock()
	defer from.releasing.Unlock()
	var kept []lanequeue.Record
	defer func() { from.queue.Return(kept) }()
	for ctx.Err() == nil {
		recs, err := from.queue.TakeWaiting(ctx)
		if err != nil {
			from.log.warn("store", "Can't read the records of unknown regions; they stay held.", zap.Error(err))
			return
		}
		if len(recs) == 0 {
			return
		}
		for _, rec := range recs {
			if err := e.releaseRecord(ctx, from.lane, rec); err != nil {
				from.log.warn("release", "Records of unknown regions stay held.", zap.Error(err))
				rec.Payload = nil // only the hold on it is kept
				kept = append(kept, rec)
			}
		}
	}
}

func (e *regionExporter) releaseRecord(ctx context.Context, from *lane, rec lanequeue.Record) error {
	if _, known := e.routing.Load().directory.Regions[rec.Region]; !known {
		return unknownRegionError(rec.Region)
	}
	b, err := unmarshalOTLP(from.signal, rec.Payload)
	if err != nil {
		return err
	}
	if err := e.routing.Load().accept(ctx, from.signal, origin{region: rec.Region, accepted: rec.Accepted}, b); err != nil {
		return err
	}
	from.settle([]lanequeue.Record{rec}, lanequeue.Outcome{Released: int64(rec.Items)})
	return nil
}

type unknownRegionError string

func (name unknownRegionError) Error() string {
	return "the directory knows no region " + string(name)
}
