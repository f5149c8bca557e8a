// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

func TestPartialSuccess(t *testing.T) {
	m := pmetricotlp.NewExportResponse()
	m.PartialSuccess().SetRejectedDataPoints(1 << 40)
	m.PartialSuccess().SetErrorMessage("old")
	buf, err := m.MarshalProto()
	require.NoError(t, err)
	rejected, message := partialSuccess(buf)
	require.EqualValues(t, 1<<40, rejected)
	require.Equal(t, "old", message)

	s := ptraceotlp.NewExportResponse()
	s.PartialSuccess().SetRejectedSpans(2)
	buf, err = s.MarshalProto()
	require.NoError(t, err)
	rejected, message = partialSuccess(buf)
	require.EqualValues(t, 2, rejected)
	require.Empty(t, message)

	rejected, message = partialSuccess(nil)
	require.Zero(t, rejected)
	require.Empty(t, message)
}

// An answer is a stranger's: whatever it holds, no panic and no negative count.
func FuzzPartialSuccess(f *testing.F) {
	m := pmetricotlp.NewExportResponse()
	m.PartialSuccess().SetRejectedDataPoints(3)
	m.PartialSuccess().SetErrorMessage("old")
	buf, err := m.MarshalProto()
	require.NoError(f, err)
	f.Add(buf)
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{0x0a, 0x02, 0x08, 0xff})
	f.Add([]byte{0x0b, 0x0b, 0x0b, 0x0c})
	f.Fuzz(func(t *testing.T, body []byte) {
		rejected, _ := partialSuccess(body)
		require.GreaterOrEqual(t, rejected, int64(0))
		require.LessOrEqual(t, len(words(body)), 512)
	})
}
