// SPDX-License-Identifier: Apache-2.0

// Command load measures what the region exporter costs and how it holds up, on real servers and beside stock components:
//
//	load agent     CPU and memory of a whole node agent under mixed load, beside stock components
//	load wire      bytes and CPU per sample on what a node agent scrapes, beside vmagent and stock components
//	load logs      bytes and CPU per line of container logs, beside vlagent and stock components
//	load routing   CPU and allocations per record, beside one plain exporter
//	load bulkhead  what a broken region does to another one's throughput and latency
//	load memory    memory with a backlog for a dead region
//	load drain     how fast a backlog is delivered, and whether the disk is given back, beside stock components
//
// `load NAME -h` lists the options. README.md tells what each measures and how to read its table.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/k0rdent/kof/test/load/stock"
	"github.com/k0rdent/kof/test/load/tap"
)

// benchmarks are the commands.
var benchmarks = map[string]func(context.Context, *bench) error{
	"agent": agent, "wire": wire, "logs": logs, "routing": routing, "bulkhead": bulkhead, "memory": memory, "drain": drain,
}

// Commands that the program runs itself by, so that what they use can be told from what is measured.
const (
	commandStock = "stock-collector" // with the path of a configuration
	commandTap   = "tap"             // with an address
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, cancel := endWithParent(ctx)
	err := run(ctx, os.Args[1:])
	cancel()
	stop()
	var usage *usageError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintf(os.Stderr, "load: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 2 {
		switch args[0] {
		case commandStock:
			return stock.Run(ctx, args[1])
		case commandTap:
			return runTap(ctx, args[1])
		}
	}
	o, err := parseOptions(args, os.Stderr)
	if err != nil {
		return err
	}
	b, err := newBench(o)
	if err != nil {
		return err
	}
	began := time.Now()
	err = benchmarks[o.command](ctx, b)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	err = errors.Join(err, b.end())
	fmt.Fprintf(os.Stderr, "%s took %s\n", o.command, time.Since(began).Round(time.Second))
	return err
}

// runTap is a tap that takes everything itself, in a process of its own, and ends with ctx.
func runTap(ctx context.Context, address string) error {
	t, err := tap.Listen(address, "")
	if err != nil {
		return err
	}
	<-ctx.Done()
	return t.Close()
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
