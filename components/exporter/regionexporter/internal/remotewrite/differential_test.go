// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	stock "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
)

// The same series and samples as the stock translator's come out of metrics that lie where the two are meant to agree (see
// the package comment for where they differ): all kinds of points, stale ones, attributes of all scalar types, clashing
// attributes, units, names to normalise. The resource's labels that KOF adds are external labels to the stock one.
func TestAgainstStockTranslator(t *testing.T) {
	e := newEncoder(t, Options{})
	points, natives := 0, 0
	for seed := range uint64(1000) {
		md := newGenerator(seed, false).metrics()
		for _, rm := range md.ResourceMetrics().All() {
			putAll(rm.Resource().Attributes(), "k8s.cluster.name", "c", "kof.tenant", "acme", "k8s.pod.name", "agent", "k8s.node.name", "n")
		}
		tss, _ := stock.FromMetrics(md, stock.Settings{
			AddMetricSuffixes: true, DisableTargetInfo: true, DisableScopeInfo: true,
			ExternalLabels: map[string]string{"cluster": "c", "tenant": "acme", "pod": "agent", "node": "n"},
		})
		var classic, native []prompb.TimeSeries
		for _, ts := range tss {
			if len(ts.Histograms) > 0 {
				native = append(native, *ts)
			}
			if len(ts.Samples) > 0 {
				classic = append(classic, *ts)
			}
		}
		series, result := encode(t, e, md)
		points += result.Points
		natives += len(native)

		got := withTime(series)
		for line, n := range withTime(classic) {
			require.Equal(t, n, got[line], "seed %d: stock has %s", seed, line)
			delete(got, line)
		}
		requireNative(t, seed, got, native)
		require.Empty(t, got, "seed %d: not in stock", seed)
	}
	require.Greater(t, points, 5_000)
	require.Greater(t, natives, 500)
}

// withTime counts samples by name{labels} value @time.
func withTime(series []prompb.TimeSeries) map[string]int {
	out := map[string]int{}
	for _, ts := range series {
		for _, s := range ts.Samples {
			out[sampleText(ts.Labels, s)]++
		}
	}
	return out
}

func sampleText(labels []prompb.Label, s prompb.Sample) string {
	return fmt.Sprintf("%s %s @%d", seriesText(labels), valueText(s.Value), s.Timestamp)
}

// requireNative finds the classic buckets of every native histogram of the stock translator's in got and takes them out.
func requireNative(t *testing.T, seed uint64, got map[string]int, native []prompb.TimeSeries) {
	take := func(line string) {
		require.Positive(t, got[line], "seed %d: no %s", seed, line)
		if got[line]--; got[line] == 0 {
			delete(got, line)
		}
	}
	for _, ts := range native {
		name, rest, _ := strings.Cut(seriesText(ts.Labels), "{")
		for _, h := range ts.Histograms {
			at := fmt.Sprintf("@%d", h.Timestamp)
			take(fmt.Sprintf("%s_sum{%s %s %s", name, rest, valueText(h.Sum), at))
			count := valueText(float64(h.GetCountInt()))
			take(fmt.Sprintf("%s_count{%s %s %s", name, rest, count, at))
			found := 0
			for line := range got {
				le, value, ok := bucketOf(line, name, rest, at)
				if !ok {
					continue
				}
				if math.IsInf(le, 1) {
					require.Equal(t, count, valueText(value))
				} else {
					require.Equal(t, nativeCount(h, le), value, "seed %d: %s", seed, line)
				}
				found++
				take(line)
			}
			require.GreaterOrEqual(t, found, 2, "seed %d: %s", seed, name)
		}
	}
}

// bucketOf reads a bucket's line, if it is one of the named histogram.
func bucketOf(line, name, rest, at string) (le, value float64, ok bool) {
	s, isBucket := strings.CutPrefix(line, name+"_bucket{")
	s, isTime := strings.CutSuffix(s, " "+at)
	i := strings.Index(s, `le="`)
	if !isBucket || !isTime || i < 0 {
		return 0, 0, false
	}
	text, after, _ := strings.Cut(s[i+4:], `"`)
	labels, valueOf, _ := strings.Cut(strings.TrimPrefix(after, ","), "} ")
	if s[:i]+labels+"}" != rest && strings.TrimSuffix(s[:i], ",")+labels+"}" != rest {
		return 0, 0, false
	}
	le, err1 := strconv.ParseFloat(text, 64)
	value, err2 := strconv.ParseFloat(valueOf, 64)
	return le, value, err1 == nil && err2 == nil
}

// nativeCount is the number of observations up to le, which is a bound of the histogram but for its label's rounding.
func nativeCount(h prompb.Histogram, le float64) float64 {
	n := float64(h.GetZeroCountInt())
	it := h.ToIntHistogram().PositiveBucketIterator()
	for le > 0 && it.Next() {
		if b := it.At(); b.Upper <= le*(1+1e-5) {
			n += float64(b.Count)
		}
	}
	return n
}
