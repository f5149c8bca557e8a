// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	// What an agent may hold, in MB of 10^6 bytes, and use beside a collector of stock components.
	maxIdleMB        = 150
	maxLoadedMB      = 300
	maxAgentCPU      = 1.0
	agentSampleRate  = 5000 // scraped in a second
	agentSpanRate    = 1000
	agentSpanSenders = 20 // pods
	agentLogPods     = 50 // pods that log, together at steadyRate
	agentPods        = 110
)

// agentResult is what one collector did in one round.
type agentResult struct {
	idle           int64 // bytes resident before the load
	idleCores      float64
	peak           int64 // bytes resident under load
	peakAnonymous  int64
	cores          float64
	wire           int64 // bytes to the stores
	sent, arrived  counts
	enrichedLogs   int
	enrichedTraces int
}

// counts is records by signal.
type counts struct{ lines, samples, spans int }

// agent runs a whole node agent on a simulated node, with its shipped configuration, under logs, scrapes and spans at steady rates; and
// beside it, one after the other in turns, a collector of stock components with the same inputs, enrichment and stores.
func agent(ctx context.Context, b *bench) error {
	if b.interval == 0 {
		b.interval = 30 * time.Second
		if b.short {
			b.interval = 10 * time.Second
		}
	}
	if b.rounds == 0 {
		b.rounds = 3
		if b.short {
			b.rounds = 1
		}
	}
	w, err := b.startAgentWorld(ctx)
	if err != nil {
		return err
	}
	names := []string{"kof", "stock"}
	if !b.stock {
		names = names[:1]
	}
	results := map[string][]agentResult{}
	for round := range b.rounds {
		for _, i := range rotated(len(names), round) {
			r, err := w.run(ctx, names[i], fmt.Sprintf("%s-%d", names[i], round+1))
			if err != nil {
				return fmt.Errorf("%s, round %d: %w", names[i], round+1, err)
			}
			results[names[i]] = append(results[names[i]], r)
		}
	}
	return b.reportAgent(names, results)
}

func (b *bench) reportAgent(names []string, results map[string][]agentResult) error {
	rows := [][]string{{"collector", "round", "cores", "idle cores", "idle RSS MB", "peak RSS MB", "peak anonymous MB", "wire MB", "lines", "samples", "spans", "arrived"}}
	var failed error
	for _, name := range names {
		for i, r := range results[name] {
			arrived := "all"
			if err := r.complete(); err != nil {
				arrived = "NOT ALL"
				failed = errors.Join(failed, fmt.Errorf("%s, round %d: %w", name, i+1, err))
			}
			rows = append(rows, []string{
				name, fmt.Sprint(i + 1), fmt.Sprintf("%.3f", r.cores), fmt.Sprintf("%.3f", r.idleCores), mb(r.idle), mb(r.peak), mb(r.peakAnonymous), mb(r.wire),
				fmt.Sprint(r.sent.lines), fmt.Sprint(r.sent.samples), fmt.Sprint(r.sent.spans), arrived,
			})
		}
	}
	if err := printTable(b.out, rows); err != nil {
		return err
	}
	kof := results["kof"]
	b.target("resident memory when idle", worst(kof, func(r agentResult) float64 { return float64(r.idle) / 1e6 }), maxIdleMB, "MB")
	b.target(fmt.Sprintf("resident memory at %d lines, %d samples and %d spans a second", steadyRate, agentSampleRate, agentSpanRate),
		worst(kof, func(r agentResult) float64 { return float64(r.peak) / 1e6 }), maxLoadedMB, "MB")
	if b.stock {
		cores := func(r agentResult) float64 { return r.cores }
		b.target("CPU, of stock's", middleOf(kof, cores)/middleOf(results["stock"], cores), maxAgentCPU, "times")
	}
	return failed
}

// complete returns an error that says what did not arrive as it was sent.
func (r agentResult) complete() error {
	var errs []error
	for _, one := range []struct {
		what          string
		sent, arrived int
	}{
		{"lines", r.sent.lines, r.arrived.lines}, {"samples", r.sent.samples, r.arrived.samples}, {"spans", r.sent.spans, r.arrived.spans},
		{"lines with their Deployment's name", r.sent.lines, r.enrichedLogs}, {"spans with their pod's name", r.sent.spans, r.enrichedTraces},
	} {
		if one.sent != one.arrived {
			errs = append(errs, fmt.Errorf("%d %s of %d arrived", one.arrived, one.what, one.sent))
		}
	}
	return errors.Join(errs...)
}

func worst(all []agentResult, of func(agentResult) float64) float64 {
	most := 0.0
	for _, r := range all {
		most = max(most, of(r))
	}
	return most
}

func middleOf(all []agentResult, of func(agentResult) float64) float64 {
	values := make([]float64, len(all))
	for i, r := range all {
		values[i] = of(r)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func mb(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/1e6) }
