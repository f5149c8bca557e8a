// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
)

// unknownLane holds, per signal, what belongs to regions that the directory doesn't know.
type unknownLane struct {
	*lane
	changed chan struct{} // of capacity 1: there is another directory
}

// look makes the lane look whether the directory knows regions of its records.
func (l *unknownLane) look() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// releaseAll releases after each change of the directory, and from time to time while a lane has no room for what is its own.
func (e *regionExporter) releaseAll(ctx context.Context, from *unknownLane) {
	wait := from.newBackOff()
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-from.changed:
			wait.Reset()
		case <-again:
		}
		again = nil
		if !e.release(ctx, from) {
			again = time.After(wait.NextBackOff())
		}
	}
}

// release goes once over what the lane holds, and moves the records of regions that the directory knows by now into their lanes. It
// says whether all of these went. A crash between the two lanes' changes repeats one record.
func (e *regionExporter) release(ctx context.Context, from *unknownLane) (all bool) {
	var kept []lanequeue.Record
	defer func() { from.queue.Return(kept) }()
	all = true
	for ctx.Err() == nil {
		recs, err := from.queue.TakeWaiting(ctx)
		if err != nil {
			from.log.warn("store", "Can't read the records of unknown regions; they stay held.", zap.Error(err))
			return false
		}
		if len(recs) == 0 {
			break
		}
		for _, rec := range recs {
			if err := e.releaseRecord(ctx, from.lane, rec); err != nil {
				from.log.warn("release", "Records of unknown regions stay held.", zap.Error(err))
				rec.Payload = nil // only the hold on it is kept
				kept = append(kept, rec)
				var unknown unknownRegionError
				all = all && errors.As(err, &unknown)
			}
		}
	}
	return all
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
