// SPDX-License-Identifier: Apache-2.0

package queuestorageextension

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/extension/queuestorageextension/internal/metadata"
	"github.com/k0rdent/kof/internal/segmentlog"
)

// maxClients bounds the clients that are open at once, and with them the series of the metrics.
const maxClients = 1024

// queueStorage hands out clients, each with a log of its own in a folder of the directory.
type queueStorage struct {
	cfg       *Config
	settings  component.TelemetrySettings
	telemetry *metadata.TelemetryBuilder
	budget    *segmentlog.Budget
	wake      chan struct{}
	stop      chan struct{}
	stopped   sync.WaitGroup

	mu        sync.Mutex
	lock      *os.File // nil when not started
	clients   map[string]*client
	unclaimed map[string]int64 // bytes in folders without a client
}

var _ storage.Extension = (*queueStorage)(nil)

func newQueueStorage(set component.TelemetrySettings, cfg *Config) (*queueStorage, error) {
	q := &queueStorage{
		cfg:       cfg,
		settings:  set,
		budget:    segmentlog.NewBudget(cfg.MaxBytes, cfg.SegmentBytes),
		wake:      make(chan struct{}, 1),
		stop:      make(chan struct{}),
		clients:   map[string]*client{},
		unclaimed: map[string]int64{},
	}
	var err error
	q.telemetry, err = metadata.NewTelemetryBuilder(set)
	return q, errors.Join(err, q.observe())
}

// Start claims the directory.
func (q *queueStorage) Start(context.Context, component.Host) error {
	info, err := os.Stat(q.cfg.Directory)
	switch {
	case errors.Is(err, os.ErrNotExist) && q.cfg.CreateDirectory:
		if err := os.MkdirAll(q.cfg.Directory, 0o700); err != nil {
			return fmt.Errorf("directory: can't create %s: %w", q.cfg.Directory, err)
		}
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("directory: %s doesn't exist: make it, or set create_directory to true", q.cfg.Directory)
	case err != nil:
		return fmt.Errorf("directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("directory: %s is not a directory", q.cfg.Directory)
	}
	lock, err := lockDirectory(q.cfg.Directory)
	if err != nil {
		return err
	}
	unclaimed, err := measure(q.cfg.Directory)
	if err != nil {
		return errors.Join(fmt.Errorf("directory: %w", err), lock.Close())
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lock, q.unclaimed = lock, unclaimed
	for _, n := range unclaimed {
		q.budget.Add(n)
	}
	q.stopped.Go(q.maintain)
	return nil
}

// measure returns how many bytes each folder of the directory holds.
func measure(dir string) (map[string]int64, error) {
	folders, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		files, err := os.ReadDir(filepath.Join(dir, folder.Name()))
		if err != nil {
			continue // not ours, as the lost+found of a file system is
		}
		for _, f := range files {
			if info, err := f.Info(); err == nil && info.Mode().IsRegular() {
				sizes[folder.Name()] += info.Size()
			}
		}
	}
	return sizes, nil
}

// Shutdown closes all clients and gives the directory up.
func (q *queueStorage) Shutdown(context.Context) error {
	q.mu.Lock()
	lock := q.lock
	q.lock = nil
	var open []*client
	for _, c := range q.clients {
		if c != nil {
			open = append(open, c)
		}
	}
	q.mu.Unlock()
	q.telemetry.Shutdown()
	if lock == nil {
		return nil
	}
	close(q.stop)
	q.stopped.Wait()
	var err error
	for _, c := range open {
		err = errors.Join(err, c.close())
	}
	return errors.Join(err, lock.Close())
}

// GetClient opens the storage of a component. Only one client of the same component and name can be open at a time.
func (q *queueStorage) GetClient(_ context.Context, kind component.Kind, id component.ID, storageName string) (storage.Client, error) {
	name, err := folderName(kind, id, storageName)
	if err != nil {
		return nil, err
	}
	claimed, err := q.claim(name)
	if err != nil {
		return nil, err
	}
	logger := q.settings.Logger.With(zap.String("client", name))
	log, err := segmentlog.Open(filepath.Join(q.cfg.Directory, name), segmentlog.Options{
		SegmentBytes: q.cfg.SegmentBytes,
		MaxBytes:     q.cfg.MaxBytesPerClient,
		Budget:       q.budget,
		Sync:         q.cfg.syncMode(),
		Logger:       logger,
		Wake:         q.wakeUp,
		Synced:       q.observeSync,
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil {
		delete(q.clients, name)
		q.setUnclaimed(name, claimed)
		return nil, fmt.Errorf("queue_storage: client of %s %q, storage name %q: %w", kind, id, storageName, err)
	}
	c := &client{name: name, log: log, owner: q, logger: logger}
	q.clients[name] = c
	logger.Info("Opened storage", zap.Stringer("component", id), zap.String("storage_name", storageName), zap.Int("keys", log.Stats().Keys))
	return c, nil
}

// claim takes the name for a client that is about to be opened, and returns the bytes in its folder.
func (q *queueStorage) claim(name string) (int64, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lock == nil {
		return 0, errors.New("queue_storage: the extension is not running")
	}
	if _, taken := q.clients[name]; taken {
		return 0, fmt.Errorf("queue_storage: client %s is already open: two components, or one twice, use the same storage", name)
	}
	if len(q.clients) >= maxClients {
		return 0, fmt.Errorf("queue_storage: %d clients are open, which is the limit", maxClients)
	}
	q.clients[name] = nil
	bytes := q.unclaimed[name]
	q.budget.Add(-bytes)
	delete(q.unclaimed, name)
	return bytes, nil
}

// setUnclaimed books the bytes of a folder that no client uses. The caller holds mu.
func (q *queueStorage) setUnclaimed(name string, bytes int64) {
	if bytes == 0 {
		return
	}
	q.unclaimed[name] = bytes
	q.budget.Add(bytes)
}

func (q *queueStorage) wakeUp() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// maintain is the one goroutine of the extension: it syncs, removes and compacts for all clients.
func (q *queueStorage) maintain() {
	interval := time.Second
	if q.cfg.Fsync == FsyncInterval {
		interval = q.cfg.FsyncInterval
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-q.stop:
			return
		case <-ticker.C:
		case <-q.wake:
		}
		for _, c := range q.open() {
			c.maintain()
		}
	}
}

func (q *queueStorage) open() []*client {
	q.mu.Lock()
	defer q.mu.Unlock()
	open := make([]*client, 0, len(q.clients))
	for _, c := range q.clients {
		if c != nil {
			open = append(open, c)
		}
	}
	return open
}
