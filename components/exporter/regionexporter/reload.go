// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/internal/region"
)

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
	changes := make(chan struct{}, 1)
	w.done.Go(func() {
		source.watch(ctx, e.set.Logger, func() {
			select {
			case changes <- struct{}{}:
			default:
			}
		})
	})
	w.done.Go(func() { e.follow(ctx, source, &reloading{judged: data}, changes) })
	return w
}

// How soon a directory is tried again that could not be read or put in force.
const (
	reloadInterval    = time.Second
	maxReloadInterval = time.Minute
)

// follow reloads after each change, and from time to time while the last one could not be put in force.
func (e *regionExporter) follow(ctx context.Context, source directorySource, state *reloading, changes <-chan struct{}) {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = reloadInterval, maxReloadInterval
	wait.Reset()
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-changes:
		case <-again:
		}
		if again = nil; e.reload(ctx, source, state) {
			wait.Reset()
			continue
		}
		again = time.After(wait.NextBackOff())
	}
}

// reloading is what is known from one reload to the next.
type reloading struct {
	judged []byte // the text that needs no second look: it is in force, or never can be
	failed []byte // the text that could not be put in force yet,
	reason string // and why; both have been told
}

// reload reads the source and puts a changed directory in force. One that can't be is refused, with all its problems, and the old one
// stays. done is false where it is worth another try: the source, the store or a file that the directory names may be there later.
func (e *regionExporter) reload(ctx context.Context, source directorySource, state *reloading) (done bool) {
	data, err := source.read(ctx)
	if ctx.Err() != nil {
		return true
	}
	if err == nil && bytes.Equal(data, state.judged) {
		state.failed, state.reason = nil, ""
		return true
	}
	var dir *region.Directory
	if err == nil {
		dir, err = region.Parse(data)
		done = err != nil
	}
	if err == nil {
		e.mu.Lock()
		if err = e.judge(dir); err != nil {
			done = true
		} else {
			err = e.apply(ctx, dir)
			done = err == nil
		}
		e.mu.Unlock()
	}
	if done {
		state.judged = data
	}
	if err != nil {
		if err.Error() != state.reason || !bytes.Equal(data, state.failed) {
			e.telemetry.KofRegionDirectoryReloads.Add(ctx, 1, refusedReload)
			e.set.Logger.Error("The changed region directory is refused; the one before stays in force.", zap.String("source", source.name()), zap.Error(err))
		}
		state.failed, state.reason = data, err.Error()
		return done
	}
	state.failed, state.reason = nil, ""
	e.telemetry.KofRegionDirectoryReloads.Add(ctx, 1, appliedReload)
	e.set.Logger.Info("A changed region directory is in force.", zap.String("source", source.name()), zap.Int("regions", len(dir.Regions)))
	return true
}
