// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/internal/region"
)

// directorySource is where the text of the region directory is.
type directorySource interface {
	// name says where, for errors.
	name() string
	read(ctx context.Context) ([]byte, error)
	// watch calls changed after each change until ctx ends; it may call it without one.
	watch(ctx context.Context, logger *zap.Logger, changed func())
}

func newDirectorySource(cfg DirectoryConfig) (directorySource, error) {
	if cfg.ConfigMap != nil {
		return newConfigMapSource(*cfg.ConfigMap)
	}
	return &fileSource{path: cfg.File}, nil
}

// pollInterval is how often a file is read where no notification of a change arrives, as on some network file systems.
const pollInterval = 30 * time.Second

type fileSource struct{ path string }

func (f *fileSource) name() string { return f.path }

func (f *fileSource) read(context.Context) ([]byte, error) { return os.ReadFile(f.path) }

// watch watches the folder, since an editor replaces the file and a mounted ConfigMap a link beside it.
func (f *fileSource) watch(ctx context.Context, logger *zap.Logger, changed func()) {
	var events <-chan fsnotify.Event
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer watcher.Close()
		err = watcher.Add(filepath.Dir(f.path))
		events = watcher.Events
	}
	if err != nil {
		logger.Warn("Can't watch the region directory; reading it from time to time.", zap.Error(err), zap.Duration("interval", pollInterval))
		events = nil
	}
	changed() // since it was read and before it was watched
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-events:
			// A writer needs several steps; the last one counts.
			settle(ctx, events)
		}
		changed()
	}
}

// settle waits until no event has come for a moment.
func settle(ctx context.Context, events <-chan fsnotify.Event) {
	const quiet = 100 * time.Millisecond
	for {
		select {
		case <-events:
		case <-time.After(quiet):
			return
		case <-ctx.Done():
			return
		}
	}
}

// watch keeps the directory in force in step with its source.
type watch struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (w *watch) stop() {
	w.cancel()
	w.done.Wait()
}

var (
	appliedReload = metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", "applied")))
	refusedReload = metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", "refused")))
)

// startWatch begins to follow the source; data is the text that is in force.
func (e *regionExporter) startWatch(source directorySource, data []byte) *watch {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{cancel: cancel}
	w.done.Go(func() {
		seen := data
		source.watch(ctx, e.set.Logger, func() { seen = e.reload(ctx, source, seen) })
	})
	return w
}

// reload reads the source and puts a changed directory in force. One that can't be is refused, with all its problems, and the old one
// stays. It returns the text that needs no second look.
func (e *regionExporter) reload(ctx context.Context, source directorySource, seen []byte) []byte {
	data, err := source.read(ctx)
	if ctx.Err() != nil || (err == nil && bytes.Equal(data, seen)) {
		return seen
	}
	judged := data
	var dir *region.Directory
	if err == nil {
		dir, err = region.Parse(data)
	}
	if err == nil {
		e.mu.Lock()
		err = e.apply(ctx, dir)
		e.mu.Unlock()
		if err != nil {
			judged = seen // what it names, such as a CA file, may come later: it is tried again
		}
	}
	if err != nil {
		e.telemetry.KofRegionDirectoryReloads.Add(ctx, 1, refusedReload)
		e.set.Logger.Error("The changed region directory is refused; the one before stays in force.", zap.String("source", source.name()), zap.Error(err))
		return judged
	}
	e.telemetry.KofRegionDirectoryReloads.Add(ctx, 1, appliedReload)
	e.set.Logger.Info("A changed region directory is in force.", zap.String("source", source.name()), zap.Int("regions", len(dir.Regions)))
	return data
}
