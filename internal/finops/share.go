// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"context"
	"slices"
)

// addOfClusters adds what is no namespace's: idle and the platform's fee.
func (t table) addOfClusters(ctx context.Context, s Store, o Options, l *lookup) error {
	by := []string{"cluster", "resource", "currency"}
	if !o.ShareIdle {
		by = append(by, "node", "tenant", promxyRegion)
	}
	found, err := s.sum(ctx, "increase", s.selector(metricIdle), by, o.Window)
	if err != nil {
		return err
	}
	for _, f := range found {
		if o.ShareIdle && t.shareIdle(f) {
			continue
		}
		t.row(l.ofNobody(Idle, f.Labels), f.Labels["currency"]).Idle += f.Value
	}
	found, err = s.sum(ctx, "increase", s.selector(metricManagement), []string{"cluster", "tenant", promxyRegion, "currency"}, o.Window)
	for _, f := range found {
		t.row(l.ofNobody(Management, f.Labels), f.Labels["currency"]).Management += f.Value
	}
	return err
}

// ofNobody returns the keys of the row for cost of a cluster that is no namespace's.
func (l *lookup) ofNobody(name string, labels map[string]string) []string {
	switch {
	case l.Name == "cluster" || l.Name == "region":
		return l.row(labels)
	case l.Name == "tenant" && labels["tenant"] != "":
		return []string{labels["tenant"]} // whose the cluster is
	case len(l.Columns) == 1:
		return []string{name}
	}
	keys := make([]string, len(l.Columns))
	keys[0], keys[1] = labels["cluster"], name
	return keys
}

// shareIdle spreads a cluster's idle cost of a resource over the rows, in proportion to what their containers cost of it; false if there are none.
func (t table) shareIdle(idle Sample) bool {
	key, all := clusterResource{idle.Labels["cluster"], idle.Labels["resource"]}, 0.0
	for _, r := range t {
		if r.Currency == idle.Labels["currency"] {
			all += r.clusters[key]
		}
	}
	if all <= 0 {
		return false
	}
	for _, r := range t {
		if r.Currency == idle.Labels["currency"] {
			r.Idle += idle.Value * r.clusters[key] / all
		}
	}
	return true
}

// sharedCost is the cost of the shared namespaces, by cluster and currency.
type sharedCost struct {
	namespaces []string
	by         map[[2]string]float64
}

// take keeps a sample back if it is a shared namespace's.
func (c *sharedCost) take(s Sample) bool {
	if !slices.Contains(c.namespaces, s.Labels["namespace"]) {
		return false
	}
	c.by[[2]string{s.Labels["cluster"], s.Labels["currency"]}] += s.Value
	return true
}

// share spreads the shared namespaces over the rows that have cost in the cluster, in proportion to it. Where there are none, it is a row of its own.
func (t table) share(c *sharedCost, l *lookup) {
	for key, cost := range c.by {
		weights, all := map[*Row]float64{}, 0.0
		for _, r := range t {
			for of, v := range r.clusters {
				if of.cluster == key[0] && r.Currency == key[1] {
					weights[r] += v
					all += v
				}
			}
		}
		if all <= 0 {
			t.row(l.ofNobody(Shared, map[string]string{"cluster": key[0]}), key[1]).Shared += cost
			continue
		}
		for r, w := range weights {
			r.Shared += cost * w / all
		}
	}
}
