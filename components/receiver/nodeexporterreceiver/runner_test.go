// SPDX-License-Identifier: Apache-2.0

//go:build linux

package nodeexporterreceiver

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/node_exporter/collector"
	"github.com/stretchr/testify/require"
)

func mustRegexp(t *testing.T, s string) *regexp.Regexp {
	t.Helper()
	re, err := regexp.Compile(s)
	require.NoError(t, err)
	return re
}

// collectorFunc is a collector that a test writes.
type collectorFunc func(chan<- prometheus.Metric) error

func (f collectorFunc) Update(ch chan<- prometheus.Metric) error { return f(ch) }

// gives n series of a name.
func gives(name string, n int) collectorFunc {
	desc := prometheus.NewDesc(name, "", []string{"i"}, nil)
	return func(ch chan<- prometheus.Metric) error {
		for i := range n {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, 1, fmt.Sprint(i))
		}
		return nil
	}
}

func runnersOf(cs ...nodeCollector) *runners {
	r := &runners{}
	for i, c := range cs {
		r.all = append(r.all, &runner{name: fmt.Sprint(i), collector: c})
	}
	return r
}

func TestCollectorsDontHoldUpEachOther(t *testing.T) {
	hang, starts := make(chan struct{}), 0
	r := runnersOf(gives("good", 3),
		collectorFunc(func(chan<- prometheus.Metric) error { starts++; <-hang; return nil }),
		collectorFunc(func(chan<- prometheus.Metric) error { panic("out of range") }),
		collectorFunc(func(chan<- prometheus.Metric) error { return fmt.Errorf("open: %w", os.ErrPermission) }),
		collectorFunc(func(chan<- prometheus.Metric) error { return collector.ErrNoData }),
		collectorFunc(func(chan<- prometheus.Metric) error { return errors.New("odd content") }),
		gives("many", 1000))
	for range 3 {
		results := r.collect(nil, 100*time.Millisecond, 100)
		require.Len(t, results[0].metrics, 3)
		require.NoError(t, results[0].err)
		reasons := map[int]string{}
		for i, out := range results {
			if out.err != nil && !out.noData() {
				reasons[i] = reasonOf(out.err)
			}
		}
		require.Equal(t, map[int]string{1: reasonTimeout, 2: reasonPanic, 3: reasonPermission, 5: reasonFailed, 6: reasonTooMany}, reasons)
		require.True(t, results[4].noData())
		require.Equal(t, 1000, results[6].left)
		require.Empty(t, results[6].metrics)
	}
	require.Equal(t, []string{"1"}, r.hanging())
	close(hang)
	r.wg.Wait()
	require.Equal(t, 1, starts, "it wasn't started again while it hung")
	require.NoError(t, r.collect(nil, time.Second, 100)[1].err, "it works again")
	r.wg.Wait()
}

func TestCutLeavesOutTheLargest(t *testing.T) {
	r := runnersOf(gives("a", 10), gives("b", 60), gives("c", 30), gives("d", 60))
	results := r.collect(nil, time.Minute, 100)
	require.Equal(t, 120, cut(results, 50))
	sizes := []int{}
	for _, out := range results {
		sizes = append(sizes, len(out.metrics))
	}
	require.Equal(t, []int{10, 0, 30, 0}, sizes)
	require.ErrorIs(t, results[1].err, errTooMany)
	require.NoError(t, results[2].err)
}
