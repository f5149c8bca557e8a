// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const mib, gib = 1 << 20, 1 << 30

// telemetry is what grows in an hour: of prod's two regions, chatty sends three quarters of the bytes of logs to eu.
var telemetry = map[string]float64{
	`otelcol_kof_region_namespace_items_total{cluster="prod",namespace="chatty",region="eu",signal="logs"}`:     1000,
	`otelcol_kof_region_namespace_bytes_total{cluster="prod",namespace="chatty",region="eu",signal="logs"}`:     3 * gib,
	`otelcol_kof_region_namespace_items_total{cluster="prod",namespace="shop",region="eu",signal="logs"}`:       2000,
	`otelcol_kof_region_namespace_bytes_total{cluster="prod",namespace="shop",region="eu",signal="logs"}`:       gib,
	`otelcol_kof_region_namespace_items_total{cluster="prod",namespace="shop",region="us",signal="logs"}`:       10,
	`otelcol_kof_region_namespace_bytes_total{cluster="prod",namespace="shop",region="us",signal="logs"}`:       gib,
	`otelcol_kof_region_namespace_items_total{cluster="prod",namespace="shop",region="_unknown",signal="logs"}`: 10,
	`otelcol_kof_region_namespace_bytes_total{cluster="prod",namespace="shop",region="_unknown",signal="logs"}`: gib,
	`otelcol_kof_region_namespace_items_total{cluster="prod",region="eu",signal="metrics"}`:                     50,
	`otelcol_kof_region_namespace_bytes_total{cluster="prod",region="eu",signal="metrics"}`:                     mib,
	`otelcol_kof_region_wire_bytes_total{cluster="prod",region="eu",signal="logs"}`:                             gib / 2,
	`otelcol_kof_region_wire_bytes_total{cluster="prod",region="us",signal="logs"}`:                             gib / 4,
	`otelcol_kof_region_wire_bytes_total{cluster="prod",region="eu",signal="metrics"}`:                          mib / 8,
}

func TestTelemetry(t *testing.T) {
	w := newWorldOf(t, end, 5*time.Minute, telemetry, map[string]float64{`kubecost_network_internet_egress_cost{cluster="prod"}`: 0.12})
	window, err := ParseWindow("10h", end)
	require.NoError(t, err)
	got, err := Telemetry(t.Context(), w.store, window, nil)
	require.NoError(t, err)
	cost := func(v float64) *float64 { return &v }
	want := []Sent{
		{"prod", "chatty", "logs", 10_000, 30 * gib, 10 * gib * 3 / 8, cost(10 * 3.0 / 8 * 0.12)},
		{"prod", "shop", "logs", 20_100, 20 * gib, 10 * gib * 3 / 8, cost(10 * 3.0 / 8 * 0.12)},
		{"prod", "", "metrics", 500, 10 * mib, 10 * mib / 8, cost(10.0 / 8 / 1024 * 0.12)},
	}
	requireSent(t, want, got)

	// The query of the documentation says the same.
	text, err := os.ReadFile("../../docs/finops.md")
	require.NoError(t, err)
	query := regexp.MustCompile("(?s)```promql\n(.*?)```").FindSubmatch(text)
	require.NotNil(t, query)
	found, err := w.asked.Query(t.Context(), strings.ReplaceAll(string(query[1]), "7d", "10h"), end)
	require.NoError(t, err)
	require.Len(t, found, len(want))
	for _, s := range want {
		for _, f := range found {
			if f.Labels["namespace"] == s.Namespace {
				require.InEpsilon(t, *s.Egress, f.Value, 1e-9, s.Namespace)
			}
		}
	}

	w.requireProm(t)

	// A share is of the whole, also where only a part is asked for.
	only := w.store
	only.Match = []string{`namespace="shop"`}
	price := 1.0
	got, err = Telemetry(t.Context(), only, window, &price)
	require.NoError(t, err)
	requireSent(t, []Sent{{"prod", "shop", "logs", 20_100, 20 * gib, 10 * gib * 3 / 8, cost(10 * 3.0 / 8)}}, got)

	only.Match = []string{`namespace="none"`}
	_, err = Telemetry(t.Context(), only, window, nil)
	require.ErrorContains(t, err, "no telemetry was found")
}

func requireSent(t *testing.T, want, got []Sent) {
	t.Helper()
	require.Len(t, got, len(want))
	for i, w := range want {
		g := got[i]
		require.Equal(t, []string{w.Cluster, w.Namespace, w.Signal}, []string{g.Cluster, g.Namespace, g.Signal})
		require.InEpsilonSlice(t, []float64{w.Items, w.Bytes, w.WireBytes, *w.Egress}, []float64{g.Items, g.Bytes, g.WireBytes, *g.Egress}, 1e-9, "%s", g.Namespace)
	}
}
