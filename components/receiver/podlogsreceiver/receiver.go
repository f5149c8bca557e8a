// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/inotify"
	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/metadata"
)

type podLogs struct {
	cfg       *Config
	set       receiver.Settings
	next      consumer.Logs
	telemetry *metadata.TelemetryBuilder
	obs       *receiverhelper.ObsReport

	store     *store
	openFiles budget
	workers   []*worker
	discover  *discoverer
	stop      context.CancelFunc // of reading
	abort     context.CancelFunc // of what the pipeline is doing
	running   sync.WaitGroup
}

func newPodLogs(set receiver.Settings, cfg *Config, next consumer.Logs) (*podLogs, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, ReceiverCreateSettings: set})
	if err != nil {
		return nil, err
	}
	return &podLogs{cfg: cfg, set: set, next: next, telemetry: telemetry, obs: obs}, nil
}

// Start opens the storage and begins to read. That the directory isn't there is no error: it is waited for.
func (r *podLogs) Start(ctx context.Context, host component.Host) (err error) {
	// The receiver outlives the start.
	reading, stop := context.WithCancel(context.Background())
	consuming, abort := context.WithCancel(context.Background())
	r.stop, r.abort = stop, abort
	defer func() {
		if err != nil {
			stop()
			abort()
			r.running.Wait()
		}
	}()
	var api podMetadata
	if r.cfg.needsAPI() {
		watched, err := watchMetadata(r.cfg.Kubernetes)
		if err != nil {
			return err
		}
		api = watched
		r.running.Go(func() { watched.run(reading) })
	}
	if r.store, err = openStore(ctx, host, *r.cfg.Storage, r.set.ID, r.set.Logger); err != nil {
		return err
	}
	r.openFiles.max = int64(r.cfg.MaxOpenFiles)
	for range r.cfg.Workers {
		r.workers = append(r.workers, r.newWorker(consuming))
	}
	watcher, err := inotify.New()
	if err != nil {
		r.set.Logger.Warn("Directories can't be watched; they are listed from time to time",
			zap.Duration("rescan_interval", r.cfg.RescanInterval), zap.Error(err))
		watcher, err = nil, nil
	}
	r.discover = &discoverer{
		cfg: r.cfg, selection: newSelection(r.cfg, api), store: r.store, workers: r.workers, watcher: watcher, telemetry: r.telemetry, logger: r.set.Logger,
		known: map[containerID]*known{}, first: r.store.first,
	}
	if err := r.telemetry.RegisterGaugesCallback(r.observe); err != nil {
		return errors.Join(err, r.store.client.Close(ctx))
	}
	for _, w := range r.workers {
		r.running.Go(func() { w.run(reading) })
	}
	r.running.Go(func() { r.discover.run(reading) })
	return nil
}

func (r *podLogs) newWorker(consuming context.Context) *worker {
	w := &worker{
		cfg: r.cfg, next: r.next, store: r.store, openFiles: &r.openFiles, telemetry: r.telemetry, obs: r.obs, logger: r.set.Logger,
		warned: map[string]time.Time{}, inbox: inbox{arrived: make(chan struct{}, 1)}, consuming: consuming,
		containers: map[containerID]*container{}, buf: make([]byte, max(turnBytes, r.cfg.MaxLineBytes+4*kib)),
	}
	w.batch.reset()
	return w
}

func (r *podLogs) observe(_ context.Context, o metric.Observer) error {
	var containers, lag int64
	for _, w := range r.workers {
		containers += w.count.Load()
		lag += w.lag.Load()
	}
	o.ObserveInt64(r.telemetry.KofPodLogsOpenFiles, r.openFiles.used.Load())
	o.ObserveInt64(r.telemetry.KofPodLogsContainers, containers)
	o.ObserveInt64(r.telemetry.KofPodLogsRefusedContainers, r.discover.refused.Load())
	o.ObserveInt64(r.telemetry.KofPodLogsLagBytes, lag)
	return nil
}

// Shutdown ends reading; what was read and the pipeline takes at once is passed on. Batches that it holds up longer than ctx are
// given up and read again after the next start.
func (r *podLogs) Shutdown(ctx context.Context) error {
	if r.stop == nil {
		return nil
	}
	r.stop()
	unhook := context.AfterFunc(ctx, r.abort)
	r.running.Wait()
	unhook()
	r.abort()
	r.telemetry.Shutdown()
	r.stop = nil
	if r.store == nil {
		return nil
	}
	if err := r.store.client.Close(ctx); err != nil {
		return fmt.Errorf("storage: %w", err)
	}
	return nil
}
