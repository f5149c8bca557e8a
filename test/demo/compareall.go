// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/k0rdent/kof/test/demo/compare"
	"github.com/k0rdent/kof/test/demo/found"
	"github.com/k0rdent/kof/test/demo/truth"
)

// comparison is the result for all signals of all regions.
type comparison struct {
	rows map[truth.Key]compare.Row
	host hostComparison
}

// hostComparison compares this machine's metrics by number, because their samples are made inside the agent: the points
// that the receiver counted against the samples stored up to the moment at which it had counted them.
type hostComparison struct {
	received, stored, misplaced int
}

func (h hostComparison) missing() int { return max(0, h.received-h.stored) }

func (h hostComparison) ok() bool { return h.stored == h.received && h.misplaced == 0 }

// missing returns how many records are missing in all.
func (c comparison) missing() int {
	n := c.host.missing()
	for _, row := range c.rows {
		n += row.Missing.Count
	}
	return n
}

// hostCut is a moment up to which the receiver of this machine's metrics has counted everything.
type hostCut struct {
	at       time.Time
	received int
}

// foundIDs are identifiers by region, with how often each is stored.
type foundIDs = map[string]map[string]int

// compareAll reads all backends. Forgotten holds the spans that a Jaeger held when it was ended, and nothing else knows.
func (s *stack) compareAll(ctx context.Context, cut hostCut, forgotten foundIDs) (comparison, error) {
	sent := map[truth.Signal]map[string]truth.Record{}
	got := map[truth.Signal]foundIDs{truth.Metrics: {}, truth.Logs: {}, truth.Traces: {}}
	for _, signal := range truth.Signals() {
		sent[signal] = s.truth.Records(signal)
	}
	c := comparison{rows: map[truth.Key]compare.Row{}, host: hostComparison{received: cut.received}}
	for _, r := range regions {
		servers := s.regions[r.name]
		series, err := found.Samples(ctx, servers.Metrics, s.allMetricSources())
		if err != nil {
			return comparison{}, err
		}
		got[truth.Metrics][r.name] = s.samples.IDs(series, sent[truth.Metrics])
		if got[truth.Logs][r.name], err = found.LogIDs(ctx, servers.Logs); err != nil {
			return comparison{}, err
		}
		if got[truth.Traces][r.name], err = s.storedSpans(ctx, r.name); err != nil {
			return comparison{}, err
		}
		for id, n := range forgotten[r.name] {
			got[truth.Traces][r.name][id] += n
		}
		host, err := found.HostCountUntil(ctx, servers.Metrics, cut.at)
		if err != nil {
			return comparison{}, err
		}
		if r.name == homeRegion {
			c.host.stored = host
		} else {
			c.host.misplaced += host
		}
	}
	for _, signal := range truth.Signals() {
		for region, row := range compare.Signal(sent[signal], got[signal]) {
			c.rows[truth.Key{Region: region, Signal: signal}] = row
		}
	}
	return c, nil
}

// storedSpans returns the spans of all services that the region's Jaeger holds.
func (s *stack) storedSpans(ctx context.Context, region string) (map[string]int, error) {
	own, others := s.tracedServices(region)
	return found.SpanIDs(ctx, s.regions[region].Traces, append(own, others...), s.begin.Add(-time.Minute))
}
