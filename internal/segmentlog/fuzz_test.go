// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func fuzzOptions() Options {
	return Options{SegmentBytes: MinSegmentBytes, MaxBytes: 64 << 20, Sync: SyncNever}
}

// FuzzSegment opens any bytes as the only segment: no panic, and what was found once is found again.
func FuzzSegment(f *testing.F) {
	for _, name := range []string{segmentName(1), segmentName(2)} {
		b, err := os.ReadFile(filepath.Join("testdata", "version1", name))
		require.NoError(f, err)
		f.Add(b)
		f.Add(b[:len(b)-7])
	}
	f.Add([]byte(segmentMagic))
	f.Fuzz(func(t *testing.T, segment []byte) { reopenTwice(t, segment) })
}

// FuzzRecord gives any meta valid checksums, as no accident and only malice does.
func FuzzRecord(f *testing.F) {
	f.Add(appendSet(appendDeleteRange(nil, keyRange{3, 900}), key{num: 4}, 2, checksum([]byte("xy"))), []byte("xy"), uint32(2), false)
	f.Add(appendDeleteName(appendSet(nil, key{name: "meta"}, 0, 0), "meta"), []byte{}, uint32(2), false)
	f.Add(appendDeleteRange(nil, keyRange{0, 1<<64 - 1}), []byte{}, uint32(1), true)
	f.Fuzz(func(t *testing.T, meta, values []byte, entries uint32, index bool) {
		h := recordHead{magic: recordMagic, meta: uint32(len(meta)), values: uint32(len(values)), entries: entries, number: 1, metaCRC: checksum(meta)}
		b := append(encodeSegmentHeader(1), make([]byte, recordHeader)...)
		if index {
			h.magic, h.values, values = indexMagic, 0, nil
		}
		h.put(b[segmentHeader:], 1, segmentHeader)
		b = append(append(b, meta...), values...)
		if index {
			b = append(b, make([]byte, trailerBytes)...)
			c := newContents()
			whole := c.encodeIndex(1, segmentHeader)
			copy(b[len(b)-trailerBytes:], whole[len(whole)-trailerBytes:])
		}
		reopenTwice(t, b)
	})
}

func reopenTwice(t *testing.T, segment []byte) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, segmentName(1)), segment, 0o600))
	l, err := Open(dir, fuzzOptions())
	if err != nil {
		require.ErrorIs(t, err, ErrNewerVersion)
		return
	}
	first := readable(t, l)
	require.NoError(t, l.Batch(set("after", []byte("x"))))
	first["after"] = "x"
	require.Equal(t, first, readable(t, l))
	require.NoError(t, l.Maintain())
	require.NoError(t, l.Close())
	l, err = Open(dir, fuzzOptions())
	require.NoError(t, err)
	require.Equal(t, first, readable(t, l))
	require.NoError(t, l.Close())
}

// readable is dump without the values that are known to be corrupt.
func readable(t *testing.T, l *Log) model {
	m := model{}
	for k := range l.keys.all() {
		v, err := l.Get(k.String())
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
			continue
		}
		m[k.String()] = string(v)
	}
	return m
}
