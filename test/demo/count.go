// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"time"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/demo/found"
	"github.com/k0rdent/kof/test/demo/truth"
)

// hostReceiver is the receiver of this machine's metrics in host.yaml.
const hostReceiver = "hostmetrics"

// servers returns the backend of each region and signal.
func (s *stack) servers() map[truth.Key]*backends.Server {
	out := map[truth.Key]*backends.Server{}
	for name, region := range s.regions {
		out[truth.Key{Region: name, Signal: truth.Metrics}] = region.Metrics
		out[truth.Key{Region: name, Signal: truth.Logs}] = region.Logs
		out[truth.Key{Region: name, Signal: truth.Traces}] = region.Traces
	}
	return out
}

// count reads how much the backend of a region and signal holds: of the region's own records, and of others'.
func (s *stack) count(ctx context.Context, key truth.Key) (reading, error) {
	switch key.Signal {
	case truth.Metrics:
		return s.countSamples(ctx, key.Region)
	case truth.Logs:
		return s.countLines(ctx, key.Region)
	default:
		return s.countSpans(ctx, key.Region)
	}
}

func (s *stack) countSamples(ctx context.Context, region string) (reading, error) {
	server := s.regions[region].Metrics
	counts, err := found.SampleCounts(ctx, server, s.samples.Names(), s.allMetricSources(), s.begin)
	if err != nil {
		return reading{}, err
	}
	host, err := found.HostCount(ctx, server, s.begin)
	if err != nil {
		return reading{}, err
	}
	own, others := sumOf(counts, s.metricSources(region))
	if region == homeRegion {
		return reading{found: own + host, wrong: others, read: true}, nil
	}
	return reading{found: own, wrong: others + host, read: true}, nil
}

func (s *stack) countLines(ctx context.Context, region string) (reading, error) {
	counts, err := found.LogCounts(ctx, s.regions[region].Logs)
	if err != nil {
		return reading{}, err
	}
	var names []string
	for _, pod := range pods {
		if pod.Region == region {
			names = append(names, pod.Source().Name)
		}
	}
	own, others := sumOf(counts, names)
	return reading{found: own, wrong: others, read: true}, nil
}

// countSpans reads back to the oldest span that has not been found yet.
func (s *stack) countSpans(ctx context.Context, region string) (reading, error) {
	server, pending := s.regions[region].Traces, s.pending[region]
	own, others := s.tracedServices(region)
	since, ok := pending.Oldest()
	if !ok {
		since = time.Now()
	}
	ids, err := found.SpanIDs(ctx, server, own, since.Add(-time.Second))
	if err != nil {
		return reading{}, err
	}
	pending.Found(ids)
	misplaced, err := found.SpanIDs(ctx, server, others, s.begin)
	if err != nil {
		return reading{}, err
	}
	n, _ := pending.Count()
	return reading{found: n, wrong: int64(len(misplaced)), read: true}, nil
}

// tracedServices returns the services whose spans belong to the region, and those whose spans do not.
func (s *stack) tracedServices(region string) (own, others []string) {
	for _, cfg := range s.configs {
		if cfg.Region == region {
			own = append(own, cfg.TraceSource().Name)
		} else {
			others = append(others, cfg.TraceSource().Name)
		}
	}
	return own, others
}
