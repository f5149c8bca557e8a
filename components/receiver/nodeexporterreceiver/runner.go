// SPDX-License-Identifier: Apache-2.0

package nodeexporterreceiver

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The reasons for which a collector gives nothing, as the internal metric names them.
const (
	reasonFailed     = "failed"
	reasonPermission = "permission"
	reasonTimeout    = "timeout"
	reasonPanic      = "panic"
	reasonTooMany    = "too_many_series"
)

var (
	errPanic   = errors.New("panic")
	errTimeout = errors.New("takes too long")
	errTooMany = errors.New("more series than max_series leaves room for")
)

func reasonOf(err error) string {
	switch {
	case errors.Is(err, errPanic):
		return reasonPanic
	case errors.Is(err, errTimeout):
		return reasonTimeout
	case errors.Is(err, errTooMany):
		return reasonTooMany
	case errors.Is(err, fs.ErrPermission):
		return reasonPermission
	default:
		return reasonFailed
	}
}

// nodeCollector is node_exporter's interface of a collector. Its package can't be compiled everywhere.
type nodeCollector interface {
	Update(ch chan<- prometheus.Metric) error
}

// runner runs one collector, once at a time.
type runner struct {
	name      string
	collector nodeCollector
	busy      atomic.Bool
	failing   bool // of the collecting goroutine: what was logged last
}

// result is what a collector gave.
type result struct {
	metrics  []prometheus.Metric
	left     int // series that were left out
	duration time.Duration
	err      error
}

// noData tells that there is nothing of the kind on the node: no success, but no error either.
func (r *result) noData() bool { return isNoData(r.err) }

// run collects and sends the result. At most limit metrics are kept.
func (r *runner) run(limit int) result {
	begin := time.Now()
	ch := make(chan prometheus.Metric, 64)
	done := make(chan error, 1)
	go func() {
		defer close(ch)
		done <- safely(r.collector, ch)
	}()
	var out result
	for m := range ch {
		if len(out.metrics) < limit {
			out.metrics = append(out.metrics, m)
		} else {
			out.left++
		}
	}
	out.err, out.duration = <-done, time.Since(begin)
	if out.left > 0 {
		out.tooMany()
	}
	return out
}

// tooMany leaves out what the collector gave: a part of a family would look like the whole.
func (r *result) tooMany() {
	r.left += len(r.metrics)
	r.metrics, r.err = nil, errTooMany
}

// safely keeps a collector that meets something its authors didn't foresee from ending the agent.
func safely(c nodeCollector, ch chan<- prometheus.Metric) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return c.Update(ch)
}

// runners are the enabled collectors, by name.
type runners struct {
	all []*runner
	wg  sync.WaitGroup // of collectors that run, or hang
}

// collect runs all collectors and returns their results by index after all ended or the timeout has passed. One that still
// runs then, or since an earlier time, has a result with errTimeout.
func (r *runners) collect(stop <-chan struct{}, timeout time.Duration, limit int) []result {
	type indexed struct {
		i int
		result
	}
	ch := make(chan indexed, len(r.all)) // late results are for the garbage collector
	results := make([]result, len(r.all))
	running := 0
	for i, c := range r.all {
		results[i].err, results[i].duration = errTimeout, timeout
		if !c.busy.CompareAndSwap(false, true) {
			continue
		}
		running++
		r.wg.Go(func() {
			out := c.run(limit)
			c.busy.Store(false)
			ch <- indexed{i, out}
		})
	}
	wait := time.NewTimer(timeout)
	defer wait.Stop()
	for range running {
		select {
		case out := <-ch:
			results[out.i] = out.result
		case <-wait.C:
			return results
		case <-stop:
			return results
		}
	}
	return results
}

// cut leaves out the collectors with most series until at most limit series are left, and returns the number left out.
func cut(results []result, limit int) int {
	total, left := 0, 0
	order := make([]int, len(results))
	for i := range results {
		order[i] = i
		total += len(results[i].metrics)
		left += results[i].left
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(results[b].metrics) - len(results[a].metrics) })
	for _, i := range order {
		if total <= limit {
			break
		}
		n := len(results[i].metrics)
		total -= n
		left += n
		results[i].tooMany()
	}
	return left
}

// newRunners makes the enabled collectors; the settings of the process have to be set.
func newRunners(c *Config, construct func(name string) (nodeCollector, error)) (*runners, error) {
	out := &runners{}
	var errs []error
	for name := range collectors {
		if !c.enabled(name) {
			continue
		}
		col, err := construct(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("collectors::%s: %w", name, err))
			continue
		}
		out.all = append(out.all, &runner{name: name, collector: col})
	}
	slices.SortFunc(out.all, func(a, b *runner) int { return strings.Compare(a.name, b.name) })
	return out, errors.Join(errs...)
}
