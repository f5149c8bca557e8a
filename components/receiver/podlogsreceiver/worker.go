// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fastjson"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/logline"
	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/metadata"
)

// turnBytes is how much of one container is read before it is the next one's turn.
const turnBytes = 256 * kib

// worker reads some of the containers. All but its inbox and lag is used by its goroutine alone.
type worker struct {
	cfg       *Config
	next      consumer.Logs
	store     *store
	openFiles *budget
	telemetry *metadata.TelemetryBuilder
	obs       *receiverhelper.ObsReport
	logger    *zap.Logger
	warned    map[string]time.Time

	inbox inbox
	lag   atomic.Int64
	count atomic.Int64 // of containers
	// consuming is the context of what the pipeline is given; it outlives that of run.
	consuming context.Context

	containers map[containerID]*container
	ready      []*container // in turn, those with lines to read
	batch      batch
	dirty      []*container // whose checkpoints are to be stored
	removed    []update

	parser  logline.Parser
	json    fastjson.Parser
	buf     []byte  // what is read in a turn
	entries []entry // the records of it
	last    *group  // which the line before in buf belongs to
	spilled int     // bytes of records outside of buf that are being put together
	counts  counts
}

// budget is a bound that workers share.
type budget struct {
	used atomic.Int64
	max  int64
}

func (b *budget) take() bool {
	if b.used.Add(1) > b.max {
		b.used.Add(-1)
		return false
	}
	return true
}

func (b *budget) giveBack() { b.used.Add(-1) }

// inbox is what the discoverer tells a worker.
type inbox struct {
	mu      sync.Mutex
	notices map[containerID]notice
	arrived chan struct{}
}

type notice struct {
	added   bool // with rule and fromEnd; else something changed
	rule    *workload
	fromEnd bool
}

func (i *inbox) put(id containerID, n notice) {
	i.mu.Lock()
	if i.notices == nil {
		i.notices = map[containerID]notice{}
	}
	if old, ok := i.notices[id]; !ok || !old.added {
		i.notices[id] = n
	}
	i.mu.Unlock()
	select {
	case i.arrived <- struct{}{}:
	default:
	}
}

func (i *inbox) take() map[containerID]notice {
	i.mu.Lock()
	defer i.mu.Unlock()
	notices := i.notices
	i.notices = nil
	return notices
}

// run reads until ctx ends. What is in the batch then is passed on if the pipeline takes it at once.
func (w *worker) run(ctx context.Context) {
	tick := time.NewTicker(w.cfg.PollInterval)
	defer tick.Stop()
	defer w.closeAll()
	for {
		if len(w.ready) == 0 {
			select {
			case <-ctx.Done():
			case <-tick.C:
				w.poll(time.Now())
			case <-w.inbox.arrived:
				w.look(time.Now())
			}
		} else {
			select {
			case <-tick.C:
				w.poll(time.Now())
			case <-w.inbox.arrived:
				w.look(time.Now())
			default:
			}
			w.serveNext(time.Now())
		}
		if ctx.Err() != nil {
			w.deliver(ctx)
			return
		}
		if w.batch.due(w.cfg.Batch, time.Now()) {
			w.deliver(ctx)
		} else if w.batch.empty() {
			w.checkpoint()
		}
	}
}

// serveNext gives the container whose turn it is its turn.
func (w *worker) serveNext(now time.Time) {
	if len(w.ready) == 0 {
		return
	}
	c := w.ready[0]
	w.ready = w.ready[1:]
	if c.queued = w.serve(c, now); c.queued {
		w.ready = append(w.ready, c)
	}
}

func (w *worker) enqueue(c *container) {
	if !c.queued {
		c.queued = true
		w.ready = append(w.ready, c)
	}
}

// look deals with what the discoverer told.
func (w *worker) look(now time.Time) {
	for id, n := range w.inbox.take() {
		c := w.containers[id]
		if c == nil {
			if !n.added {
				continue
			}
			c = &container{id: id, key: id.key(), dir: id.dir(w.cfg.Directory), rule: n.rule, fromEnd: n.fromEnd}
			if n.rule != nil {
				c.limit = newLimiter(n.rule.RateLimit)
			}
			c.stored = w.store.of(c.key)
			c.beyond = slices.ContainsFunc(c.stored, func(cp checkpoint) bool { return cp.beyond })
			w.containers[id] = c
			w.count.Add(1)
		}
		w.list(c, now)
		w.pollContainer(c, now)
	}
}

// poll looks for new lines in all open files.
func (w *worker) poll(now time.Time) {
	w.look(now)
	var lag int64
	for id, c := range w.containers {
		w.pollContainer(c, now)
		lag += c.lag()
		if c.finished() && w.batch.empty() {
			for _, f := range c.files {
				w.abandon(f)
			}
			delete(w.containers, id)
			w.count.Add(-1)
			w.removed = append(w.removed, update{key: c.key})
		}
	}
	w.lag.Store(lag)
}

// drainFor is how long a file stays open that a newer one follows: whoever writes it may not have switched yet.
const drainFor = 10 * time.Second

func (w *worker) pollContainer(c *container, now time.Time) {
	if c.relist || c.linked && c.relinked() || !c.relistAt.IsZero() && now.After(c.relistAt) {
		w.list(c, now)
	}
	cut := false
	for _, f := range c.files {
		if f.open == nil {
			continue
		}
		if f.gz == nil {
			size, changed, err := sizeOf(f.open)
			if err != nil {
				continue // reading tells
			}
			if size != f.size || changed != f.changed {
				// Of the same size it may have been cut and written anew.
				f.touched = f.changed != 0
				// The beginning is learned with the size: what is stored of a file is told apart from its copies by it.
				cut = cut || size < f.size || (f.offset == 0 || len(f.head) < headSize) && !f.unchanged()
				f.seen(size, changed, now)
			}
		}
		switch {
		case f.done && (f.size > f.offset || f.touched):
			f.done = false
			f.endedAt = time.Time{}
		case f.done && now.Sub(f.doneAt) >= drainFor:
			w.closeFile(f)
			c.relist = c.relist || !f.listed
			continue
		}
	}
	if cut {
		w.findTruncated(c, now)
	}
	f := c.current(now)
	if f != nil && (f.gz != nil || f.size != f.offset || f.touched || !f.endedAt.IsZero() || c.next(f) != nil || !f.listed || c.overdue(f, now, w.cfg)) {
		w.enqueue(c)
	}
}

func (w *worker) closeAll() {
	for _, c := range w.containers {
		for _, f := range c.files {
			w.closeFile(f)
		}
	}
}
