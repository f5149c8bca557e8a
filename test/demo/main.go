// SPDX-License-Identifier: Apache-2.0

// Demo runs the whole main job on one machine: two regions of real backends, one agent, and real input. It shows a live
// table, or, with -check, compares what was sent with what is stored and says by its exit status whether it is the same.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/k0rdent/kof/test/demo/table"
	"github.com/k0rdent/kof/test/demo/truth"
	"github.com/k0rdent/kof/test/toolcache"
)

type options struct {
	check, outage, keep bool
	agent               string
	duration, back      time.Duration
}

func main() {
	var o options
	flag.BoolVar(&o.check, "check", false, "run for -duration without a terminal, compare, and exit 0 only if nothing is missing or misplaced")
	flag.BoolVar(&o.outage, "outage", false, "with -check: end one region's backends for a while in between")
	flag.BoolVar(&o.keep, "keep", false, "keep the run's files")
	flag.StringVar(&o.agent, "agent", "bin/kof-otelcol", "the agent's binary, relative to the repository")
	flag.DurationVar(&o.duration, "duration", time.Minute, "with -check: how long the sources run")
	flag.DurationVar(&o.back, "back", 20*time.Second, "without -check: when a killed backend is started again")
	flag.Parse()
	if err := o.validate(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	passed, err := run(o)
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(os.Stderr, "demo: %v\n", err)
	}
	if err != nil || !passed {
		os.Exit(1)
	}
}

func (o options) validate(args []string) error {
	var errs []error
	if len(args) > 0 {
		errs = append(errs, fmt.Errorf("unknown argument %q", args[0]))
	}
	if o.outage && !o.check {
		errs = append(errs, errors.New("-outage goes with -check"))
	}
	if o.duration < 10*time.Second || o.duration > time.Hour {
		errs = append(errs, fmt.Errorf("-duration %s: allowed are 10s to 1h", o.duration))
	}
	if o.back < time.Second {
		errs = append(errs, fmt.Errorf("-back %s: at least 1s", o.back))
	}
	return errors.Join(errs...)
}

func run(o options) (passed bool, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, cancel := endWithGoRun(ctx)
	defer cancel()

	root, err := findRoot()
	if err != nil {
		return false, err
	}
	binary := o.agent
	if !filepath.IsAbs(binary) {
		binary = filepath.Join(root, binary)
	}
	if _, err := os.Stat(binary); err != nil {
		return false, fmt.Errorf("the agent has not been built: %w; `make build` builds it", err)
	}
	dir, err := newRunDir(os.TempDir(), o.keep)
	if err != nil {
		return false, err
	}
	defer func() {
		err = errors.Join(err, dir.remove())
		if o.keep {
			fmt.Fprintf(os.Stderr, "kept %s\n", dir.path)
		}
	}()
	closeLog, err := logSDKErrors(dir)
	if err != nil {
		return false, err
	}
	defer closeLog()

	ids := 0
	if o.check {
		ids = maxIDs
	}
	if err := buildBackends(ctx, os.Stderr); err != nil {
		return false, err
	}
	began := time.Now()
	fmt.Fprintln(os.Stderr, "starting two regions and an agent")
	s, err := startStack(ctx, root, binary, dir, truth.New(ids), os.Stderr)
	if err != nil {
		return false, err
	}
	defer func() {
		stop() // a second Ctrl-C ends the demo at once
		if !o.check {
			fmt.Fprintln(os.Stderr, "stopping")
		}
		err = errors.Join(err, s.stopSources(), s.stop())
	}()
	w := startWatch(ctx, s)
	defer w.stop()
	l := &live{stack: s, watch: w, screen: table.NewScreen(os.Stdout), began: began}
	if o.check {
		return runCheck(ctx, o, s, l, os.Stdout)
	}
	l.returner = startReturner(ctx, s.servers(), o.back)
	defer l.returner.stop()
	if err := l.firstTable(ctx); err != nil {
		return false, err
	}
	return true, l.run(ctx)
}

func runCheck(ctx context.Context, o options, s *stack, l *live, out io.Writer) (bool, error) {
	l.screen = table.NewPlainScreen(out)
	if err := l.firstTable(ctx); err != nil {
		return false, err
	}
	fmt.Fprintf(out, "first row after %.1f s\n", l.firstRow.Seconds())
	c := &checker{stack: s, live: l, out: out, duration: o.duration, outage: o.outage}
	v, err := c.run(ctx)
	if err != nil {
		return false, err
	}
	return v.print(out, l.firstRow, time.Since(l.began)), nil
}

// buildBackends builds the servers that this machine has not built before, one after the other, because one build uses all
// cores. Progress tells how long that takes.
func buildBackends(ctx context.Context, progress io.Writer) error {
	for _, tool := range toolcache.Tools() {
		if !tool.Default {
			continue
		}
		if _, err := toolcache.Binary(ctx, tool.Name, progress); err != nil {
			return err
		}
	}
	return nil
}

// logSDKErrors has the OpenTelemetry SDK write to a file what it would write over the table.
func logSDKErrors(dir *runDir) (closeLog func(), err error) {
	f, err := os.Create(dir.join("sdk.log"))
	if err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		fmt.Fprintf(f, "%s %v\n", time.Now().Format(time.RFC3339Nano), err)
	}))
	return func() { _ = f.Close() }, nil
}
