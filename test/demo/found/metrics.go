// SPDX-License-Identifier: Apache-2.0

// Package found reads from the real backends what they hold of the demo's records: counts for the live table, and
// identifiers for the comparison.
package found

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/demo/samples"
)

// hostSeries selects this machine's metrics by the job that host.yaml gives them, without the series that their
// translation adds (target_info).
const hostSeries = `{job="hostmetrics",__name__=~"system_.+"}`

// Samples returns all stored samples of the given instances.
func Samples(ctx context.Context, server *backends.Server, instances []string) ([]samples.Series, error) {
	stored, err := server.Export(ctx, fmt.Sprintf(`{%s=~%q}`, samples.InstanceLabel, strings.Join(instances, "|")))
	if err != nil {
		return nil, err
	}
	out := make([]samples.Series, len(stored))
	for i, s := range stored {
		out[i] = samples.Series{Labels: s.Labels, Timestamps: s.Timestamps, Values: s.Values}
	}
	return out, nil
}

// SampleCounts counts the stored samples of the given series names per instance, back to the given time.
func SampleCounts(ctx context.Context, server *backends.Server, names, instances []string, since time.Time) (map[string]int64, error) {
	counts := map[string]int64{}
	if len(names) == 0 {
		return counts, nil
	}
	selector := fmt.Sprintf(`{__name__=~%q,%s=~%q}`, strings.Join(names, "|"), samples.InstanceLabel, strings.Join(instances, "|"))
	rows, err := server.Query(ctx, fmt.Sprintf(`sum by (%s) (count_over_time(%s[%s]))`, samples.InstanceLabel, selector, window(since)))
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		counts[row.Labels[samples.InstanceLabel]] = int64(row.Value)
	}
	return counts, nil
}

// HostCount counts the stored samples of this machine's metrics, back to the given time.
func HostCount(ctx context.Context, server *backends.Server, since time.Time) (int64, error) {
	rows, err := server.Query(ctx, fmt.Sprintf(`sum(count_over_time(%s[%s]))`, hostSeries, window(since)))
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return int64(rows[0].Value), nil
}

// HostCountUntil counts the stored samples of this machine's metrics up to the given time, one by one.
func HostCountUntil(ctx context.Context, server *backends.Server, until time.Time) (int, error) {
	stored, err := server.Export(ctx, hostSeries)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, series := range stored {
		for _, at := range series.Timestamps {
			if at <= until.UnixMilli() {
				n++
			}
		}
	}
	return n, nil
}

// window reaches back to the given time and a little further, because clocks of samples are not the reader's.
func window(since time.Time) string {
	return fmt.Sprintf("%ds", int(time.Since(since).Seconds())+10)
}
