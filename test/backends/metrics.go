// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"
)

// Sample is one element of an instant query's result.
type Sample struct {
	Labels map[string]string // with __name__ if the result has a name
	Value  float64
	Time   time.Time // at which the query was evaluated
}

// Series is one time series as it is stored.
type Series struct {
	Labels     map[string]string // with __name__
	Values     []float64
	Timestamps []int64 // Unix time in milliseconds, ascending; one for each value
}

// Query evaluates an instant PromQL query at the current time, on
// VictoriaMetrics. An empty result is not an error.
func (s *Server) Query(ctx context.Context, promql string) ([]Sample, error) {
	var answer struct {
		Data struct {
			ResultType string `json:"resultType"`
			Result     json.RawMessage
		}
	}
	// The server's own default is the last whole second, at which a sample that
	// is younger can't be seen.
	now := strconv.FormatFloat(float64(time.Now().UnixMilli())/1000, 'f', 3, 64)
	form := url.Values{"query": {promql}, "time": {now}, "nocache": {"1"}}
	if err := s.post(ctx, "/api/v1/query", form, decodeInto(&answer)); err != nil {
		return nil, err
	}
	if answer.Data.ResultType != "vector" {
		return nil, s.named(fmt.Errorf("query %q gives a %s, not an instant vector", promql, answer.Data.ResultType))
	}
	var result []struct {
		Metric map[string]string
		Value  sampleValue
	}
	if err := json.Unmarshal(answer.Data.Result, &result); err != nil {
		return nil, s.named(fmt.Errorf("query %q: %w", promql, err))
	}
	samples := make([]Sample, len(result))
	for i, r := range result {
		samples[i] = Sample{Labels: r.Metric, Value: r.Value.value, Time: r.Value.time}
	}
	return samples, nil
}

// sampleValue is a [time in seconds, "value"] pair.
type sampleValue struct {
	time  time.Time
	value float64
}

func (v *sampleValue) UnmarshalJSON(data []byte) error {
	var seconds float64
	var value string
	pair := [2]any{&seconds, &value}
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	var err error
	v.time = time.UnixMilli(int64(math.Round(seconds * 1000)))
	v.value, err = strconv.ParseFloat(value, 64)
	return err
}

// Export returns all stored samples, of all times, of the series that a
// selector such as {__name__=~"node_.*"} matches, on VictoriaMetrics. Samples
// that were stored twice are returned twice. Staleness markers are NaN.
func (s *Server) Export(ctx context.Context, match string) ([]Series, error) {
	type line struct {
		Metric     map[string]string
		Values     []exportValue
		Timestamps []int64
	}
	var all []Series
	// Without an end, the last whole second is the end. VictoriaMetrics takes
	// samples up to two days ahead.
	end := strconv.FormatInt(time.Now().AddDate(1, 0, 0).Unix(), 10)
	err := s.post(ctx, "/api/v1/export", url.Values{"match[]": {match}, "end": {end}}, decodeLines(func(l line) {
		series := Series{Labels: l.Metric, Timestamps: l.Timestamps, Values: make([]float64, len(l.Values))}
		for i, v := range l.Values {
			series.Values[i] = float64(v)
		}
		all = append(all, series)
	}))
	return all, err
}

// exportValue is a value as VictoriaMetrics' JSON line format has it: a number,
// null for NaN, or "Infinity" or "-Infinity".
type exportValue float64

func (v *exportValue) UnmarshalJSON(data []byte) error {
	text := string(data)
	if text == "null" {
		*v = exportValue(math.NaN())
		return nil
	}
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	f, err := strconv.ParseFloat(text, 64)
	*v = exportValue(f)
	return err
}
