// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/metadata"
	"github.com/k0rdent/kof/internal/region"
	"github.com/k0rdent/kof/internal/status"
)

// regionExporter is one configured exporter. The three signals share it, and so the directory and the bound on all bytes held.
type regionExporter struct {
	set       exporter.Settings
	cfg       *Config
	telemetry *metadata.TelemetryBuilder
	codec     *encoder
	routing   atomic.Pointer[routing] // set when the first signal starts
	visible   atomic.Pointer[[]*lane] // all lanes, for metrics and status

	mu      sync.Mutex // guards what follows
	signals []signal   // those in use
	running int        // how many of them are started
	store   storage.Extension
	budget  *lanequeue.Budget
	lanes   map[laneKey]*openLane
	unknown map[signal]*unknownLane
	watch   *watch
	hide    []func() // take the lanes from the status pages
}

// routing is all that a decision needs. It is not changed: a new directory brings a new one.
type routing struct {
	directory *region.Directory
	lanes     map[laneKey]*lane // of the regions in the directory
	unknown   map[signal]*unknownLane
}

type laneKey struct {
	region string
	signal signal
}

func newRegionExporter(set exporter.Settings, cfg *Config) (*regionExporter, error) {
	codec, err := newEncoder(cfg.Metrics)
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &regionExporter{
		set: set, cfg: cfg, telemetry: telemetry, codec: codec,
		budget: lanequeue.NewBudget(cfg.Queue.MaxTotalBytes),
		lanes:  map[laneKey]*openLane{}, unknown: map[signal]*unknownLane{},
	}, nil
}

// start loads the directory, opens all lanes and begins to deliver what they hold. Each signal calls it; the first one counts.
func (e *regionExporter) start(ctx context.Context, host component.Host) (err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running++
	if e.running > 1 {
		return nil
	}
	if e.store, err = storageOf(host, *e.cfg.Storage); err != nil {
		return err
	}
	source, err := newDirectorySource(e.cfg.Directory)
	if err != nil {
		return err
	}
	data, err := source.read(ctx)
	if err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	dir, err := region.Parse(data)
	if err != nil {
		return fmt.Errorf("directory %s: %w", source.name(), err)
	}
	if err := e.judge(dir); err != nil {
		return fmt.Errorf("directory %s: %w", source.name(), err)
	}
	if err := e.openFormerLanes(ctx, dir); err != nil {
		return err
	}
	if err := e.openUnknownLanes(ctx); err != nil {
		return err
	}
	if err := e.apply(ctx, dir); err != nil {
		return fmt.Errorf("directory %s: %w", source.name(), err)
	}
	e.watch = e.startWatch(source, data)
	for _, ext := range host.GetExtensions() {
		if registry, ok := ext.(status.LaneRegistry); ok {
			e.hide = append(e.hide, registry.AddLanes(e.laneStatus))
		}
	}
	return e.telemetry.RegisterLedgerCallback(e.observe)
}

func storageOf(host component.Host, id component.ID) (storage.Extension, error) {
	ext, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("storage: no extension %q runs", id)
	}
	store, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("storage: extension %q stores nothing", id)
	}
	return store, nil
}

// shutdown ends all lanes. Each signal calls it; the last one counts.
func (e *regionExporter) shutdown(ctx context.Context) error {
	e.mu.Lock()
	e.running--
	if e.running > 0 {
		e.mu.Unlock()
		return nil
	}
	watch, hide := e.watch, e.hide
	e.watch, e.hide = nil, nil
	e.mu.Unlock()
	// Without the lock: what ends here may wait for a callback or a reload that wants it.
	if watch != nil {
		watch.stop()
	}
	for _, remove := range hide {
		remove()
	}
	e.telemetry.Shutdown()

	e.mu.Lock()
	defer e.mu.Unlock()
	var (
		closing sync.WaitGroup
		errs    = make(chan error, len(e.lanes)+len(e.unknown))
	)
	for _, l := range e.unknown {
		closing.Go(func() { errs <- l.close(ctx) })
	}
	for _, l := range e.lanes {
		if l.draining != nil {
			l.draining.Stop()
		}
		closing.Go(func() { errs <- l.close(ctx) })
	}
	closing.Wait()
	close(errs)
	clear(e.lanes)
	clear(e.unknown)
	var all error
	for err := range errs {
		all = errors.Join(all, err)
	}
	return all
}
