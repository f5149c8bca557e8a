// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
)

func fieldRegion(name string) zap.Field { return zap.String("region", name) }

// fill gives records to a region until its lane refuses, and returns their ids and the one that was refused.
func fill(t testing.TB, r *running, regionName string) (taken []string, refused string, err error) {
	for i := range 1000 {
		id := fmt.Sprintf("%s-%04d-%s", regionName, i, noise(100_000))
		if err = r.ConsumeLogs(t.Context(), logRecords(regionName, id)); err != nil {
			return taken, id, err
		}
		taken = append(taken, id)
	}
	require.Fail(t, "the lane has no bound")
	return nil, "", nil
}

// When one lane is full, the error carries that lane's part and no more: to send that again repeats nothing.
func TestPartOfABatchIsRefused(t *testing.T) {
	home, far := newBackend(t, nil), newBackend(t, answerAlways(http.StatusServiceUnavailable))
	cfg := quickConfig(t, twoRegions(home.URL, far.URL))
	cfg.Queue.MaxBytes = mib
	r := begin(t, newHost(t, t.TempDir()), cfg)
	taken, refused, err := fill(t, r, "far")
	require.Len(t, taken, 10, "of 100 kB each into 1 MiB")
	require.False(t, consumererror.IsPermanent(err), "the receiver may try again")
	require.ErrorContains(t, err, "region far, logs: the queue is full")
	requireRest(t, err, refused)

	ld := logRecords("far", refused)
	logRecords("home", "h1", "h2").ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	logRecords("far", "small").ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	logRecords("", "h3").ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	err = r.ConsumeLogs(t.Context(), ld)
	rest := requireRest(t, err, refused, "small")
	require.EqualValues(t, 3, r.drained("home", signalLogs).delivered)
	l := r.ledger("far", signalLogs)
	require.EqualValues(t, 10, l.accepted)
	require.EqualValues(t, 3, l.refused)
	require.Zero(t, l.balance())

	// The receiver comes again until there is room.
	for range 3 {
		rest = requireRest(t, r.ConsumeLogs(t.Context(), rest), refused, "small")
	}
	far.setAnswer(nil)
	r.drained("far", signalLogs)
	require.NoError(t, r.ConsumeLogs(t.Context(), rest))
	r.drained("far", signalLogs)
	require.Equal(t, map[string]int{"h1": 1, "h2": 1, "h3": 1}, home.has())
	got := far.has()
	require.Len(t, got, 12)
	for _, id := range append(taken, refused, "small") {
		require.Equal(t, 1, got[id])
	}
}

// requireRest returns the data that an error carries, which must be these records.
func requireRest(t testing.TB, err error, ids ...string) plog.Logs {
	t.Helper()
	require.Error(t, err)
	var rest consumererror.Logs
	require.True(t, errors.As(err, &rest), "%v", err)
	require.ElementsMatch(t, ids, logIDs(rest.Data()))
	return rest.Data()
}

func TestRefusedMetricsAndTraces(t *testing.T) {
	b := newBackend(t, answerAlways(http.StatusServiceUnavailable))
	cfg := quickConfig(t, oneRegion(b.URL))
	cfg.Queue.MaxBytes = mib
	r := begin(t, newHost(t, t.TempDir()), cfg)
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		err = r.ConsumeTraces(t.Context(), spans("", fmt.Sprint(i)+noise(100_000)))
	}
	var td consumererror.Traces
	require.True(t, errors.As(err, &td))
	require.Len(t, spanIDs(td.Data()), 1)
	err = nil
	for i := 0; err == nil && i < 1000; i++ {
		err = r.ConsumeMetrics(t.Context(), gauges("", idsOf(fmt.Sprint(i), 2000)...))
	}
	var md consumererror.Metrics
	require.True(t, errors.As(err, &md))
	require.Len(t, pointIDs(md.Data()), 2000)
	require.EqualValues(t, 2000, r.ledger("home", signalMetrics).refused)
}

func TestDropOldestAtTheBound(t *testing.T) {
	b := newBackend(t, answerAlways(http.StatusServiceUnavailable))
	cfg := quickConfig(t, oneRegion(b.URL))
	cfg.Queue.MaxBytes, cfg.Queue.OnFull, cfg.Batch.MaxBytes, cfg.Senders = mib, OnFullDropOldest, kib, 1
	r := begin(t, newHost(t, t.TempDir()), cfg)
	var ids []string
	for i := range 25 {
		ids = append(ids, fmt.Sprintf("%02d-%s", i, noise(100_000)))
		require.NoError(t, r.ConsumeLogs(t.Context(), logRecords("", ids[i])))
	}
	l := r.ledger("home", signalLogs)
	require.EqualValues(t, 25, l.accepted)
	require.EqualValues(t, 10, l.held)
	require.Equal(t, map[string]int64{"queue_full": 15}, l.dropped)
	b.setAnswer(nil)
	l = r.drained("home", signalLogs)
	require.EqualValues(t, 10, l.delivered)
	got := b.has()
	require.Len(t, got, 10)
	for _, id := range ids[16:] { // the sender may hold any one of the older ones
		require.Equal(t, 1, got[id])
	}
}

func fieldSignal(s signal) zap.Field { return zap.String("signal", string(s)) }
