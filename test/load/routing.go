// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
)

const (
	// maxRoutingCPU is how much CPU time routing may add to one plain exporter, in percent.
	maxRoutingCPU = 3

	routingRegions = 10
	// Each batch has so many resources and records of each.
	batchResources = 10
	batchRecords   = 100
)

// contender is one way from a pipeline to a backend.
type contender struct {
	name string
	// regions is how many the directory has; 0: a plain exporter.
	regions int
	// batches says that a plain exporter gathers batches behind its queue, as the region exporter does.
	batches bool
	// mixed says that each batch has resources of all regions, not all of one.
	mixed bool
}

var contenders = []contender{
	{name: "plain, sends as it comes"},
	{name: "plain, gathers batches", batches: true},
	{name: "1 region", regions: 1},
	{name: "10 regions, a batch for one", regions: routingRegions},
	{name: "10 regions, a batch for all", regions: routingRegions, mixed: true},
}

// routed is what has to keep to the target, and plain how many contenders, the first ones, it is compared with.
const (
	routed = 3
	plain  = 2
)

// cost is what a contender used for a round.
type cost struct {
	cpu    float64 // ns per record
	allocs float64 // per record
}

// routing runs the region exporter and a plain exporterhelper exporter in this process, one after the other again and again, on the same
// data, and compares the CPU time and the allocations from Consume to the last answer of the backend, which runs in another process.
func routing(ctx context.Context, b *bench) error {
	rounds, batches := 11, 100
	if b.short {
		rounds, batches = 5, 50
	}
	sink, err := b.startTapProcess(ctx)
	if err != nil {
		return err
	}
	rows := [][]string{{"signal", "exporter", "CPU ns/record", "of plain", "allocations/record"}}
	added := map[string]float64{}
	signals := []string{"logs", "metrics", "traces"}
	for _, signal := range signals {
		costs := make([][]cost, len(contenders))
		var running []*runningExporter
		for i, c := range contenders {
			r, err := b.startExporter(ctx, signal, fmt.Sprintf("%s-%d", signal, i), c, sink)
			if err != nil {
				return err
			}
			running = append(running, r)
		}
		// The first round fills caches and pools.
		for round := range rounds + 1 {
			for _, i := range rotated(len(contenders), round) {
				profiled, err := b.ownProfile(fmt.Sprintf("routing-%s-%d", signal, i))
				if err != nil {
					return err
				}
				used, err := running[i].round(ctx, contenders[i], batches)
				if err = errors.Join(err, profiled()); err != nil {
					return fmt.Errorf("%s, %s: %w", signal, contenders[i].name, err)
				}
				if round > 0 {
					costs[i] = append(costs[i], used)
				}
			}
		}
		for _, r := range running {
			if err := r.end(ctx); err != nil {
				return err
			}
		}
		base := median(costs[0]).cpu
		for _, other := range costs[1:plain] {
			base = min(base, median(other).cpu) // the cheaper one
		}
		for i, c := range contenders {
			m := median(costs[i])
			rows = append(rows, []string{signal, c.name, fmt.Sprintf("%.0f", m.cpu), ratio(m.cpu, base), fmt.Sprintf("%.2f", m.allocs)})
		}
		added[signal] = change(base, median(costs[routed]).cpu)
	}
	if err := printTable(b.out, rows); err != nil {
		return err
	}
	for _, signal := range signals {
		b.target(signal+": CPU of the region exporter with 10 regions above a plain exporter's", added[signal], maxRoutingCPU, "%")
	}
	return nil
}

// rotated returns 0 to n-1, beginning elsewhere in each round, so that none always comes after the same one.
func rotated(n, round int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = (i + round) % n
	}
	return order
}

func median(costs []cost) cost {
	pick := func(of func(cost) float64) float64 {
		values := make([]float64, len(costs))
		for i, c := range costs {
			values[i] = of(c)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return cost{cpu: pick(func(c cost) float64 { return c.cpu }), allocs: pick(func(c cost) float64 { return c.allocs })}
}

// ownProfile begins to profile this process's CPU time into the folder for profiles, if there is one, until end is called.
func (b *bench) ownProfile(name string) (end func() error, err error) {
	if b.profiles == "" {
		return func() error { return nil }, nil
	}
	if err := os.MkdirAll(b.profiles, 0o755); err != nil {
		return nil, err
	}
	f, err := os.Create(filepath.Join(b.profiles, name+".pprof"))
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// startTapProcess starts a tap that takes everything, in a process of its own, and returns its base URL.
func (b *bench) startTapProcess(ctx context.Context) (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	return b.startTapOn(ctx, fmt.Sprintf("127.0.0.1:%d", port))
}
