// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const testTime = pcommon.Timestamp(1_790_000_000_123_000_000)

func newEncoder(tb testing.TB, opts Options) *Encoder {
	e, err := NewEncoder(opts)
	require.NoError(tb, err)
	return e
}

// encode encodes md, checks all that must hold of any output, and returns the decoded series.
func encode(tb testing.TB, e *Encoder, md pmetric.Metrics) ([]prompb.TimeSeries, Result) {
	prefix := []byte("prefix")
	out, result := e.Append(prefix, md)
	require.Equal(tb, "prefix", string(out[:len(prefix)]))
	var req prompb.WriteRequest
	require.NoError(tb, req.Unmarshal(out[len(prefix):]))
	require.Equal(tb, md.DataPointCount(), result.Points+result.DroppedPoints(), "a data point is encoded or dropped")
	samples := 0
	for _, ts := range req.Timeseries {
		require.Len(tb, ts.Samples, 1)
		require.Empty(tb, ts.Histograms)
		require.NotZero(tb, ts.Samples[0].Timestamp)
		requireLabels(tb, ts.Labels, e.maxLabels)
		samples++
	}
	require.Equal(tb, samples, result.Samples)
	return req.Timeseries, result
}

// requireLabels checks the rules of remote write and the bounds.
func requireLabels(tb testing.TB, labels []prompb.Label, limit int) {
	named := false
	for i, l := range labels {
		named = named || l.Name == nameLabel
		switch {
		case i > 0 && labels[i-1].Name >= l.Name:
			require.Fail(tb, "not sorted or not unique", "%v", labels)
		case !labelSyntax.MatchString(l.Name) || len(l.Name) > MaxLabelNameLength:
			require.Fail(tb, "bad label name", "%q", l.Name)
		case l.Value == "" || !utf8.ValidString(l.Value) || len(l.Value) > MaxLabelValueLength:
			require.Fail(tb, "bad label value", "%s=%q", l.Name, l.Value)
		}
	}
	require.True(tb, named, "no name: %v", labels)
	require.LessOrEqual(tb, len(labels), limit)
}

// lines writes series in the form name{label="value"} value, sorted, for comparison.
func lines(series []prompb.TimeSeries) []string {
	var out []string
	for _, ts := range series {
		for _, s := range ts.Samples {
			out = append(out, seriesText(ts.Labels)+" "+valueText(s.Value))
		}
	}
	slices.Sort(out)
	return out
}

func seriesText(labels []prompb.Label) string {
	name, rest := "", []string{}
	for _, l := range labels {
		if l.Name == nameLabel {
			name = l.Value
		} else if l.Value != "" {
			rest = append(rest, fmt.Sprintf("%s=%q", l.Name, l.Value))
		}
	}
	slices.Sort(rest)
	return name + "{" + strings.Join(rest, ",") + "}"
}

func valueText(v float64) string {
	switch b := math.Float64bits(v); {
	case b == math.Float64bits(stale):
		return "stale"
	case math.IsNaN(v):
		return "NaN"
	default:
		return fmt.Sprint(v)
	}
}

// oneMetric returns metrics with one metric, and its resource's attributes.
func oneMetric(name, unit string) (pmetric.Metrics, pcommon.Map, pmetric.Metric) {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(name)
	m.SetUnit(unit)
	return md, rm.Resource().Attributes(), m
}

// gaugePoint returns metrics with one gauge point of value 1, with the given attributes.
func gaugePoint(resource, point map[string]any) pmetric.Metrics {
	md, res, m := oneMetric("g", "")
	_ = res.FromRaw(resource)
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(testTime)
	dp.SetDoubleValue(1)
	_ = dp.Attributes().FromRaw(point)
	return md
}
