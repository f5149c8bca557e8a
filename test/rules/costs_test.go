// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/backends"
)

// counter of costs, minute by minute, as an agent writes it.
type counter struct {
	series       string
	perMinute    float64
	from, to     int // minutes in which it is there
	startsAnewAt int // 0: never
	silent       int // minutes around the end of the first of the hours that are compared in which nothing comes, though costs go on
}

// TestHoursAddUpToTheCounters has the real VictoriaMetrics compute the recorded costs of each hour of a day: their sum is what the counters
// have grown by, also of pods that come and go, agents that start anew, and agents
// that are silent while an hour ends.
func TestHoursAddUpToTheCounters(t *testing.T) {
	const hours = 26
	counters := []counter{
		{`kof_container_cost_total{cluster="c",namespace="n",pod="steady",container="x",resource="cpu",currency="USD",node="a"}`, 0.01, 0, hours * 60, 0, 0},
		{`kof_container_cost_total{cluster="c",namespace="n",pod="comes",container="x",resource="cpu",currency="USD",node="a"}`, 0.02, 333, hours * 60, 0, 0},
		{`kof_container_cost_total{cluster="c",namespace="n",pod="short",container="x",resource="cpu",currency="USD",node="a"}`, 0.5, 777, 783, 0, 0},
		{`kof_container_cost_total{cluster="c",namespace="n",pod="goes",container="x",resource="ram",currency="USD",node="a"}`, 0.03, 0, 1000, 0, 0},
		{`kof_container_cost_total{cluster="c",namespace="m",pod="anew",container="x",resource="cpu",currency="USD",node="b"}`, 0.01, 0, hours * 60, 605, 0},
		{`kof_container_cost_total{cluster="c",namespace="m",pod="upgraded",container="x",resource="cpu",currency="USD",node="c"}`, 0.01, 0, hours * 60, 0, 60},
		{`kof_volume_cost_total{cluster="c",namespace="n",persistentvolume="v",pod="steady",currency="USD"}`, 0.004, 0, hours * 60, 0, 0},
		{`kof_node_idle_cost_total{cluster="c",node="a",resource="cpu",currency="USD"}`, 0.06, 0, hours * 60, 0, 0},
		{`kof_cluster_management_cost_total{cluster="c",provisioner_name="EKS",currency="USD"}`, 0.1 / 60, 0, hours * 60, 0, 0},
	}
	store := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{})
	end := time.Now().Truncate(time.Hour)
	begin := end.Add(-hours * time.Hour)
	want := map[string]float64{} // by namespace, of the last 24 hours
	var lines strings.Builder
	for _, c := range counters {
		value, namespace := 0.0, ""
		if _, rest, found := strings.Cut(c.series, `namespace="`); found {
			namespace, _, _ = strings.Cut(rest, `"`)
		}
		for m := c.from; m <= c.to; m++ {
			if m > c.from {
				value += c.perMinute
				if m > (hours-24)*60 {
					want[namespace] += c.perMinute
				}
			}
			if m == c.startsAnewAt && m > 0 {
				value = c.perMinute
			}
			if turn := (hours - 23) * 60; c.silent > 0 && m > turn-c.silent/2 && m < turn+c.silent/2 {
				continue
			}
			fmt.Fprintf(&lines, "%s %g %d\n", c.series, value, begin.Add(time.Duration(m)*time.Minute).UnixMilli())
		}
	}
	post(t, store.URL+"/api/v1/import/prometheus", lines.String())
	require.NoError(t, store.Flush(t.Context()))

	expr := ""
	for _, g := range parse(t, recorded(t)).Groups {
		for _, r := range g.Rules {
			if r.Record == "cluster_namespace:kof_cost:sum_increase1h" {
				expr = r.Expr
			}
		}
	}
	got := map[string]float64{}
	for h := range 24 {
		for namespace, cost := range costs(t, store.URL, expr, end.Add(-time.Duration(h)*time.Hour)) {
			got[namespace] += cost
		}
	}
	require.Len(t, got, 3, "n, m, and what no namespace is charged for")
	for namespace, cost := range want {
		require.InEpsilon(t, cost, got[namespace], 0.001, "namespace %q", namespace)
	}
}

// costs evaluates a query at a time and returns the values by namespace.
func costs(t *testing.T, base, expr string, at time.Time) map[string]float64 {
	t.Helper()
	body := get(t, base+"/api/v1/query?"+url.Values{"query": {expr}, "time": {strconv.FormatInt(at.Unix(), 10)}, "nocache": {"1"}}.Encode())
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(body), &answer), body)
	out := map[string]float64{}
	for _, r := range answer.Data.Result {
		require.Equal(t, "c", r.Metric["cluster"])
		require.Equal(t, "USD", r.Metric["currency"])
		value, err := strconv.ParseFloat(r.Value[1].(string), 64)
		require.NoError(t, err)
		out[r.Metric["namespace"]] = value
	}
	return out
}

func get(t *testing.T, address string) string {
	t.Helper()
	return exchange(t, http.MethodGet, address, "")
}

func post(t *testing.T, address, body string) {
	t.Helper()
	exchange(t, http.MethodPost, address, body)
}

func exchange(t *testing.T, method, address, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, 2, resp.StatusCode/100, "%s", text)
	return string(text)
}
