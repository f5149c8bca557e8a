// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
	"github.com/k0rdent/kof/internal/region"
)

// unknownRegion is the name, in metrics and in the store, of the lanes that hold what belongs to regions that the directory doesn't
// know. No region can have it.
const unknownRegion = "_unknown"

// openLanes opens the lanes that the directory needs and that aren't open.
func (e *regionExporter) openLanes(ctx context.Context, dir *region.Directory) error {
	defer e.publish()
	for _, s := range e.signals {
		var missing []string
		for _, name := range slices.Sorted(maps.Keys(dir.Regions)) {
			if _, ok := e.lanes[laneKey{name, s}]; !ok {
				missing = append(missing, name)
			}
		}
		if len(missing) == 0 {
			continue
		}
		// The names are stored first, so that no queue is ever without its name.
		if err := e.updateLaneNames(ctx, s, func(names []string) []string { return append(names, missing...) }); err != nil {
			return err
		}
		for _, name := range missing {
			if err := e.openLane(ctx, name, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// openFormerLanes opens the lanes of regions that the directory no longer has, where they hold data, and forgets the others.
func (e *regionExporter) openFormerLanes(ctx context.Context, dir *region.Directory) error {
	defer e.publish()
	for _, s := range e.signals {
		var openErr error
		err := e.updateLaneNames(ctx, s, func(names []string) []string {
			return slices.DeleteFunc(names, func(name string) bool {
				if _, current := dir.Regions[name]; current || openErr != nil {
					return false
				}
				if openErr = e.openLane(ctx, name, s); openErr != nil {
					return false
				}
				key := laneKey{name, s}
				if e.lanes[key].queue.Totals().HeldItems > 0 {
					return false
				}
				openErr = e.lanes[key].close(ctx)
				delete(e.lanes, key)
				return openErr == nil
			})
		})
		if err = errors.Join(err, openErr); err != nil {
			return err
		}
	}
	return nil
}

func (e *regionExporter) openLane(ctx context.Context, name string, s signal) error {
	q, err := e.openQueue(ctx, name, s, lanequeue.Options{
		MaxBytes: e.cfg.Queue.MaxBytes, Budget: e.budget, Reserve: laneReserve, DropOldest: e.cfg.Queue.OnFull == OnFullDropOldest,
	})
	if err != nil {
		return err
	}
	l := newLane(name, s, q, e)
	e.lanes[laneKey{name, s}] = &openLane{lane: l}
	l.start()
	return nil
}

func (e *regionExporter) openUnknownLanes(ctx context.Context) error {
	defer e.publish()
	for _, s := range e.signals {
		q, err := e.openQueue(ctx, unknownRegion, s, lanequeue.Options{
			MaxBytes: e.cfg.Queue.MaxUnknownBytes, Budget: lanequeue.NewBudget(e.cfg.Queue.MaxUnknownBytes),
		})
		if err != nil {
			return err
		}
		l := &unknownLane{lane: newLane(unknownRegion, s, q, e), changed: make(chan struct{}, 1)}
		l.run(func(ctx context.Context) { e.releaseAll(ctx, l) })
		e.unknown[s] = l
	}
	return nil
}

func (e *regionExporter) openQueue(ctx context.Context, name string, s signal, o lanequeue.Options) (*lanequeue.Queue, error) {
	o.BatchBytes, o.BatchDelay, o.Now = e.cfg.Batch.MaxBytes, e.cfg.Batch.MaxDelay, time.Now
	if s == signalMetrics {
		o.BatchDelay = e.cfg.Metrics.MaxDelay
	}
	client, err := e.openClient(ctx, string(s)+"_"+name)
	if err != nil {
		return nil, fmt.Errorf("queue of region %s, %s: %w", name, s, err)
	}
	q, damaged, err := lanequeue.Open(ctx, client, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("queue of region %s, %s: %w", name, s, err), client.Close(ctx))
	}
	if damaged {
		e.set.Logger.Error("The queue's state was damaged; the queue begins anew and what it held is lost.",
			zap.String("region", name), zap.String("signal", string(s)))
	}
	return q, nil
}

// openClient opens a part of the storage. What is in its way is most often a second user of the same folder, which the storage may not
// say: file_storage only knows that it has waited in vain.
func (e *regionExporter) openClient(ctx context.Context, name string) (storage.Client, error) {
	client, err := e.store.GetClient(ctx, component.KindExporter, e.set.ID, name)
	if err != nil {
		return nil, fmt.Errorf("storage %q doesn't open %q for exporter %q: %w; if another exporter or collector uses its folder, "+
			"give each a storage extension with a directory of its own", e.cfg.Storage, name, e.set.ID, err)
	}
	return client, nil
}

// updateLaneNames changes the list, in the store, of the regions that have a queue there. The store itself can't list its clients.
func (e *regionExporter) updateLaneNames(ctx context.Context, s signal, change func([]string) []string) (err error) {
	const key = "names"
	client, err := e.openClient(ctx, string(s)+"__lanes")
	if err != nil {
		return fmt.Errorf("list of lanes, %s: %w", s, err)
	}
	defer func() { err = errors.Join(err, client.Close(ctx)) }()
	stored, err := client.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("list of lanes, %s: %w", s, err)
	}
	names := change(strings.Fields(string(stored)))
	slices.Sort(names)
	return client.Set(ctx, key, []byte(strings.Join(slices.Compact(names), "\n")))
}

// publish makes the open lanes visible to metrics and status pages, which must not wait for the exporter's lock. e.mu is held.
func (e *regionExporter) publish() {
	var all []*lane
	for _, l := range e.unknown {
		all = append(all, l.lane)
	}
	for _, l := range e.lanes {
		all = append(all, l.lane)
	}
	e.visible.Store(&all)
}
