// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"encoding/binary"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNewerVersion(t *testing.T) {
	dir := crashed(t)
	paths := listed(t, dir, ".seg")
	change(t, paths[2], func(b []byte) []byte {
		binary.LittleEndian.PutUint16(b[8:], formatVersion+1)
		binary.LittleEndian.PutUint32(b[28:], checksum(b[:28]))
		return b
	})
	before := diskUse(t, dir)
	_, err := Open(dir, testOptions())
	require.ErrorIs(t, err, ErrNewerVersion)
	require.ErrorContains(t, err, dir)
	require.ErrorContains(t, err, "format version 2, and this program knows up to version 1")
	require.Equal(t, before, diskUse(t, dir), "nothing was touched")
}

// TestReadsVersion1 opens a folder as version 1 wrote it, so that changes to the format have to keep reading it.
func TestReadsVersion1(t *testing.T) {
	dir := copyFolder(t, filepath.Join("testdata", "version1"))
	l := openLog(t, dir, testOptions())
	require.Equal(t, 12, l.Stats().Keys)
	for n := 10; n < 20; n++ {
		requireValue(t, l, strconv.Itoa(n), value(n, 50))
	}
	requireValue(t, l, "meta", value(19, 16))
	requireValue(t, l, "18446744073709551615", []byte("last"))
	require.Zero(t, l.Stats().TruncatedBytes+l.Stats().CorruptBytes)
}
