// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/k0rdent/kof/components/exporter/regionexporter/internal/lanequeue"
)

// allocated returns how many bytes a call allocates, once what is used again is there.
func allocated(t *testing.T, call func()) int {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // pools are emptied by it
	call()
	const calls = 5
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		call()
	}
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc-before.TotalAlloc) / calls
}

// A page of the kubelet is megabytes of remote write, and encoded again and again.
func TestEncodingAllocatesLittleMoreThanThePayload(t *testing.T) {
	if testing.Short() {
		t.Skip("under the race detector pools forget at random")
	}
	m := pmetric.NewMetrics()
	metric := m.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	metric.SetName("container_cpu_usage_seconds_total")
	points := metric.SetEmptyGauge().DataPoints()
	for i := range 20_000 {
		point := points.AppendEmpty()
		point.SetTimestamp(1_790_000_000_000_000_000)
		point.SetDoubleValue(float64(i))
		point.Attributes().PutStr("id", fmt.Sprintf("/kubepods.slice/%064d", i))
	}
	e, err := newEncoder(MetricsConfig{})
	require.NoError(t, err)
	size := 0
	got := allocated(t, func() {
		payload, items, _, err := e.encode(metrics{m}, lanequeue.FormatRemoteWrite)
		require.NoError(t, err)
		require.Equal(t, 20_000, items)
		size = len(payload)
	})
	require.Greater(t, size, 2*mib)
	require.Less(t, got, size*3/2)
}
