// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/demo/truth"
)

// returner starts backends again that somebody has killed, a set time after it has noticed, on the same ports and with
// the same data.
type returner struct {
	after  time.Duration
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu    sync.Mutex
	notes map[truth.Key]string
}

// startReturner begins to look after all backends. The caller must call stop.
func startReturner(ctx context.Context, servers map[truth.Key]*backends.Server, after time.Duration) *returner {
	ctx, cancel := context.WithCancel(ctx)
	r := &returner{after: after, cancel: cancel, notes: map[truth.Key]string{}}
	for key, server := range servers {
		r.wg.Go(func() { r.look(ctx, key, server) })
	}
	return r
}

func (r *returner) stop() {
	r.cancel()
	r.wg.Wait()
}

// note says what is special about the backend; "" when it runs.
func (r *returner) note(key truth.Key) string {
	if r == nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.notes[key]
}

func (r *returner) set(key truth.Key, note string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes[key] = note
}

func (r *returner) look(ctx context.Context, key truth.Key, server *backends.Server) {
	poll := time.NewTicker(500 * time.Millisecond)
	defer poll.Stop()
	var died time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
		}
		switch {
		case running(server.PID()):
			died = time.Time{}
			continue
		case died.IsZero():
			died = time.Now()
		}
		if left := r.after - time.Since(died); left > 0 {
			r.set(key, fmt.Sprintf("down, back in %d s", int(left.Seconds()+1)))
			continue
		}
		r.set(key, "starting again")
		if err := server.Restart(ctx); err != nil {
			died = time.Now() // and try once more
			continue
		}
		r.set(key, "")
		if key.Signal == truth.Traces {
			r.set(key, "ended in between: its memory store forgets")
		}
	}
}

func running(pid int) bool {
	return pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
