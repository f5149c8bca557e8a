// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// accessLogs are logs as pod_logs makes them: one observed time, and text of which numbers differ.
func accessLogs(records int) plog.Logs {
	rng := rand.New(rand.NewPCG(1, 2))
	all := plog.NewLogs()
	r := all.ResourceLogs().AppendEmpty()
	r.Resource().Attributes().PutStr("k8s.namespace.name", "shop")
	to := r.ScopeLogs().AppendEmpty().LogRecords()
	at := uint64(1_800_000_000_000_000_000)
	for range records {
		at += rng.Uint64N(50_000)
		one := to.AppendEmpty()
		one.SetTimestamp(pcommon.Timestamp(at))
		one.SetObservedTimestamp(1_800_000_100_000_000_000)
		one.SetSeverityNumber(plog.SeverityNumberInfo)
		one.Body().SetStr(fmt.Sprintf(`10.0.%d.%d - - "GET /api/v1/items/%d HTTP/1.1" 200 %d "https://shop.example.com/catalogue" 0.%03d`,
			rng.IntN(8), rng.IntN(256), rng.IntN(2000), rng.IntN(20_000), rng.IntN(1000)))
	}
	return all
}

func TestOrderLogs(t *testing.T) {
	all := accessLogs(10)
	// One with all that a record can have, and one with nothing.
	full := all.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	one := full.AppendEmpty()
	one.SetTimestamp(1)
	one.SetObservedTimestamp(2)
	one.SetSeverityText("warn")
	one.SetTraceID(pcommon.TraceID{1})
	one.SetSpanID(pcommon.SpanID{2})
	one.SetFlags(plog.DefaultLogRecordFlags.WithIsSampled(true))
	one.SetEventName("event")
	one.SetDroppedAttributesCount(3)
	one.Attributes().PutEmptySlice("list").AppendEmpty().SetDouble(0.5)
	one.Body().SetEmptyMap().PutBool("yes", true)
	full.AppendEmpty()

	plain, err := (&plog.ProtoMarshaler{}).MarshalLogs(all)
	require.NoError(t, err)
	ordered, err := logs{all}.otlp()
	require.NoError(t, err)
	require.Len(t, ordered, len(plain))
	require.NotEqual(t, plain, ordered)
	again, err := unmarshalOTLP(signalLogs, ordered)
	require.NoError(t, err)
	require.Equal(t, all, again.(logs).Logs)
	twice := slices.Clone(ordered)
	orderLogs(twice)
	require.Equal(t, ordered, twice)
}

// It is done for the wire: without a gain it could go.
func TestOrderedLogsCompressBetter(t *testing.T) {
	all := accessLogs(3000)
	plain, err := (&plog.ProtoMarshaler{}).MarshalLogs(all)
	require.NoError(t, err)
	ordered, err := logs{all}.otlp()
	require.NoError(t, err)
	for _, level := range []CompressionLevel{CompressionFastest, CompressionBetter} {
		before, err := compress(encodingZstd, level, nil, plain)
		require.NoError(t, err)
		after, err := compress(encodingZstd, level, nil, ordered)
		require.NoError(t, err)
		t.Logf("%s: %.1f bytes a record instead of %.1f", level, float64(len(after))/3000, float64(len(before))/3000)
		require.Less(t, float64(len(after)), 0.95*float64(len(before)))
	}
}

func FuzzOrderLogs(f *testing.F) {
	request, err := (&plog.ProtoMarshaler{}).MarshalLogs(accessLogs(2))
	require.NoError(f, err)
	f.Add(request)
	f.Add(request[:len(request)-3])
	f.Add([]byte{0x0a, 0x02, 0x12, 0x7f})
	f.Fuzz(func(t *testing.T, request []byte) {
		before, errBefore := unmarshalOTLP(signalLogs, slices.Clone(request))
		orderLogs(request)
		after, errAfter := unmarshalOTLP(signalLogs, request)
		require.Equal(t, errBefore == nil, errAfter == nil)
		if errBefore == nil {
			require.Equal(t, before, after)
		}
	})
}

func BenchmarkOrderLogs(b *testing.B) {
	request, err := (&plog.ProtoMarshaler{}).MarshalLogs(accessLogs(3000))
	require.NoError(b, err)
	b.SetBytes(int64(len(request)))
	for b.Loop() {
		orderLogs(request)
	}
}
