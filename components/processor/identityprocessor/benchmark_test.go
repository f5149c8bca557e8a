// SPDX-License-Identifier: Apache-2.0

package identityprocessor

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// resources is how many resources one batch of the benchmarks has.
const resources = 100

// batch returns logs of resources as an agent sees them: with the attributes of a pod.
func batch(tb testing.TB) plog.Logs {
	ld := plog.NewLogs()
	for range resources {
		require.NoError(tb, ld.ResourceLogs().AppendEmpty().Resource().Attributes().FromRaw(map[string]any{
			"k8s.namespace.name": "shop", "k8s.pod.name": "cart-5d9f", "k8s.pod.uid": "0b5c", "k8s.container.name": "cart",
			"k8s.node.name": "node-1", "k8s.deployment.name": "cart", "service.name": "cart", "host.name": "node-1",
		}))
	}
	return ld
}

// BenchmarkInsert sets five attributes on each of 100 resources of a new batch.
func BenchmarkInsert(b *testing.B) {
	cfg, err := load(b, "identity/full", nil)
	require.NoError(b, err)
	p, template := newT(b, cfg), batch(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		ld := plog.NewLogs() // a used one would have the room already
		template.CopyTo(ld)
		b.StartTimer()
		_, _ = p.processLogs(context.Background(), ld)
	}
}

// BenchmarkPresent finds all five attributes on each of 100 resources.
func BenchmarkPresent(b *testing.B) {
	cfg, err := load(b, "identity/full", nil)
	require.NoError(b, err)
	p, ld := newT(b, cfg), batch(b)
	_, _ = p.processLogs(context.Background(), ld)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = p.processLogs(context.Background(), ld)
	}
}

// An insertion allocates its value, and the first of a resource the room for all; nothing else allocates.
func TestAllocations(t *testing.T) {
	cfg, err := load(t, "identity/full", nil)
	require.NoError(t, err)
	p, ctx := newT(t, cfg), context.Background()

	const runs = 10
	batches := make([]plog.Logs, 0, runs+1) // AllocsPerRun runs once more than asked
	for range runs + 1 {
		batches = append(batches, batch(t))
	}
	next := 0
	inserting := testing.AllocsPerRun(runs, func() {
		_, _ = p.processLogs(ctx, batches[next])
		next++
	})
	require.LessOrEqual(t, inserting, float64(resources*(5+1)))

	require.Zero(t, testing.AllocsPerRun(runs, func() { _, _ = p.processLogs(ctx, batches[0]) }))
}
