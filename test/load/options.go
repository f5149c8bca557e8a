// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The types of storage extension that kof-otelcol's queues can be in.
const (
	queueStorage = "queue_storage"
	fileStorage  = "file_storage"
)

// options are what the command line says.
type options struct {
	command   string
	short     bool
	keep      bool
	strict    bool
	storage   string
	collector string
	profiles  string
	duration  time.Duration
	backlog   int64 // bytes
	sink      bool
	targets   []string
	stock     bool
	rounds    int
	interval  time.Duration
}

// usageError is a command line that can't be obeyed.
type usageError struct{ error }

func parseOptions(args []string, usage io.Writer) (options, error) {
	var o options
	if len(args) == 0 || benchmarks[args[0]] == nil {
		return o, &usageError{fmt.Errorf("usage: load %s [options]; -h lists them", strings.Join(slices.Sorted(maps.Keys(benchmarks)), "|"))}
	}
	o.command = args[0]
	flags := flag.NewFlagSet("load "+o.command, flag.ContinueOnError)
	flags.SetOutput(usage)
	flags.BoolVar(&o.short, "short", false, "at most about a minute, with less certain figures")
	flags.BoolVar(&o.keep, "keep", false, "keep the run's folder: configurations, logs, queues")
	flags.BoolVar(&o.strict, "strict", false, "fail when a target is missed")
	flags.StringVar(&o.storage, "storage", queueStorage, "type of the storage extension of the region exporter's queues: queue_storage or file_storage")
	flags.StringVar(&o.collector, "collector", "bin/kof-otelcol", "path of kof-otelcol")
	flags.StringVar(&o.profiles, "profiles", "", "folder to write CPU and heap profiles of the collectors to; profiling costs some CPU")
	flags.DurationVar(&o.duration, "for", 0, "how long each part measures; 0: what the benchmark thinks right")
	backlog := flags.Int64("backlog", 0, "MiB of backlog to build; 0: what the benchmark thinks right")
	targets := flags.String("targets", strings.Join(allTargets, ","), "wire: what to scrape")
	flags.BoolVar(&o.sink, "sink", false, "bulkhead, drain: send to a sink that only counts instead of a real store")
	flags.BoolVar(&o.stock, "stock", true, "agent, drain, logs: run other collectors too")
	flags.IntVar(&o.rounds, "rounds", 0, "agent: how often each collector runs; 0: what the benchmark thinks right")
	flags.DurationVar(&o.interval, "interval", 0, "agent: how often targets are scraped; 0: 30s, as shipped, or 10s in the short form")
	if err := flags.Parse(args[1:]); err != nil {
		return o, &usageError{err}
	}
	o.backlog = *backlog << 20
	var errs []error
	if flags.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unknown argument %q", flags.Arg(0)))
	}
	if o.storage != queueStorage && o.storage != fileStorage {
		errs = append(errs, fmt.Errorf("-storage %q: allowed are %s and %s", o.storage, queueStorage, fileStorage))
	}
	o.targets = strings.Split(*targets, ",")
	for _, t := range o.targets {
		if !slices.Contains(allTargets, t) {
			errs = append(errs, fmt.Errorf("-targets: found %q; allowed are %s", t, strings.Join(allTargets, ", ")))
		}
	}
	if o.duration < 0 || o.duration > time.Hour {
		errs = append(errs, fmt.Errorf("-for %s: allowed are 0 to 1h", o.duration))
	}
	if o.rounds < 0 || o.rounds > 100 {
		errs = append(errs, fmt.Errorf("-rounds %d: allowed are 0 to 100", o.rounds))
	}
	if o.interval != 0 && (o.interval < 5*time.Second || o.interval > 5*time.Minute) {
		errs = append(errs, fmt.Errorf("-interval %s: allowed are 5s to 5m", o.interval))
	}
	if o.backlog < 0 || o.backlog > 64<<30 {
		errs = append(errs, fmt.Errorf("-backlog %d: allowed are 0 to 65536", *backlog))
	}
	if o.command != "routing" {
		path, err := filepath.Abs(o.collector)
		if err == nil {
			_, err = os.Stat(path)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("-collector: %w; `make build` builds it", err))
		}
		o.collector = path
	}
	if err := errors.Join(errs...); err != nil {
		return o, &usageError{err}
	}
	return o, nil
}

// either returns the length of a measurement: what was asked for, else that of the short or the long form.
func (o options) either(short, long time.Duration) time.Duration {
	switch {
	case o.duration > 0:
		return o.duration
	case o.short:
		return short
	default:
		return long
	}
}
