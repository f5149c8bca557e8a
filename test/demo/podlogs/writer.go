// SPDX-License-Identifier: Apache-2.0

package podlogs

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/k0rdent/kof/test/demo/truth"
)

// Config says what a Writer writes.
type Config struct {
	// Root is the folder that stands for /var/log/pods.
	Root string
	Pods []Pod
	// Interval is the time between two lines of one pod; more than 0.
	Interval time.Duration
	// RotateBytes is the size at which a file is rotated.
	RotateBytes int64
	// Truth is told of every line after it has been written.
	Truth *truth.Set
}

// Writer keeps writing the logs of a number of pods, one goroutine each.
type Writer struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	errs   []error

	rotations atomic.Uint64
}

// Start begins to write. The caller must call Stop.
func Start(ctx context.Context, cfg Config) (*Writer, error) {
	files := make([]*file, 0, len(cfg.Pods))
	for _, pod := range cfg.Pods {
		f, err := openFile(pod.Dir(cfg.Root), cfg.RotateBytes)
		if err != nil {
			for _, open := range files {
				err = errors.Join(err, open.close())
			}
			return nil, err
		}
		files = append(files, f)
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &Writer{cancel: cancel}
	for i, pod := range cfg.Pods {
		w.wg.Go(func() { w.note(w.run(ctx, cfg, pod, files[i])) })
	}
	return w, nil
}

// Stop ends all pods and returns what went wrong while they wrote.
func (w *Writer) Stop() error {
	w.cancel()
	w.wg.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.errs...)
}

// Rotations returns how many files were rotated so far.
func (w *Writer) Rotations() uint64 { return w.rotations.Load() }

func (w *Writer) note(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.errs = append(w.errs, err)
}

func (w *Writer) run(ctx context.Context, cfg Config, pod Pod, f *file) (err error) {
	defer func() { err = errors.Join(err, f.close()) }()
	source := pod.Source()
	tick := time.NewTicker(cfg.Interval)
	defer tick.Stop()
	for n := uint64(1); ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := time.Now()
		before := f.f
		if err := f.write(encode(now, Message(source.Name, n)), now); err != nil {
			return err
		}
		if f.f != before {
			w.rotations.Add(1)
		}
		cfg.Truth.Sent(source, truth.Item{ID: LineID(source.Name, n), At: now})
	}
}
