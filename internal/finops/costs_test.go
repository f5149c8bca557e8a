// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// end is a moment in the middle of a month, and of a day.
var end = time.Now().UTC().Truncate(24 * time.Hour).Add(-24*time.Hour + 9*time.Hour + 30*time.Minute)

func TestCosts(t *testing.T) {
	w := newWorld(t, end, 5*time.Minute)
	ctx := t.Context()

	for by, want := range map[string]map[string]float64{
		"cluster": {"prod USD": 4.225, "edge EUR": 1},
		"region":  {"eu-west-1 USD": 0.4 + 0.6 + 0.04 + 0.01 + 0.025 + 0.1, "eu-central-1 USD": 2.45 + 0.6, "__unknown__ EUR": 1},
		"tenant":  {"acme USD": 0.7 + 0.04 + 0.025, "__no_tenant__ USD": 2.15 + 0.01, "__idle__ USD": 1.2, "__management__ USD": 0.1, "edgeco EUR": 1},
		"namespace": {"prod/shop USD": 0.765, "prod/ml USD": 2.05, "prod/kube-system USD": 0.1, "prod/__idle__ USD": 1.2, "prod/__management__ USD": 0.1,
			"prod/__unmounted__ USD": 0.01, "edge/shop EUR": 0.5, "edge/__idle__ EUR": 0.5},
		"workload": {"prod/shop/deployment/web USD": 0.5, "prod/shop/statefulset/db USD": 0.24, "prod/shop/service/web USD": 0.025, "prod/ml/job/train USD": 2.05,
			"prod/kube-system/deployment/dns USD": 0.1, "prod/__idle__// USD": 1.2, "prod/__management__// USD": 0.1, "prod/__unmounted__/pod/unmounted-pvs USD": 0.01,
			"edge/shop/daemonset/pos EUR": 0.5, "edge/__idle__// EUR": 0.5},
		"pod": {"prod/shop/web-1 USD": 0.3, "prod/shop/web-2 USD": 0.2, "prod/shop/db-0 USD": 0.24, "prod/shop/web USD": 0.025, "prod/ml/train-1 USD": 2.05,
			"prod/kube-system/dns-1 USD": 0.1, "prod/__idle__/ USD": 1.2, "prod/__management__/ USD": 0.1, "prod/__unmounted__/unmounted-pvs USD": 0.01,
			"edge/shop/pos-1 EUR": 0.5, "edge/__idle__/ EUR": 0.5},
		// Of the namespace only; then of the pod before the namespace.
		"label:cost-center": {"retail USD": 0.765, "stores EUR": 0.5, "__unlabelled__ USD": 2.16, "__idle__ USD": 1.2, "__idle__ EUR": 0.5, "__management__ USD": 0.1},
		"label:team":        {"retail USD": 0.765, "science USD": 2.05, "__unlabelled__ USD": 0.11, "__unlabelled__ EUR": 0.5, "__idle__ USD": 1.2, "__idle__ EUR": 0.5, "__management__ USD": 0.1},
	} {
		t.Run(by, func(t *testing.T) {
			r, err := Costs(ctx, w.store, w.options(t, by, "48h"))
			requireTotals(t, want, r, err)
			for currency, all := range whole() {
				sum := 0.0
				for _, row := range r.Rows {
					if row.Currency == currency {
						sum += row.Total() / 48
					}
				}
				require.InEpsilon(t, all, sum, 1e-9, "nothing is lost and nothing counted twice")
			}
		})
	}

	t.Run("parts", func(t *testing.T) {
		r, err := Costs(ctx, w.store, w.options(t, "cluster", "10h"))
		require.NoError(t, err)
		require.Equal(t, []string{"prod"}, r.Rows[0].Keys, "the dearest first")
		for i, got := range []float64{r.Rows[0].CPU, r.Rows[0].RAM, r.Rows[0].GPU, r.Rows[0].Other, r.Rows[0].Volume, r.Rows[0].LoadBalancer, r.Rows[0].Management, r.Rows[0].Idle} {
			require.InDelta(t, 10*[]float64{0.5, 0.3, 2, 0.05, 0.05, 0.025, 0.1, 1.2}[i], got, 1e-6, i)
		}
	})

	t.Run("share idle", func(t *testing.T) {
		o := w.options(t, "namespace", "24h")
		o.ShareIdle = true
		r, err := Costs(ctx, w.store, o)
		// cpu: 0.7 idle over shop 0.4 and kube-system 0.1; ram: 0.5 over shop alone.
		requireTotals(t, map[string]float64{"prod/shop USD": 0.765 + 0.7*0.8 + 0.5, "prod/kube-system USD": 0.1 + 0.7*0.2, "prod/ml USD": 2.05, "prod/__management__ USD": 0.1,
			"prod/__unmounted__ USD": 0.01, "edge/shop EUR": 1}, r, err)
	})

	t.Run("share namespaces", func(t *testing.T) {
		for by, want := range map[string]map[string]float64{
			"namespace": {"prod/shop USD": 0.765 * (1 + 0.1/2.825), "prod/ml USD": 2.05 * (1 + 0.1/2.825), "prod/__unmounted__ USD": 0.01 * (1 + 0.1/2.825),
				"prod/__idle__ USD": 1.2, "prod/__management__ USD": 0.1, "edge/shop EUR": 0.5, "edge/__idle__ EUR": 0.5},
			"tenant": {"acme USD": 0.765 * (1 + 0.1/2.825), "__no_tenant__ USD": 2.06 * (1 + 0.1/2.825), "__idle__ USD": 1.2, "__management__ USD": 0.1, "edgeco EUR": 1},
		} {
			o := w.options(t, by, "24h")
			o.SharedNamespaces = []string{"kube-system"}
			r, err := Costs(ctx, w.store, o)
			requireTotals(t, want, r, err)
		}
		o := w.options(t, "namespace", "24h")
		o.SharedNamespaces = []string{"kube-system", "shop", "ml", ""}
		r, err := Costs(ctx, w.store, o)
		requireTotals(t, map[string]float64{"prod/__shared__ USD": 2.925, "edge/__shared__ EUR": 0.5, "prod/__idle__ USD": 1.2, "edge/__idle__ EUR": 0.5, "prod/__management__ USD": 0.1}, r, err)
	})

	t.Run("match", func(t *testing.T) {
		s := w.store
		s.Match = []string{`namespace="shop"`, `cluster=~"prod|x"`}
		r, err := Costs(ctx, s, w.options(t, "workload", "24h"))
		requireTotals(t, map[string]float64{"prod/shop/deployment/web USD": 0.5, "prod/shop/statefulset/db USD": 0.24, "prod/shop/service/web USD": 0.025}, r, err)
	})

	t.Run("efficiency", func(t *testing.T) {
		for by, want := range map[string]float64{
			// cpu 1.5 of 4 at 0.4; ram 2 GiB of 4 at 0.3: OpenCost weighs by cost.
			"namespace": (1.5/4*0.4 + 2.0/4*0.3) / 0.7,
			"workload":  (1.5/4*0.4 + 1.0/4*0.1) / 0.5,
			"pod":       (0.5/2*0.2 + 1.0/4*0.1) / 0.3,
		} {
			o := w.options(t, by, "24h")
			o.Efficiency = true
			r, err := Costs(ctx, w.store, o)
			require.NoError(t, err)
			for _, row := range r.Rows {
				switch strings.Join(row.Keys, "/") {
				case "prod/shop", "prod/shop/deployment/web", "prod/shop/web-1":
					require.InDelta(t, want, *row.Efficiency, 1e-9, by)
				case "prod/shop/statefulset/db", "prod/shop/db-0":
					require.InDelta(t, 1, *row.Efficiency, 1e-9, "used without a request")
				case "prod/ml", "prod/__idle__":
					require.Nil(t, row.Efficiency)
				}
			}
		}
	})

	t.Run("forecast", func(t *testing.T) {
		o := w.options(t, "namespace", "24h")
		o.Forecast = true
		r, err := Costs(ctx, w.store, o)
		require.NoError(t, err)
		row := r.Rows[0]
		require.Equal(t, []string{"prod", "ml"}, row.Keys)
		in := month(o.Window.End)
		spent := min(72, o.Window.End.Sub(in.Start).Hours()) // the store has three days
		require.InDelta(t, 2.05*spent, *row.MonthToDate, 1e-6)
		require.InDelta(t, 2.05*(spent+in.End.Sub(o.Window.End).Hours()), *row.MonthEnd, 1e-6)
	})

	t.Run("nothing there", func(t *testing.T) {
		s := w.store
		s.Match = []string{`cluster="none"`}
		_, err := Costs(ctx, s, w.options(t, "namespace", "24h"))
		require.ErrorIs(t, err, ErrNone)
		_, err = Costs(ctx, w.store, w.options(t, "label:owner", "24h"))
		require.ErrorContains(t, err, "label:owner: neither kube_pod_labels nor kube_namespace_labels has label_owner; name the label under labels")
	})
	w.requireProm(t)
}

// A store that refuses to read so many samples at once is asked for parts of the window, and the answer is the same.
func TestWindowThatIsTooMuchIsAskedForInParts(t *testing.T) {
	w := newWorld(t, end, 5*time.Minute, "-search.maxSamplesPerSeries=200")
	o := w.options(t, "namespace", "48h")
	r, err := Costs(t.Context(), w.store, o)
	require.NoError(t, err)
	got := totals(t, r)
	require.InDelta(t, 0.765, got["prod/shop USD"], 1e-6)
	require.InDelta(t, 1.2, got["prod/__idle__ USD"], 1e-6)
	windows := map[string]bool{}
	for _, q := range w.asked.asked {
		if strings.Contains(q, metricContainer) {
			windows[q[strings.LastIndex(q, "[")+1:strings.LastIndex(q, "]")]] = true
		}
	}
	require.Greater(t, len(windows), 1)
	require.Contains(t, windows, "172800s")
}

func TestStoreThatIsNotThere(t *testing.T) {
	w := newWorld(t, end, 5*time.Minute, "-search.maxSamplesPerQuery=1")
	_, err := Costs(t.Context(), w.store, w.options(t, "namespace", "48h"))
	require.ErrorContains(t, err, "maxSamplesPerQuery", "in the store's words")
	require.Less(t, len(w.asked.asked), 20, "it gives up")
	w.asked.URLs = []string{"http://127.0.0.1:1"}
	_, err = Costs(t.Context(), w.store, w.options(t, "namespace", "48h"))
	require.ErrorContains(t, err, "connection refused")
}

func TestRightsizing(t *testing.T) {
	w := newWorld(t, end, 5*time.Minute)
	window, err := ParseWindow("24h", w.end)
	require.NoError(t, err)
	got, err := Rightsizing(t.Context(), w.store, RightsizingOptions{Window: window, CPUPercentile: 0.95, RAMPercentile: 1, Headroom: 0.15})
	require.NoError(t, err)
	w.requireProm(t)
	require.Len(t, got, 2)
	cpu, ram := got[0], got[1]
	require.Equal(t, Advice{Cluster: "prod", Namespace: "shop", WorkloadKind: "deployment", Workload: "web", Container: "app", Resource: "cpu", Pods: 2,
		Requested: 2, Used: 1, Advised: cpu.Advised, Saving: cpu.Saving, Currency: "USD"}, cpu)
	require.InDelta(t, 1.15, cpu.Advised, 1e-9)
	require.InDelta(t, (2-1.15)*(0.10+0.20)*730, cpu.Saving, 1e-6)
	require.InDelta(t, 1178<<20, ram.Advised, 1, "1.15 GiB, in whole MiB")
	require.InDelta(t, float64(4096-1178)/1024*0.01*730, ram.Saving, 1e-6)

	window, err = ParseWindow("1h", w.end)
	require.NoError(t, err)
	_, err = Rightsizing(t.Context(), w.store, RightsizingOptions{Window: window, CPUPercentile: 0.95, RAMPercentile: 1})
	require.ErrorContains(t, err, "was looked at 30 times in the window", "twelve times aren't enough")
}

func TestAdvisedIsRoundedUp(t *testing.T) {
	require.InDelta(t, 0.01, advised("cpu", 0), 1e-12)
	require.InDelta(t, 0.124, advised("cpu", 0.1231), 1e-12)
	require.InDelta(t, 0.5, advised("cpu", 0.5), 1e-12)
	require.InDelta(t, 16<<20, advised("ram", 5), 0)
	require.InDelta(t, 101<<20, advised("ram", 100<<20+1), 0)
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{"namespace=shop": `namespace="shop"`, "cluster=~a|b": `cluster=~"a|b"`, `pod!=x"y`: `pod!="x\"y"`, "a!~b": `a!~"b"`} {
		got, err := ParseMatch(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"", "namespace", "=x", "a-b=c", "a=~("} {
		_, err := ParseMatch(text)
		require.ErrorContains(t, err, "found ", text)
	}
	for _, length := range []string{"", "1m", "367d", "x", "-1d"} {
		_, err := ParseWindow(length, end)
		require.ErrorContains(t, err, "allowed: a duration from 1h to 366d", length)
	}
	for _, by := range []string{"", "node", "label:"} {
		_, err := ParseView(by)
		require.ErrorContains(t, err, "allowed: cluster, region, tenant, namespace, workload, pod, label:KEY", by)
	}
}

func TestDays(t *testing.T) {
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
	require.Equal(t, []Window{{at(1, 7), at(2, 0)}, {at(2, 0), at(3, 0)}, {at(3, 0), at(3, 7)}}, Window{at(1, 7), at(3, 7)}.Days())
	require.Equal(t, []Window{{at(1, 0), at(2, 0)}}, Window{at(1, 0), at(2, 0)}.Days())
	require.Equal(t, Window{at(1, 0), time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}, month(at(30, 23)))
}
