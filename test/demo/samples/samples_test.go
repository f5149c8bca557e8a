// SPDX-License-Identifier: Apache-2.0

package samples

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/demo/truth"
)

var (
	pushed  = truth.Source{Name: "shop-1", Region: "eu", Signal: truth.Metrics}
	scraped = truth.Source{Name: "shop-1-scrape", Region: "eu", Signal: truth.Metrics}
)

func TestKey(t *testing.T) {
	require.Equal(t, `a{}`, key("a", nil))
	require.Equal(t, `a{b="1",c="x\"y"}`, key("a", map[string]string{"c": `x"y`, "b": "1"}))
	require.Equal(t, key("a", map[string]string{"le": "1.0"}), key("a", map[string]string{"le": "1"}))
	require.Equal(t, key("a", map[string]string{"le": "+Inf"}), key("a", map[string]string{"le": "Inf"}))
	require.NotEqual(t, key("a", map[string]string{"b": "1.0"}), key("a", map[string]string{"b": "1"}))
}

func sentBy(t *testing.T) (*Recorder, map[string]truth.Record) {
	t.Helper()
	set := truth.New(100)
	r := NewRecorder(set)
	r.Timed(pushed, Sample{Name: "requests_total", Labels: map[string]string{"code": "200"}, Value: 7}, time.UnixMilli(1000))
	r.Timed(pushed, Sample{Name: "requests_total", Labels: map[string]string{"code": "200"}, Value: 8}, time.UnixMilli(2000))
	r.Scraped(scraped, Sample{Name: SequenceSeries, Value: 1}, 1)
	r.Scraped(scraped, Sample{Name: "queue", Value: 0.1}, 1)
	return r, set.Records(truth.Metrics)
}

// all is what a store holds when nothing is wrong, with the labels and series that a collector adds.
func all() []Series {
	return []Series{
		{
			Labels:     map[string]string{"__name__": "requests_total", "instance": "shop-1", "code": "200", "cluster": "c"},
			Timestamps: []int64{1000, 2000}, Values: []float64{7, 8},
		},
		{
			Labels:     map[string]string{"__name__": SequenceSeries, "instance": "shop-1-scrape"},
			Timestamps: []int64{1234, 5678}, Values: []float64{1, math.NaN()},
		},
		{
			Labels:     map[string]string{"__name__": "queue", "instance": "shop-1-scrape"},
			Timestamps: []int64{1234, 5678}, Values: []float64{math.Nextafter(0.1, 1), math.NaN()},
		},
		{
			Labels:     map[string]string{"__name__": "up", "instance": "shop-1-scrape"},
			Timestamps: []int64{1234}, Values: []float64{1},
		},
	}
}

func TestIDsOfWhatWasSent(t *testing.T) {
	r, sent := sentBy(t)
	ids := r.IDs(all(), sent)
	require.Len(t, ids, len(sent))
	for id := range sent {
		require.Equal(t, 1, ids[id], id)
	}
}

func TestIDsShowEveryDifference(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil   func(s []Series)
		missing string
		extra   string
	}{
		"another value":      {func(s []Series) { s[0].Values[1] = 9 }, `shop-1: requests_total{code="200"}@2000`, `shop-1: requests_total{code="200"}@2000: stored value 9, sent 8`},
		"another time":       {func(s []Series) { s[0].Timestamps[1] = 2001 }, `shop-1: requests_total{code="200"}@2000`, `shop-1: requests_total{code="200"}@2001`},
		"a lost label":       {func(s []Series) { delete(s[0].Labels, "code") }, `shop-1: requests_total{code="200"}@1000`, `shop-1: requests_total{}@1000`},
		"another scrape":     {func(s []Series) { s[1].Values[0] = 2 }, `shop-1-scrape: queue{}#1`, `shop-1-scrape: queue{}#2`},
		"a sample too early": {func(s []Series) { s[2].Timestamps[0] = 1233 }, `shop-1-scrape: queue{}#1`, `shop-1-scrape: queue{}@1233`},
	} {
		t.Run(name, func(t *testing.T) {
			r, sent := sentBy(t)
			stored := all()
			tc.spoil(stored)
			ids := r.IDs(stored, sent)
			require.Contains(t, sent, tc.missing)
			require.NotContains(t, ids, tc.missing)
			require.NotContains(t, sent, tc.extra)
			require.Contains(t, ids, tc.extra)
		})
	}
}

func TestIDsCountDuplicates(t *testing.T) {
	r, sent := sentBy(t)
	stored := all()
	stored = append(stored, Series{
		Labels:     map[string]string{"__name__": "requests_total", "instance": "shop-1", "code": "200", "cluster": "d"},
		Timestamps: []int64{1000}, Values: []float64{7},
	})
	require.Equal(t, 2, r.IDs(stored, sent)[`shop-1: requests_total{code="200"}@1000`])
}

func TestNames(t *testing.T) {
	r, _ := sentBy(t)
	require.ElementsMatch(t, []string{"requests_total", SequenceSeries, "queue"}, r.Names())
}
