// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/k0rdent/kof/test/chaos/collector"
	"github.com/k0rdent/kof/test/toolcache"
)

func main() {
	o, err := parseOptions(os.Args[1:], os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if o.list {
		printCells(os.Stdout, o.cells)
		return
	}
	if err := enterPrivateMounts(); err != nil {
		fmt.Fprintf(os.Stderr, "chaos: %v\n", err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := endWithParent(ctx)
	passed, err := chaos(ctx, o)
	if ctx.Err() != nil {
		err = context.Cause(ctx) // what it was in the middle of is of no interest
	}
	cancel()
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "chaos: %v\n", err)
	}
	if err != nil || !passed {
		os.Exit(1)
	}
}

var errParentEnded = errors.New("the process that started this one has ended")

// endWithParent returns a context that also ends with the parent: `go run` and `make` pass no other signal on than Ctrl-C.
func endWithParent(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	parent := os.Getppid()
	go func() {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if os.Getppid() != parent {
					cancel(errParentEnded)
					return
				}
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

// chaos runs the cells and says whether kof-otelcol passed all.
func chaos(ctx context.Context, o options) (passed bool, err error) {
	dir, err := newRunDir(os.TempDir())
	if err != nil {
		return false, err
	}
	defer func() {
		if o.keep {
			err = errors.Join(err, dir.keep())
			fmt.Fprintf(os.Stderr, "kept %s\n", dir.path)
			return
		}
		err = errors.Join(err, dir.remove())
	}()
	if slices.Contains(o.kinds, collector.Stock) {
		if o.binaries[collector.Stock], err = toolcache.Binary(ctx, "stock-otelcol", os.Stderr); err != nil {
			return false, err
		}
	}
	fmt.Printf("seed %d, storage %s, %s form\n", o.seed, o.storage, o.form())
	began := time.Now()
	fmt.Fprintln(os.Stderr, "starting the backends of three regions")
	w, err := startWorld(ctx, dir.path, os.Stderr)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, w.stop()) }()

	var rows []row
	for _, c := range o.cells {
		for _, kind := range o.kinds {
			one := runCell(ctx, o, w, dir.path, c, kind)
			if ctx.Err() != nil {
				return false, context.Cause(ctx)
			}
			rows = append(rows, one)
			fmt.Fprintf(os.Stderr, "%s\n", one.line())
		}
	}
	printTable(os.Stdout, rows)
	failed := 0
	for _, one := range rows {
		if one.failed() {
			failed++
		}
	}
	fmt.Printf("%d of %d cells of kof failed, in %s; seed %d\n", failed, countKOF(rows), time.Since(began).Round(time.Second), o.seed)
	return failed == 0, nil
}

// runCell puts one collector into one cell.
func runCell(ctx context.Context, o options, w *world, dir string, c cell, kind collector.Kind) row {
	one := row{cell: c.name, kind: kind}
	if kind == collector.Stock && c.kofOnly != "" {
		one.skipped = c.kofOnly
		return one
	}
	began := time.Now()
	r, err := newRun(o, w, dir, c.name, kind)
	if err == nil {
		err = c.act(ctx, r)
	}
	if err == nil {
		one.result, err = r.finish(ctx)
	}
	var skip skipped
	if errors.As(err, &skip) {
		one.skipped, err = string(skip), nil
	}
	if err != nil && r.collector != nil {
		err = fmt.Errorf("%w; the collector's log ends with:\n%s", err, r.collector.LogTail(1000))
	}
	if r != nil {
		err = errors.Join(err, r.end())
		one.notes = r.notes
	}
	one.err, one.took = err, time.Since(began)
	return one
}
