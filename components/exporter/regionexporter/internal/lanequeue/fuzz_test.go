// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever lies under a record's key: no panic, and what is read as a record is one that was written.
func FuzzUnmarshalRecord(f *testing.F) {
	for _, r := range []Record{rec("payload", 3), {Format: FormatRemoteWrite}} {
		buf, err := r.marshal()
		require.NoError(f, err)
		f.Add(buf, false)
	}
	f.Fuzz(func(t *testing.T, buf []byte, seal bool) {
		if seal && len(buf) >= recordHeaderSize { // behind the checksum are bounds to get wrong, too
			buf[0] = recordVersion
			binary.LittleEndian.PutUint32(buf[2:], recordChecksum(buf))
		}
		r, err := unmarshalRecord(buf)
		if err != nil {
			require.ErrorIs(t, err, errCorrupt)
			return
		}
		again, err := r.marshal()
		require.NoError(t, err)
		require.Equal(t, buf, again)
	})
}

// Whatever lies under the state's key: no panic, no endless sequence, and what is read as a state is one that was written.
func FuzzUnmarshalState(f *testing.F) {
	s := state{head: 1, tail: 1 << 40, totals: Totals{AcceptedItems: 5, HeldItems: 5, HeldBytes: 1 << 30}}
	f.Add(s.marshal(), false)
	f.Add(stateWithReasons(s, 2), false)
	f.Add(stateWithReasons(s, 9), false)
	f.Fuzz(func(t *testing.T, buf []byte, seal bool) {
		if seal && len(buf) >= metaHeaderSize {
			buf[0] = metaVersion
			binary.LittleEndian.PutUint32(buf[1:], metaChecksum(buf))
		}
		s, err := unmarshalState(buf)
		if err != nil {
			return
		}
		require.LessOrEqual(t, s.head, s.tail)
		again, err := unmarshalState(s.marshal())
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}
