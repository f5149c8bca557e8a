// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"cmp"
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testPrometheus answers the questions with Prometheus' own engine over what the store holds: that is what Promxy does, which can't be built
// here. VictoriaMetrics is more forgiving, for one of joins that are ambiguous.
func testPrometheus(t *testing.T, w *world, questions []*question, excepted map[string]string) {
	var open []*question
	for _, q := range questions {
		if q.source != logsType && excepted[q.name] == "" {
			open = append(open, q)
		}
	}
	t.Logf("%d queries", len(open))
	// It needs two samples where VictoriaMetrics makes do with one.
	for deadline := time.Now().Add(dataTimeout); len(open) > 0; time.Sleep(2 * time.Second) {
		open = askPrometheus(t, w, open)
		if time.Now().After(deadline) {
			break
		}
	}
	for _, q := range open {
		assert.Fail(t, "no data", "%s\n%s", q.name, q.expr)
	}
}

// askPrometheus returns the questions that have no answer.
func askPrometheus(t *testing.T, w *world, questions []*question) (open []*question) {
	all, err := w.stores.Metrics.Export(t.Context(), `{__name__!=""}`)
	require.NoError(t, err)
	now := time.Now()
	data := snapshot{}
	for _, s := range all {
		name := s.Labels[model.MetricNameLabel]
		var list []chunks.Sample
		for i, at := range s.Timestamps {
			v := s.Values[i]
			if math.IsNaN(v) {
				v = math.Float64frombits(value.StaleNaN)
			}
			if n := len(list); n == 0 || list[n-1].T() < at {
				list = append(list, sample{at, v})
			}
		}
		slices.SortFunc(list, func(a, b chunks.Sample) int { return cmp.Compare(a.T(), b.T()) })
		data[name] = append(data[name], storage.NewListSeries(labels.FromMap(s.Labels), list))
	}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 50e6, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true})
	defer func() { require.NoError(t, engine.Close()) }()
	for _, q := range questions {
		query, err := engine.NewInstantQuery(t.Context(), data, nil, q.expr, now)
		require.NoError(t, err, q.expr)
		result := query.Exec(t.Context())
		if !assert.NoError(t, result.Err, "%s\n%s", q.name, q.expr) {
			continue
		}
		switch v := result.Value.(type) {
		case promql.Vector:
			if len(v) == 0 {
				open = append(open, q)
			}
		case promql.Scalar:
		default:
			assert.Fail(t, "neither vector nor scalar", "%s: %s", q.name, v.Type())
		}
		query.Close()
	}
	return open
}

// snapshot is series by name.
type snapshot map[string][]storage.Series

// Querier implements storage.Queryable.
func (s snapshot) Querier(_, _ int64) (storage.Querier, error) {
	return &storage.MockQuerier{SelectMockFunction: func(_ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
		var found []storage.Series
		for name, list := range s {
			if slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return m.Name == model.MetricNameLabel && !m.Matches(name) }) {
				continue
			}
			for _, one := range list {
				if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(one.Labels().Get(m.Name)) }) {
					found = append(found, one)
				}
			}
		}
		slices.SortFunc(found, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
		return &seriesSet{found, -1}
	}}, nil
}

// seriesSet implements storage.SeriesSet.
type seriesSet struct {
	list []storage.Series
	at   int
}

func (s *seriesSet) Next() bool                        { s.at++; return s.at < len(s.list) }
func (s *seriesSet) At() storage.Series                { return s.list[s.at] }
func (s *seriesSet) Err() error                        { return nil }
func (s *seriesSet) Warnings() annotations.Annotations { return nil }

type sample struct {
	t int64
	f float64
}

func (s sample) T() int64                      { return s.t }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.f }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

// The engine itself, on two series.
func TestSnapshot(t *testing.T) {
	data := snapshot{"x": {storage.NewListSeries(labels.FromStrings(model.MetricNameLabel, "x", "a", "b"), []chunks.Sample{sample{1000, 1}, sample{61000, 7}})},
		"y": {storage.NewListSeries(labels.FromStrings(model.MetricNameLabel, "y"), []chunks.Sample{sample{1000, 1}})}}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1000, Timeout: time.Minute})
	defer engine.Close()
	query, err := engine.NewInstantQuery(context.Background(), data, nil, `sum by (a) ({__name__=~"x|z"})`, time.UnixMilli(61000))
	require.NoError(t, err)
	defer query.Close()
	vector, err := query.Exec(context.Background()).Vector()
	require.NoError(t, err)
	require.Len(t, vector, 1)
	require.Equal(t, 7.0, vector[0].F)
	require.Equal(t, "b", vector[0].Metric.Get("a"))
}
