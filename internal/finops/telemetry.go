// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// The region exporter's own metrics, as they are stored.
const (
	metricNamespaceItems = "otelcol_kof_region_namespace_items_total"
	metricNamespaceBytes = "otelcol_kof_region_namespace_bytes_total"
	metricWireBytes      = "otelcol_kof_region_wire_bytes_total"
	metricEgressPrice    = "kubecost_network_internet_egress_cost"
	// held before its region was known, and counted again when it was
	notUnknown = `region!="_unknown"`
)

// Sent is what the telemetry of a namespace came to.
type Sent struct {
	Cluster   string  `json:"cluster"`
	Namespace string  `json:"namespace"` // "" for what is no namespace's, as the node's own
	Signal    string  `json:"signal"`
	Items     float64 `json:"items"`      // data points, log records or spans
	Bytes     float64 `json:"bytes"`      // before compression
	WireBytes float64 `json:"wire_bytes"` // its share of the compressed bytes that the lane sent
	// Egress is WireBytes × the price of a GiB; nil if no price is known.
	Egress *float64 `json:"egress_cost,omitempty"`
}

// Telemetry tells what namespaces' telemetry comes to, the most bytes first. price is that of a GiB that leaves; nil for that which the
// opencost receiver of the cluster has for the internet.
func Telemetry(ctx context.Context, s Store, w Window, price *float64) ([]Sent, error) {
	whole := Store{Querier: s.Querier} // shares are of all, whatever is asked for
	by, lane := []string{"cluster", "namespace", "region", "signal"}, []string{"cluster", "region", "signal"}
	items, err := s.sum(ctx, "increase", s.selector(metricNamespaceItems, notUnknown), by, w)
	if err != nil {
		return nil, err
	}
	bytes, err := s.sum(ctx, "increase", s.selector(metricNamespaceBytes, notUnknown), by, w)
	if err != nil {
		return nil, err
	}
	all, err := whole.sum(ctx, "increase", whole.selector(metricNamespaceBytes, notUnknown), lane, w)
	if err != nil {
		return nil, err
	}
	wire, err := whole.sum(ctx, "increase", whole.selector(metricWireBytes, notUnknown), lane, w)
	if err != nil {
		return nil, err
	}
	prices, err := egressPrices(ctx, whole, w, price)
	if err != nil {
		return nil, err
	}
	onWire, stored := index(wire, lane), index(all, lane)
	rows := map[string]*Sent{}
	row := func(f Sample) *Sent {
		key := keyOf(f.Labels, []string{"cluster", "namespace", "signal"})
		if rows[key] == nil {
			rows[key] = &Sent{Cluster: f.Labels["cluster"], Namespace: f.Labels["namespace"], Signal: f.Labels["signal"]}
		}
		return rows[key]
	}
	for _, f := range items {
		row(f).Items += f.Value
	}
	for _, f := range bytes {
		r, key := row(f), keyOf(f.Labels, lane)
		r.Bytes += f.Value
		if stored[key] > 0 {
			r.WireBytes += f.Value * onWire[key] / stored[key]
		}
	}
	out := make([]Sent, 0, len(rows))
	for _, r := range rows {
		if p, ok := prices(r.Cluster); ok {
			cost := r.WireBytes / (1 << 30) * p
			r.Egress = &cost
		}
		if r.Items > 0 {
			out = append(out, *r)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no telemetry was found: the store has no %s in the window that fits", metricNamespaceItems)
	}
	slices.SortFunc(out, func(a, b Sent) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Signal, b.Signal))
	})
	return out, nil
}

func index(samples []Sample, by []string) map[string]float64 {
	all := map[string]float64{}
	for _, s := range samples {
		all[keyOf(s.Labels, by)] += s.Value
	}
	return all
}

// egressPrices returns the price of a GiB by cluster.
func egressPrices(ctx context.Context, s Store, w Window, price *float64) (func(cluster string) (float64, bool), error) {
	if price != nil {
		return func(string) (float64, bool) { return *price, true }, nil
	}
	found, err := s.bounded(ctx, fmt.Sprintf("max by (cluster) (last_over_time(%s[%ds]))", metricEgressPrice, int64(w.Length().Seconds())), w.End)
	prices := index(found, []string{"cluster"})
	return func(cluster string) (float64, bool) { p, ok := prices[cluster]; return p, ok }, err
}
