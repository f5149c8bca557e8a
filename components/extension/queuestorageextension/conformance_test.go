// SPDX-License-Identifier: Apache-2.0

//go:build linux

package queuestorageextension

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// startStock starts the stock file storage with its defaults.
func startStock(t testing.TB, dir string, fsync bool) storage.Extension {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory, cfg.FSync = dir, fsync
	e, err := factory.Create(context.Background(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	return e.(storage.Extension)
}

// TestSameAsStock does the same to the stock file storage and to ours, with the clients reopened now and then.
func TestSameAsStock(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	ours, stock := start(t, t.TempDir(), nil), startStock(t, t.TempDir(), false)
	a, b := open(t, ours, "x"), open(t, stock, "x")
	keys := []string{"0", "1", "2", "01", "99999999999999999999", "name", "né", "\x00", "a/b"}
	for step := range 3000 {
		if rng.IntN(200) == 0 {
			require.NoError(t, a.Close(t.Context()))
			require.NoError(t, b.Close(t.Context()))
			a, b = open(t, ours, "x"), open(t, stock, "x")
		}
		var opsA, opsB []*storage.Operation
		for range 1 + rng.IntN(5) {
			k := keys[rng.IntN(len(keys))]
			if rng.IntN(3) == 0 {
				k = strconv.Itoa(rng.IntN(20))
			}
			op := storage.Operation{Key: k, Type: storage.OpType(rng.IntN(3))}
			if op.Type == storage.Set {
				op.Value = []byte(fmt.Sprint("value ", step))[:rng.IntN(8)]
			}
			same := op
			opsA, opsB = append(opsA, &op), append(opsB, &same)
		}
		require.NoError(t, a.Batch(t.Context(), opsA...))
		require.NoError(t, b.Batch(t.Context(), opsB...))
		require.Equal(t, opsB, opsA, "step %d", step)
		k := keys[rng.IntN(len(keys))]
		fromA, err := a.Get(t.Context(), k)
		require.NoError(t, err)
		fromB, err := b.Get(t.Context(), k)
		require.NoError(t, err)
		require.Equal(t, fromB, fromA, "step %d", step)
	}
	require.Equal(t, a.Set(t.Context(), "", nil) != nil, b.Set(t.Context(), "", nil) != nil, "both refuse an empty key")
	require.NoError(t, b.Close(t.Context()))
}
