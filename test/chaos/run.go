// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/k0rdent/kof/test/chaos/collector"
	"github.com/k0rdent/kof/test/chaos/load"
	"github.com/k0rdent/kof/test/chaos/stores"
	"github.com/k0rdent/kof/test/faultproxy"
)

const (
	perRequest   = 20
	sendInterval = 40 * time.Millisecond
)

// run is one collector in one cell.
type run struct {
	*world
	options
	name string // of its records
	kind collector.Kind
	dir  string
	rng  *rand.Rand
	base time.Time

	settings  collector.Settings
	collector *collector.Collector
	senders   []*load.Sender
	// kills is how often the collector was killed with data under way.
	kills  int
	lostAt map[load.Lane]int64 // answers that the proxies had lost when the run began
	// keepFaults says that the faults in force are to stay until all is delivered.
	keepFaults bool
	may        allowance
	check      func(*facts) // of the cell, beside what every cell is judged by
	problems   []string
	notes      []string
	atEnd      []func() error
}

func newRun(o options, w *world, dir, cell string, kind collector.Kind) (*run, error) {
	r := &run{
		world: w, options: o, name: fmt.Sprintf("%s-%s", cell, kind), kind: kind, dir: filepath.Join(dir, fmt.Sprintf("%s-%s", cell, kind)),
		rng: o.randomOf(cell), base: time.Now().Truncate(time.Millisecond), lostAt: map[load.Lane]int64{},
	}
	for _, p := range w.places {
		for signal, proxy := range p.proxies {
			r.lostAt[load.Lane{Region: p.name, Signal: signal}] = proxy.Counts().Lost
		}
	}
	return r, os.MkdirAll(filepath.Dir(r.directoryPath()), 0o700)
}

// pick returns the value for the form that runs.
func pick[T any](r *run, short, long T) T {
	if r.short {
		return short
	}
	return long
}

func (r *run) problem(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}
func (r *run) note(format string, args ...any) {
	r.notes = append(r.notes, fmt.Sprintf(format, args...))
}

// between returns a random duration.
func (r *run) between(low, high time.Duration) time.Duration {
	return low + time.Duration(r.rng.Int64N(int64(high-low)))
}

// directoryPath is in a folder of its own: a collector watches the folder.
func (r *run) directoryPath() string { return filepath.Join(r.dir, "directory", "regions.yaml") }

// start starts the collector with the first two regions, and what change makes of the settings.
func (r *run) start(ctx context.Context, change func(*collector.Settings)) error {
	r.settings = collector.Settings{
		Storage: r.storage, QueueDir: filepath.Join(r.dir, "queue"), Directory: r.directoryPath(),
		QueueBytes: 1 << 30,
		Regions:    []collector.Region{r.places[first].endpoints(), r.places[other].endpoints()},
	}
	if change != nil {
		change(&r.settings)
	}
	if _, err := os.Stat(r.settings.Directory); errors.Is(err, os.ErrNotExist) {
		if err := r.directoryOf(first, other).write(r.settings.Directory); err != nil {
			return err
		}
	}
	var err error
	if r.settings.OTLPPort, r.settings.MetricsPort, err = freePorts(); err != nil {
		return err
	}
	config, err := r.kind.Config(r.settings)
	if err != nil {
		return err
	}
	r.collector = &collector.Collector{
		Binary: r.binaries[r.kind], Config: filepath.Join(r.dir, "config.yaml"), Log: filepath.Join(r.dir, "collector.log"),
		OTLP:   fmt.Sprintf("http://127.0.0.1:%d", r.settings.OTLPPort),
		Metric: fmt.Sprintf("http://127.0.0.1:%d/metrics", r.settings.MetricsPort),
	}
	if err := os.WriteFile(r.collector.Config, config, 0o600); err != nil {
		return err
	}
	return r.collector.Start(ctx)
}

// kill ends the collector by SIGKILL.
func (r *run) kill() {
	r.kills++
	r.collector.Kill()
}

// stream returns the records of a lane.
func (r *run) stream(l load.Lane) load.Stream {
	return load.Stream{Lane: l, Run: r.name, Base: r.base, PerRequest: perRequest}
}

// send begins to send records of all signals for the regions.
func (r *run) send(change func(*load.Stream), regions ...string) {
	for _, region := range regions {
		for _, signal := range load.Signals() {
			s := r.stream(load.Lane{Region: region, Signal: signal})
			if change != nil {
				change(&s)
			}
			r.senders = append(r.senders, load.Start(r.collector.OTLP, s, sendInterval))
		}
	}
}

// stopSending ends all senders.
func (r *run) stopSending() {
	for _, s := range r.senders {
		s.Stop()
	}
}

// sendersOf returns the senders of a region.
func (r *run) sendersOf(region string) []*load.Sender {
	var of []*load.Sender
	for _, s := range r.senders {
		if s.Region == region {
			of = append(of, s)
		}
	}
	return of
}

// end ends all of the run that still runs.
func (r *run) end() error {
	r.stopSending()
	err := r.heal()
	if r.collector != nil {
		r.collector.Kill()
	}
	for _, f := range r.atEnd {
		err = errors.Join(err, f())
	}
	return err
}

// laneFacts returns what was sent, lane by lane.
func (r *run) laneFacts(switches map[load.Lane]int64) ([]laneFacts, error) {
	var all []laneFacts
	for _, s := range r.senders {
		report := s.Report()
		size, err := s.MinRecordSize()
		if err != nil {
			return nil, err
		}
		batch := max(s.PerRequest, collector.BatchBytes/size)
		interrupted := (r.kills + int(switches[s.Lane])) * collector.Senders
		for _, p := range r.places {
			if p.name == s.Region || p.name == r.may.standIn && s.Region == first {
				lane := load.Lane{Region: p.name, Signal: s.Signal}
				interrupted += int(p.proxies[s.Signal].Counts().Lost - r.lostAt[lane])
			}
		}
		l := laneFacts{
			Lane: s.Lane, begun: report.Requests * s.PerRequest, acknowledged: len(report.Acks) * s.PerRequest,
			uncertain: report.Unanswered * s.PerRequest, twice: interrupted*batch + report.Unanswered*s.PerRequest,
		}
		if s.PoisonEvery > 0 {
			l.poisoned = s.Poisoned
		}
		all = append(all, l)
	}
	return all, nil
}

// read reads what all stores hold of the run.
func (r *run) read(ctx context.Context) (map[string]stores.Found, error) {
	requests := 0
	for _, s := range r.senders {
		requests = max(requests, s.Report().Requests)
	}
	found := map[string]stores.Found{}
	for name, p := range r.places {
		f, err := stores.Read(ctx, p.servers, stores.Range{Stream: r.stream(load.Lane{}), Requests: requests})
		if err != nil {
			return nil, err
		}
		found[name] = f
	}
	return found, nil
}

// fault puts a fault in force at the first region.
func (r *run) fault(f faultproxy.Fault) error { return r.places[first].set(f) }
