// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/k0rdent/kof/internal/segmentlog"
)

// rotten is a client that finds the values of some keys damaged when they are read, as queue_storage says it.
type rotten struct {
	storage.Client
	keys map[string]bool
}

func (c rotten) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := c.Batch(ctx, op)
	return op.Value, err
}

func (c rotten) Batch(ctx context.Context, ops ...*storage.Operation) error {
	for _, op := range ops {
		if op.Type == storage.Get && c.keys[op.Key] {
			return fmt.Errorf("key %s: %w", op.Key, segmentlog.ErrCorrupt)
		}
	}
	return c.Client.Batch(ctx, ops...)
}

// A record that the store can't read any more is counted as damaged, and those around it are delivered.
func TestRottenRecord(t *testing.T) {
	client := rotten{newMemStore().client(), map[string]bool{"1": true}}
	q := openT(t, client, testOptions())
	for _, text := range []string{"a", "b", "c"} {
		putT(t, q, rec(text, 1))
	}
	recs := takeT(t, q)
	require.Equal(t, []string{"a", "c"}, texts(recs))
	require.NoError(t, q.Settle(t.Context(), recs, Outcome{Delivered: 2}))
	totals := q.Totals()
	require.EqualValues(t, 1, totals.DroppedItems[ReasonDamaged])
	require.Zero(t, totals.HeldItems)
	require.Zero(t, totals.HeldBytes)
	require.Zero(t, totals.Residual())
}

// A state that the store can't read any more makes the queue begin anew, and says so.
func TestRottenState(t *testing.T) {
	_, damaged, err := Open(t.Context(), rotten{newMemStore().client(), map[string]bool{metaKey: true}}, testOptions())
	require.NoError(t, err)
	require.True(t, damaged)
}
