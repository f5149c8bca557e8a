// SPDX-License-Identifier: Apache-2.0

package clusters

import (
	"context"
	"math"
	"time"

	"github.com/k0rdent/kof/internal/kofctl/promql"
)

// Held is what a cluster's agents hold on disk for their regions, as their last metrics said.
type Held struct {
	Items         int64 `json:"items"` // data points, log records and spans
	Bytes         int64 `json:"bytes"`
	OldestSeconds int64 `json:"oldest_seconds"` // age of the oldest held record
}

// Window is how far back a cluster is looked for that is silent now.
const Window = 24 * time.Hour

// identity of a series of the agents' own metrics: Promxy may have one of them from two regions for a while after a re-homing.
const identity = "cluster, clusterNamespace, instance, pod, job, region, signal"

const (
	heldItems = "sum by (cluster, clusterNamespace) (max by (" + identity + ") (otelcol_kof_region_held_items))"
	heldBytes = "sum by (cluster, clusterNamespace) (max by (" + identity + ") (otelcol_kof_region_held_bytes))"
	oldest    = "max by (cluster, clusterNamespace) (otelcol_kof_region_oldest_held_age)"
	seen      = "max by (cluster, clusterNamespace) (timestamp(otelcol_kof_region_held_items))"
	// A subquery, and so dearer: only where someone is silent.
	seenBefore = "max by (cluster, clusterNamespace) (max_over_time(timestamp(otelcol_kof_region_held_items)[24h:5m]))"
)

type name struct{ cluster, namespace string }

func (r *Report) measure(ctx context.Context, metrics promql.Config) error {
	ask := func(expression string) (map[name]float64, error) {
		samples, err := metrics.Query(ctx, expression, r.now)
		out := map[name]float64{}
		for _, s := range samples {
			n := name{s.Labels["cluster"], s.Labels["clusterNamespace"]}
			if old, known := out[n]; !known || s.Value > old {
				out[n] = s.Value
			}
		}
		return out, err
	}
	var answers [4]map[name]float64
	for i, expression := range []string{heldItems, heldBytes, oldest, seen} {
		var err error
		if answers[i], err = ask(expression); err != nil {
			return err
		}
	}
	names := map[string]int{} // how many clusters have one
	for _, c := range r.Clusters {
		names[c.Name]++
	}
	// Collectors that were not told their namespace are found by the name alone, if it is one cluster's.
	of := func(answer map[name]float64, c Cluster) (float64, bool) {
		v, found := answer[name{c.Name, c.Namespace}]
		if !found && names[c.Name] == 1 {
			v, found = answer[name{c.Name, ""}]
		}
		return v, found && !math.IsNaN(v)
	}
	var before map[name]float64
	for i := range r.Clusters {
		c := &r.Clusters[i]
		at, found := of(answers[3], *c)
		if !found && c.Assigned {
			if before == nil {
				var err error
				if before, err = ask(seenBefore); err != nil {
					return err
				}
			}
			at, found = of(before, *c)
		}
		if found {
			t := time.UnixMilli(int64(at * 1000)).UTC()
			c.LastSeen = &t
		}
		if items, found := of(answers[0], *c); found {
			bytes, _ := of(answers[1], *c)
			age, _ := of(answers[2], *c)
			c.Held = &Held{Items: int64(items), Bytes: int64(bytes), OldestSeconds: int64(age)}
		}
	}
	return nil
}
