// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/metadata"
)

// shutdownGrace is how long requests under way may take to end when the exporter shuts down.
const shutdownGrace = 5 * time.Second

// lane carries one signal to one region: what it accepts is in its queue, on disk; its workers deliver from there. Lanes share
// nothing but the bound on all bytes held, so that a region that is dead or slow holds up no other.
type lane struct {
	region string
	signal signal
	cfg    *Config
	queue  *lanequeue.Queue
	codec  *encoder
	route  *route
	health health
	usage  *usage
	// leaving says that the directory no longer has the region.
	leaving atomic.Bool

	telemetry *metadata.TelemetryBuilder
	attrs     metric.MeasurementOption
	logger    *zap.Logger
	log       *windowLog

	// parked are records that the destination may not or can't take, without their payloads: they stay in the queue, and those
	// behind them go on.
	parkedMu sync.Mutex
	parked   []lanequeue.Record

	// ctx ends when the lane closes. attempts is that of requests under way, which get the time to end, so that they need not be
	// repeated.
	ctx, attempts context.Context
	stop, abort   context.CancelFunc
	workers       sync.WaitGroup
}

func newLane(regionName string, s signal, q *lanequeue.Queue, e *regionExporter) *lane {
	logger := e.set.Logger.With(zap.String("region", regionName), zap.String("signal", string(s)))
	attrs := []attribute.KeyValue{attribute.String("region", regionName), attribute.String("signal", string(s))}
	l := &lane{
		region: regionName, signal: s, cfg: e.cfg, queue: q, codec: e.codec, route: newRoute(), usage: newUsage(e.cfg.MaxNamespaces, attrs...),
		telemetry: e.telemetry, logger: logger, log: newWindowLog(logger),
		attrs: metric.WithAttributeSet(attribute.NewSet(attrs...)),
	}
	l.ctx, l.stop = context.WithCancel(context.Background())
	l.attempts, l.abort = context.WithCancel(context.Background())
	return l
}

// start begins to deliver, as soon as there is a destination.
func (l *lane) start() {
	for range l.cfg.Senders {
		l.run(l.work)
	}
	l.run(l.superviseFailover)
}

// run calls work in a goroutine of the lane; its context ends when the lane closes.
func (l *lane) run(work func(context.Context)) {
	l.workers.Go(func() { work(l.ctx) })
}

// deliverTo sets the destinations in the order of preference; with none the lane holds.
func (l *lane) deliverTo(candidates []*destination) {
	old := l.route.replace(candidates)
	l.health.restart()
	l.unpark()
	l.workers.Go(func() {
		for _, d := range old {
			d.close()
		}
	})
}

// park sets records aside until the lane has another destination than to.
func (l *lane) park(recs []lanequeue.Record, to *destination) {
	l.parkedMu.Lock()
	for _, rec := range recs {
		rec.Payload = nil
		l.parked = append(l.parked, rec)
	}
	l.parkedMu.Unlock()
	if now, _ := l.route.current(); now != to {
		l.unpark() // it changed in between
	}
}

// unpark gives back to the queue what was set aside.
func (l *lane) unpark() {
	l.parkedMu.Lock()
	defer l.parkedMu.Unlock()
	l.queue.Return(l.parked)
	l.parked = nil
}

// close ends the lane, in at most shutdownGrace, or the time to drain if that is longer. What is not delivered by then stays in the queue.
func (l *lane) close(ctx context.Context) error {
	grace := max(shutdownGrace, l.cfg.Queue.DrainAtShutdown)
	began := time.Now()
	l.flush(ctx, grace)
	l.stop()
	overdue := time.AfterFunc(grace-time.Since(began), l.abort)
	unhook := context.AfterFunc(ctx, l.abort)
	l.workers.Wait()
	overdue.Stop()
	unhook()
	l.abort()
	for _, d := range l.route.replace(nil) {
		d.close()
	}
	return l.queue.Close(ctx)
}

// flush gives a lane that delivers the time to deliver what it holds: the node may be about to go, and its disk with it. Where it surely goes, a
// lane that fails gets the time, too.
func (l *lane) flush(ctx context.Context, grace time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	l.queue.Hurry()
	for ctx.Err() == nil && l.delivering() && l.queue.Totals().HeldItems > 0 {
		sleep(ctx, flushPoll, nil)
	}
	if held := l.queue.Totals().HeldItems; held > 0 && l.cfg.Queue.DrainAtShutdown > 0 {
		l.logger.Warn("Not all is delivered before the end; what is held goes if its disk does.", zap.Int64("held_items", held))
	}
}

const flushPoll = 5 * time.Millisecond

// delivering says whether there is somewhere to deliver to and nothing speaks against it.
func (l *lane) delivering() bool {
	to, _ := l.route.current()
	l.parkedMu.Lock()
	defer l.parkedMu.Unlock()
	return to != nil && len(l.parked) == 0 && (l.cfg.Queue.DrainAtShutdown > 0 || l.health.failing(time.Now()) == 0)
}

// origin is what a record keeps of the decision that put it into its lane.
type origin struct {
	region   string
	zone     string // empty while the directory doesn't know the region
	accepted time.Time
}

// accept stores a batch that was decided for a region. It returns when the batch is on disk, or with an error when the lane did
// not take it.
func (l *lane) accept(ctx context.Context, origin origin, b batch) error {
	format := lanequeue.FormatOTLP
	if to, _ := l.route.current(); to != nil {
		format = to.sender.format()
	}
	payload, items, dropped, err := l.codec.encode(b, format)
	if err == nil {
		err = l.queue.Put(ctx, lanequeue.Record{
			Format: format, Accepted: origin.accepted, Items: items, Region: origin.region, Zone: origin.zone, Payload: payload,
		}, dropped)
	}
	if err != nil {
		l.telemetry.KofRegionRefusedItems.Add(ctx, int64(b.items()), l.attrs)
		return fmt.Errorf("region %s, %s: %w", l.region, l.signal, err)
	}
	l.usage.add(b, len(payload))
	if n := dropped.Sum(); n > 0 {
		l.log.warn("unsupported", "Dropped data points that remote write can't carry, such as those of delta temporality.", zap.Int64("items", n))
	}
	return nil
}

// work takes batches and delivers them until the lane closes.
func (l *lane) work(ctx context.Context) {
	for {
		to, changed := l.route.current()
		if to == nil {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return
			}
		}
		recs, err := l.queue.Take(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			l.log.warn("store", "Can't read the queue; trying again.", zap.Error(err))
			sleep(ctx, time.Second, nil)
		}
		for _, run := range runs(recs) {
			l.deliver(ctx, run)
		}
	}
}

// runs cuts records where their format or zone changes: a request has one of each.
func runs(recs []lanequeue.Record) [][]lanequeue.Record {
	var all [][]lanequeue.Record
	start := 0
	for i := 1; i <= len(recs); i++ {
		if i == len(recs) || recs[i].Format != recs[start].Format || recs[i].Zone != recs[start].Zone {
			all = append(all, recs[start:i])
			start = i
		}
	}
	return all
}

// settle books records that left the queue.
func (l *lane) settle(recs []lanequeue.Record, out lanequeue.Outcome) {
	// The lane's end must not keep the books from being written.
	if err := l.queue.Settle(context.Background(), recs, out); err != nil {
		l.log.warn("store", "Can't delete delivered records from the queue yet.", zap.Error(err))
	}
}

func itemsOf(recs []lanequeue.Record) int64 {
	var n int64
	for i := range recs {
		n += int64(recs[i].Items)
	}
	return n
}

// sleep waits for d, until ctx ends or until changed is closed.
func sleep(ctx context.Context, d time.Duration, changed <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
	}
}
