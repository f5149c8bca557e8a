// SPDX-License-Identifier: Apache-2.0

package opencostdiff

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/toolcache"
)

const (
	liveEnv  = "KOF_OPENCOST_LIVE" // run the real OpenCost and record its answers
	apartEnv = "KOF_OPENCOST_APART"
)

// recording is testdata/opencost.json.
type recording struct {
	OpenCost  string            `json:"opencost"`
	Command   string            `json:"command"`
	Date      string            `json:"date"`
	Scenarios map[string]result `json:"scenarios"`
}

var recordingPath = filepath.Join("testdata", "opencost.json")

// difference is one that is known: what is expected instead, and why.
type difference struct{ scenario, key, why string }

// corrected are the differences of `compat: corrected`. With `compat: opencost` there is none.
var corrected = slices.Concat(
	differ("default prices", "a GPU node without price costs one core in OpenCost",
		"node_cpu_hourly_cost gpu", "node_ram_hourly_cost gpu", "node_gpu_hourly_cost gpu", "node_total_hourly_cost gpu",
		"ml cpu", "ml ram", "ml gpu"),
	differ("default prices", fraction, "node_total_hourly_cost fraction"),
	differ("price list", fraction, "node_total_hourly_cost fraction"),
	differ("price list", "the first row of a class counts for ever in OpenCost, here the mean",
		"node_cpu_hourly_cost small", "node_ram_hourly_cost small", "node_total_hourly_cost small",
		"shop cpu", "shop ram", "kube-system cpu", "kube-system ram"),
)

const fraction = "OpenCost leaves fractional cores out of the total, here they count as they are"

func differ(scenario, why string, keys ...string) []difference {
	var out []difference
	for _, k := range keys {
		out = append(out, difference{scenario, k, why})
	}
	return out
}

// TestDifferential compares prices, allocations and namespace totals within 0.1 %, known differences apart.
func TestDifferential(t *testing.T) {
	switch {
	case os.Getenv(apartEnv) != "":
		loopbackUp(t)
		record(t)
		return
	case os.Getenv(liveEnv) != "":
		for _, tool := range []string{"opencost", "victoria-metrics"} { // the namespace has no way to the module proxy
			_, err := toolcache.Binary(t.Context(), tool, os.Stderr)
			require.NoError(t, err)
		}
		moduleDir(t)
		apart(t)
	}
	raw, err := os.ReadFile(recordingPath)
	require.NoError(t, err)
	var rec recording
	require.NoError(t, json.Unmarshal(raw, &rec))
	for _, s := range scenarios() {
		want, ok := rec.Scenarios[s.name]
		require.True(t, ok, "%s isn't recorded", s.name)
		t.Run(s.name+"/opencost", func(t *testing.T) {
			compare(t, s.name, want, runKOF(t, s, "opencost"), nil)
		})
		t.Run(s.name+"/corrected", func(t *testing.T) {
			compare(t, s.name, want, runKOF(t, s, "corrected"), corrected)
		})
	}
}

func record(t *testing.T) {
	rec := recording{
		OpenCost: "v1.108.1", Command: liveEnv + "=1 go test -run TestDifferential ./test/opencostdiff", Date: time.Now().UTC().Format(time.DateOnly),
		Scenarios: map[string]result{},
	}
	for _, s := range scenarios() {
		rec.Scenarios[s.name] = runOpenCost(t, s)
	}
	raw, err := json.MarshalIndent(rec, "", "  ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(recordingPath, append(raw, '\n'), 0o600))
}

// compare checks every number of OpenCost. A known difference must be one: the test fails if the numbers agree after all.
func compare(t *testing.T, scenario string, want, got result, known []difference) {
	t.Helper()
	used := map[string]bool{}
	check := func(key string, want, got, rounding float64, ok bool) {
		t.Helper()
		same := ok && math.Abs(got-want) <= max(math.Abs(want)*1e-3, rounding) || !ok && want == 0
		for _, d := range known {
			if d.scenario == scenario && d.key == key {
				used[key] = true
				if same {
					t.Errorf("%s: %v and %v agree, though they are known to differ: %s", key, want, got, d.why)
				}
				return
			}
		}
		if !same {
			t.Errorf("%s: OpenCost says %v, KOF %v (there: %v)", key, want, got, ok)
		}
	}
	for _, c := range []struct {
		want, got map[string]float64
		rounding  float64
	}{
		{want.Nodes, got.Nodes, 1e-9},
		{want.Allocations, got.Allocations, 1e-9},
		{want.Namespaces, got.Namespaces, 5.1e-6}, // OpenCost's API answers with five decimals
	} {
		for key, w := range c.want {
			g, ok := c.got[key]
			check(key, w, g, c.rounding, ok)
		}
		for key, g := range c.got {
			if _, ok := c.want[key]; !ok && g != 0 {
				check(key, 0, g, c.rounding, true)
			}
		}
	}
	for _, d := range known {
		if d.scenario == scenario && !used[d.key] {
			t.Errorf("%s is known to differ, but isn't there", d.key)
		}
	}
}
