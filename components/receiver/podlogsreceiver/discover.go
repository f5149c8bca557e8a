// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/inotify"
	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/metadata"
)

const (
	// retryScan is how soon the directory is looked for that isn't there yet, and the API is asked again.
	retryScan = time.Second
	// decideWithin is how long a container waits for what the API knows of it.
	decideWithin = time.Minute
	eventBuffer  = 1024
)

// discoverer finds containers' directories, decides which are read, and tells their workers of changes. Its goroutine alone uses it.
type discoverer struct {
	cfg       *Config
	selection *selection
	store     *store
	workers   []*worker
	watcher   *inotify.Watcher // nil: there is none, and rescans find everything
	refused   atomic.Int64     // containers beyond the bound
	telemetry *metadata.TelemetryBuilder
	logger    *zap.Logger

	known   map[containerID]*known
	reading int  // how many of known are read
	first   bool // the first start of all, before its first scan
	swept   bool // checkpoints of containers that are gone were removed
	told    bool // that the bound is reached
}

// known is a container whose directory is there.
type known struct {
	verdict verdict
	worker  *worker // that reads it; nil: none
	since   time.Time
}

// run scans and watches until ctx ends.
func (d *discoverer) run(ctx context.Context) {
	events := make(chan inotify.Event, eventBuffer)
	if d.watcher != nil {
		stopped := make(chan struct{})
		defer func() { <-stopped }()
		defer d.watcher.Close()
		go func() {
			defer close(stopped)
			forward(ctx, d.watcher, events)
		}()
	}
	complete := d.scan(time.Now())
	rescan := time.NewTicker(d.cfg.RescanInterval)
	defer rescan.Stop()
	retry := time.NewTicker(retryScan)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-rescan.C:
			complete = d.scan(time.Now())
		case now := <-retry.C:
			if !complete {
				complete = d.scan(now)
			}
			d.decideAll(now)
		case e := <-events:
			d.event(e, time.Now())
		}
	}
}

// forward passes events on until the watcher is closed.
func forward(ctx context.Context, w *inotify.Watcher, events chan<- inotify.Event) {
	for {
		e, err := w.Next()
		if err != nil {
			return
		}
		select {
		case events <- e:
		case <-ctx.Done():
		}
	}
}

func (d *discoverer) event(e inotify.Event, now time.Time) {
	if e.Overflow {
		d.scan(now)
		return
	}
	root := filepath.Clean(d.cfg.Directory)
	switch parent := filepath.Dir(e.Dir); {
	case e.Dir == root:
		d.scanRoot(now, false)
	case parent == root:
		d.scanPod(filepath.Base(e.Dir), now, false)
	default:
		if pod, ok := parsePodDir(filepath.Base(parent)); ok {
			d.tell(containerID{pod, filepath.Base(e.Dir)}, notice{})
		}
	}
}

func (d *discoverer) tell(id containerID, n notice) {
	if k := d.known[id]; k != nil && k.worker != nil {
		k.worker.inbox.put(id, n)
	}
}

// scan lists all directories. It returns false when the root isn't there.
func (d *discoverer) scan(now time.Time) bool {
	if !d.scanRoot(now, true) {
		return false
	}
	if !d.swept {
		d.swept = true
		d.sweep()
	}
	if d.first {
		d.first = false
		if err := d.store.started(context.Background()); err != nil {
			d.logger.Warn("Can't store that the receiver was started", zap.Error(err))
		}
	}
	return true
}

// scanRoot lists the pods. With deep, or where a pod is new, it lists their containers too.
func (d *discoverer) scanRoot(now time.Time, deep bool) bool {
	d.watch(d.cfg.Directory)
	entries, err := os.ReadDir(d.cfg.Directory)
	if err != nil {
		if deep {
			d.logger.Debug("Can't list the directory of pods' logs; trying again", zap.Error(err))
		}
		return false
	}
	there := make(map[podID]bool, len(entries))
	for _, e := range entries {
		if pod, ok := parsePodDir(e.Name()); ok {
			there[pod] = true
		}
	}
	old := make(map[podID]bool, len(there))
	for id := range d.known {
		old[id.podID] = true
		if !there[id.podID] {
			d.forget(id)
		}
	}
	for pod := range there {
		if deep || !old[pod] {
			d.scanPod(pod.podDir(), now, deep)
		}
	}
	return true
}

// scanPod lists the containers of a pod. With deep, their workers list their files.
func (d *discoverer) scanPod(name string, now time.Time, deep bool) {
	pod, ok := parsePodDir(name)
	if !ok {
		return
	}
	dir := filepath.Join(d.cfg.Directory, name)
	d.watch(dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // it has gone, which an event or the next scan tells
	}
	there := make(map[string]bool, len(entries))
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		there[e.Name()] = true
		id := containerID{pod, e.Name()}
		if d.known[id] == nil {
			d.known[id] = &known{since: now}
			d.decide(id, now)
		} else if deep {
			d.tell(id, notice{})
		}
	}
	for id := range d.known {
		if id.podID == pod && !there[id.container] {
			d.forget(id)
		}
	}
}

// forget drops a container whose directory is gone. Its worker reads to the ends of the files that are open.
func (d *discoverer) forget(id containerID) {
	d.tell(id, notice{})
	if d.watcher != nil {
		d.watcher.Remove(id.dir(d.cfg.Directory))
	}
	if d.known[id].worker != nil {
		d.reading--
	}
	delete(d.known, id)
	d.count()
}

func (d *discoverer) watch(dir string) {
	if d.watcher == nil {
		return
	}
	if err := d.watcher.Add(filepath.Clean(dir)); err != nil {
		d.logger.Debug("Can't watch a directory; it is listed from time to time", zap.Error(err))
	}
}
