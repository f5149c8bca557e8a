// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/k0rdent/kof/test/load/exposition"
)

// count looks for all that was sent until it is there, or has had its time.
func (r *agentRun) count(ctx context.Context, res *agentResult) error {
	for began := time.Now(); ; {
		if err := r.look(ctx, res); err != nil {
			return err
		}
		if res.complete() == nil || time.Since(began) > agentDeliver {
			return nil
		}
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}

func (r *agentRun) look(ctx context.Context, res *agentResult) (err error) {
	if res.arrived.lines, res.enrichedLogs, err = r.countLines(ctx); err != nil {
		return err
	}
	if res.arrived.lines < res.sent.lines { // the rest takes longer to count
		return nil
	}
	if res.arrived.samples, err = r.countSamples(ctx); err != nil {
		return err
	}
	res.arrived.spans, res.enrichedTraces, err = r.countSpans(ctx)
	return err
}

// countLines counts different lines, and all that say which Deployment they are of.
func (r *agentRun) countLines(ctx context.Context) (lines, enriched int, err error) {
	logs := r.stores["logs"]
	if err := logs.Flush(ctx); err != nil {
		return 0, 0, err
	}
	rows, err := logs.LogsQuery(ctx, "* | stats count_uniq_hash(_msg) as lines", 0)
	if err != nil || len(rows) != 1 {
		return 0, 0, fmt.Errorf("%s: %d rows of counts: %w", r.title, len(rows), err)
	}
	if lines, err = strconv.Atoi(rows[0]["lines"]); err != nil {
		return 0, 0, err
	}
	enriched, err = logs.LogsCount(ctx, `"k8s.deployment.name":=checkout`)
	return lines, enriched, err
}

// countSamples counts the samples of the pods' pages that are stored under the pod's name, pod by pod: all series at once would be more
// than a query may touch.
func (r *agentRun) countSamples(ctx context.Context) (int, error) {
	metrics := r.stores["metrics"]
	if err := metrics.Flush(ctx); err != nil {
		return 0, err
	}
	label := "pod"
	if r.name == "stock" {
		label = "k8s_pod_name" // as its exporter writes the attribute
	}
	sum := 0
	for _, pod := range r.pods {
		samples, err := metrics.Query(ctx, fmt.Sprintf(`sum(count_over_time({__name__=~"%s.*",%s=%q}[1h]))`, exposition.ServicePrefix, label, pod.name))
		if err != nil {
			return 0, err
		}
		for _, s := range samples {
			sum += int(s.Value)
		}
	}
	return sum, nil
}

// countSpans counts different spans, and those of them that say which pod they are of.
func (r *agentRun) countSpans(ctx context.Context) (spans, enriched int, err error) {
	const traces = 100_000 // more than there are
	for i, pod := range r.pods[:agentSpanSenders] {
		all, err := r.stores["traces"].Traces(ctx, serviceOf(i), traces, time.Time{}, time.Time{})
		if err != nil {
			return 0, 0, err
		}
		seen := map[string]bool{}
		for _, t := range all {
			for _, s := range t.Spans {
				if id := t.ID + s.ID; !seen[id] {
					seen[id] = true
					if s.ProcessTags["k8s.pod.name"] == pod.name {
						enriched++
					}
				}
			}
		}
		spans += len(seen)
	}
	return spans, enriched, nil
}
