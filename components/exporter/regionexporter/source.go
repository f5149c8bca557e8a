// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
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

// read refuses a file larger than any directory, and what is no file: neither may fill memory or block.
func (f *fileSource) read(context.Context) ([]byte, error) {
	info, err := os.Stat(f.path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", f.path)
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, region.MaxBytes+1))
	if err == nil && len(data) > region.MaxBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes, which is the bound of a region directory", f.path, region.MaxBytes)
	}
	return data, err
}

// watch watches the folder, since an editor replaces the file and a mounted ConfigMap a link beside it.
func (f *fileSource) watch(ctx context.Context, logger *zap.Logger, changed func()) {
	var (
		events <-chan fsnotify.Event
		failed <-chan error
	)
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		defer watcher.Close()
		if err = watcher.Add(filepath.Dir(f.path)); err == nil {
			events, failed = watcher.Events, watcher.Errors
		}
	}
	if err != nil {
		logger.Warn("Can't watch the region directory; reading it from time to time.", zap.Error(err), zap.Duration("interval", pollInterval))
	}
	changed() // since it was read and before it was watched
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-failed: // events were lost; what they told of is read now
		case <-events:
			// A writer needs several steps; the last one counts.
			settle(ctx, events)
		}
		changed()
	}
}

// settle waits until no event has come for a moment, but not for ever: other files of the folder may change all the time.
func settle(ctx context.Context, events <-chan fsnotify.Event) {
	const quiet, most = 100 * time.Millisecond, time.Second
	end := time.After(most)
	for {
		select {
		case <-events:
		case <-time.After(quiet):
			return
		case <-end:
			return
		case <-ctx.Done():
			return
		}
	}
}
