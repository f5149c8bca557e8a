// SPDX-License-Identifier: Apache-2.0

//go:build linux

package queuestorageextension

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
)

// backend takes logs, or refuses them while it is down.
type backend struct {
	mu       sync.Mutex
	down     bool
	received map[string]int
}

func (b *backend) push(_ context.Context, logs plog.Logs) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return errors.New("down")
	}
	if logs.LogRecordCount() == 0 {
		return nil // what exporterhelper makes of the number of a record that it could not store
	}
	body := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str()
	id, _, _ := strings.Cut(body, " ")
	b.received[id]++
	return nil
}

func (b *backend) set(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
}

func (b *backend) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.received)
}

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// newExporter starts an exporter as the Collector's own are, with its persistent queue on our storage.
func newExporter(t testing.TB, e *queueStorage, b *backend) exporter.Logs {
	t.Helper()
	id := component.NewID(NewFactory().Type())
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.StorageID, queue.QueueSize, queue.NumConsumers = &id, 100_000, 4
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval, retry.MaxInterval, retry.MaxElapsedTime = 10*time.Millisecond, 20*time.Millisecond, 0
	set := exportertest.NewNopSettings(component.MustNewType("otlp"))
	set.ID = component.MustNewIDWithName("otlp", "lane")
	exp, err := exporterhelper.NewLogs(t.Context(), set, &struct{}{}, b.push,
		exporterhelper.WithQueue(configoptional.Some(queue)), exporterhelper.WithRetry(retry))
	require.NoError(t, err)
	require.NoError(t, exp.Start(t.Context(), host{id: e}))
	return exp
}

func logWith(id string, size int) plog.Logs {
	logs := plog.NewLogs()
	body := id + " " + strings.Repeat("x", size)
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(body)
	return logs
}

func TestPersistentQueue(t *testing.T) {
	dir := t.TempDir()
	b := &backend{down: true, received: map[string]int{}}
	e := start(t, dir, nil)
	exp := newExporter(t, e, b)
	for n := range 200 {
		require.NoError(t, exp.ConsumeLogs(t.Context(), logWith(fmt.Sprint(n), 30_000)))
	}
	require.NoError(t, exp.Shutdown(t.Context()))
	require.NoError(t, e.Shutdown(t.Context()))
	require.Zero(t, b.count())

	e = start(t, dir, nil)
	b.set(false)
	exp = newExporter(t, e, b)
	require.Eventually(t, func() bool { return b.count() == 200 }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, exp.ConsumeLogs(t.Context(), logWith("200", 30_000)))
	require.Eventually(t, func() bool { return b.count() == 201 }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, exp.Shutdown(t.Context()))
	for id, times := range b.received {
		require.Equal(t, 1, times, id)
	}
}

// TestPersistentQueueAtQuota fills the storage below an exporter: what the exporter refused was not taken, what it took
// is delivered, although handing out an item means writing.
func TestPersistentQueueAtQuota(t *testing.T) {
	e := start(t, t.TempDir(), func(c *Config) { c.MaxBytesPerClient = 6 << 20 })
	b := &backend{down: true, received: map[string]int{}}
	exp := newExporter(t, e, b)
	accepted := map[string]bool{}
	refused := 0
	for n := range 400 {
		id := fmt.Sprint(n)
		if n == 300 {
			b.set(false) // the backend is back while data still comes in
		}
		err := exp.ConsumeLogs(t.Context(), logWith(id, 30_000))
		if err == nil {
			accepted[id] = true
			continue
		}
		require.ErrorIs(t, err, storage.ErrStorageFull)
		refused++
	}
	require.Greater(t, refused, 50)
	require.Greater(t, len(accepted), 100)
	require.Eventually(t, func() bool { return b.count() == len(accepted) }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, exp.Shutdown(t.Context()))
	for id := range accepted {
		require.Contains(t, b.received, id)
	}
}
