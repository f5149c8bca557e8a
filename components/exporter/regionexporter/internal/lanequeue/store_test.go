// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

var (
	errDiskFull = errors.New("no space left on device")
	errUnread   = errors.New("input/output error")
)

// memStore keeps its data when clients close or are cut off, as a disk does. Its batches are atomic, as the queue needs them.
type memStore struct {
	mu       sync.Mutex
	data     map[string][]byte
	full     bool // refuse changes
	noLarge  bool // refuse what is kept for a look
	unread   bool // refuse reads
	reads    int  // refuse reads after so many more; 0 for no such end
	changes  int  // batches that changed something
	largest  int  // operations in the largest of these
	mostRead int  // bytes that one batch returned at most
	newest   *memClient
}

func newMemStore() *memStore { return &memStore{data: map[string][]byte{}} }

// client returns a new client; older ones are dead from then on, like those of a process that was killed.
func (m *memStore) client() storage.Client {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.newest = &memClient{store: m}
	return m.newest
}

func (m *memStore) set(full, unread bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full, m.unread = full, unread
}

// records returns the keys of stored records.
func (m *memStore) records() map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	recs := maps.Clone(m.data)
	maps.DeleteFunc(recs, func(k string, _ []byte) bool { return strings.Trim(k, "0123456789") != "" })
	return recs
}

func (m *memStore) clone() *memStore {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memStore{data: maps.Clone(m.data)}
}

type memClient struct {
	store  *memStore
	closed bool
}

func (c *memClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	m := c.store
	m.mu.Lock()
	defer m.mu.Unlock()
	if c.closed || c != m.newest {
		return errors.New("database not open")
	}
	changes := 0
	for _, op := range ops {
		if m.noLarge && op.Type == storage.Set && strings.HasPrefix(op.Key, "refused-") {
			return errDiskFull
		}
		if op.Type != storage.Get {
			changes++
		}
	}
	switch {
	case changes > 0 && m.full:
		return errDiskFull
	case changes < len(ops) && m.unread:
		return errUnread
	case changes < len(ops) && m.reads > 0:
		m.reads--
		m.unread = m.reads == 0
	}
	if changes > 0 {
		m.changes++
		m.largest = max(m.largest, changes)
	}
	read := 0
	defer func() { m.mostRead = max(m.mostRead, read) }()
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = bytes.Clone(m.data[op.Key])
			read += len(op.Value)
		case storage.Set:
			m.data[op.Key] = bytes.Clone(op.Value)
		case storage.Delete:
			delete(m.data, op.Key)
		}
	}
	return nil
}

func (c *memClient) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := c.Batch(ctx, op)
	return op.Value, err
}

func (c *memClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}

func (c *memClient) Delete(ctx context.Context, key string) error {
	return c.Batch(ctx, storage.DeleteOperation(key))
}

func (c *memClient) Close(context.Context) error {
	c.store.mu.Lock()
	defer c.store.mu.Unlock()
	c.closed = true
	return nil
}

// fileStore is the stock file_storage extension on a folder.
func fileStore(t testing.TB, dir string) storage.Extension {
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = dir
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })
	return ext.(storage.Extension)
}

func fileClient(t testing.TB, ext storage.Extension) storage.Client {
	client, err := ext.GetClient(t.Context(), component.KindExporter, component.MustNewID("region"), "logs_eu-west-1")
	require.NoError(t, err)
	return client
}

// testOptions are bounds that don't get into the way of a test about something else.
func testOptions() Options {
	return Options{MaxBytes: 1 << 30, Budget: NewBudget(1 << 30), BatchBytes: 1 << 20, Now: time.Now}
}

func openT(t testing.TB, client storage.Client, opts Options) *Queue {
	t.Helper()
	q, damaged, err := Open(t.Context(), client, opts)
	require.NoError(t, err)
	require.False(t, damaged)
	t.Cleanup(func() { _ = q.Close(context.Background()) })
	return q
}

// rec returns a record of items items whose payload is text.
func rec(text string, items int) Record {
	return Record{
		Format: FormatOTLP, Accepted: time.UnixMilli(1_700_000_000_000), Items: items,
		Region: "eu-west-1", Zone: "eu", Payload: []byte(text),
	}
}

func putT(t testing.TB, q *Queue, recs ...Record) {
	t.Helper()
	for _, r := range recs {
		require.NoError(t, q.Put(t.Context(), r, Dropped{}))
	}
}

func takeT(t testing.TB, q *Queue) []Record {
	t.Helper()
	recs, err := q.TakeWaiting(t.Context())
	require.NoError(t, err)
	return recs
}

func deliverT(t testing.TB, q *Queue, recs []Record) {
	t.Helper()
	require.NoError(t, q.Settle(t.Context(), recs, Outcome{Delivered: itemsOf(recs)}))
}

func itemsOf(recs []Record) (n int64) {
	for _, r := range recs {
		n += int64(r.Items)
	}
	return n
}

func texts(recs []Record) []string {
	all := []string{}
	for _, r := range recs {
		all = append(all, string(r.Payload))
	}
	return all
}

// storedSize is what the bounds count for a record.
func storedSize(t testing.TB, r Record) int64 {
	buf, err := r.marshal()
	require.NoError(t, err)
	return int64(len(buf))
}
