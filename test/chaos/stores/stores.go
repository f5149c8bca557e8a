// SPDX-License-Identifier: Apache-2.0

// Package stores reads back, from the real backends of a region, which numbered records they hold and how often.
package stores

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/chaos/load"
)

// Counts says how often each record was found, by its number.
type Counts map[int]int

// Found is what the stores of one region hold, by the lane that the records were sent for.
type Found map[load.Lane]Counts

func (f Found) add(lane load.Lane, n int) {
	counts := f[lane]
	if counts == nil {
		counts = Counts{}
		f[lane] = counts
	}
	counts[n]++
}

// Range is the requests that may be there: of one run, from 0 to Requests-1.
type Range struct {
	Stream   load.Stream // of any region and signal of the run: they share the run's name and base time
	Requests int
}

// Read returns what the region's backends hold of a run, whatever region it was meant for.
func Read(ctx context.Context, region *backends.Region, r Range) (Found, error) {
	found := make([]Found, 3)
	errs := make([]error, 3)
	var all sync.WaitGroup
	for i, read := range []func(context.Context, *backends.Region, Range, Found) error{readMetrics, readLogs, readTraces} {
		found[i] = Found{}
		all.Go(func() { errs[i] = read(ctx, region, r, found[i]) })
	}
	all.Wait()
	joined := Found{}
	for _, f := range found {
		for lane, counts := range f {
			joined[lane] = counts
		}
	}
	return joined, errors.Join(errs...)
}

func readMetrics(ctx context.Context, region *backends.Region, r Range, to Found) error {
	if err := region.Metrics.Flush(ctx); err != nil {
		return err
	}
	all, err := region.Metrics.Export(ctx, fmt.Sprintf("{__name__=%q,job=%q}", load.MetricName, r.Stream.Run))
	if err != nil {
		return err
	}
	for _, series := range all {
		lane := load.Lane{Region: series.Labels[load.IntendedAttribute], Signal: load.Metrics}
		for _, v := range series.Values {
			if v < 0 || v != math.Trunc(v) || v > math.MaxInt32 {
				return fmt.Errorf("%s: a record with the number %v", region.Metrics.Name, v)
			}
			to.add(lane, int(v))
		}
	}
	return nil
}

func readLogs(ctx context.Context, region *backends.Region, r Range, to Found) error {
	if err := region.Logs.Flush(ctx); err != nil {
		return err
	}
	// Counted there: a run can have hundreds of thousands of records.
	query := fmt.Sprintf(`"service.name":=%q | stats by (%s, %s) count() as times`, r.Stream.Run, load.IntendedAttribute, load.SequenceAttribute)
	records, err := region.Logs.LogsQuery(ctx, query, 0)
	if err != nil {
		return err
	}
	for _, record := range records {
		n, err := strconv.Atoi(record[load.SequenceAttribute])
		times, timesErr := strconv.Atoi(record["times"])
		if err := errors.Join(err, timesErr); err != nil {
			return fmt.Errorf("%s: record %v: %w", region.Logs.Name, record, err)
		}
		for range times {
			to.add(load.Lane{Region: record[load.IntendedAttribute], Signal: load.Logs}, n)
		}
	}
	return nil
}
