// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// change rewrites a file of a closed log.
func change(t testing.TB, path string, edit func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, edit(b), 0o600))
}

func listed(t testing.TB, dir, part string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, e := range entries {
		if strings.Contains(e.Name(), part) {
			names = append(names, filepath.Join(dir, e.Name()))
		}
	}
	return names
}

// crashed returns a folder with four segments of nine items, as they are when the process dies before they are indexed.
func crashed(t testing.TB) string {
	t.Helper()
	opts := testOptions()
	opts.Sync = SyncNever
	l := openLog(t, t.TempDir(), opts)
	for n := range 36 {
		require.NoError(t, l.Batch(set(strconv.Itoa(n), value(n, 110_000))))
	}
	require.Len(t, l.order, 4)
	return copyFolder(t, l.dir)
}

func TestDamagedSegmentInTheMiddle(t *testing.T) {
	dir := crashed(t)
	bad := listed(t, dir, ".seg")[1]
	change(t, bad, func(b []byte) []byte {
		clear(b[300_000:410_000]) // a lost block: items 11 and 12
		return b
	})
	core, logs := observer.New(zap.WarnLevel)
	opts := testOptions()
	opts.Logger = zap.New(core)
	l := openLog(t, dir, opts)
	for n := range 36 {
		if n == 11 || n == 12 {
			requireValue(t, l, strconv.Itoa(n), nil)
		} else {
			requireValue(t, l, strconv.Itoa(n), value(n, 110_000))
		}
	}
	require.EqualValues(t, 1, l.Stats().DamagedSegments)
	require.Greater(t, l.Stats().CorruptBytes, int64(200_000))
	require.Zero(t, l.Stats().TruncatedBytes)
	require.NoFileExists(t, bad)
	require.Len(t, listed(t, dir, damagedMark), 1)

	lost := logs.FilterMessageSnippet("damaged; intact records were kept").All()
	require.Len(t, lost, 1)
	require.EqualValues(t, 2, lost[0].ContextMap()["lost_batches"])
	require.EqualValues(t, 1, lost[0].ContextMap()["lost_keys_known"], "the meta of item 11 is intact")
	require.Len(t, logs.FilterMessageSnippet("was set aside").All(), 1)

	require.NoError(t, l.Close())
	l = openLog(t, dir, opts)
	require.Equal(t, 34, l.Stats().Keys)
	require.Zero(t, l.Stats().CorruptBytes)
}

func TestDamagedHeaders(t *testing.T) {
	for name, test := range map[string]struct {
		edit func(b []byte) []byte
		keys int
	}{
		"header":                {func(b []byte) []byte { clear(b[:segmentHeader]); return b }, 36},
		"header and a record":   {func(b []byte) []byte { clear(b[:segmentHeader+8]); return b }, 35},
		"number of another":     {func(b []byte) []byte { copy(b, encodeSegmentHeader(77)); return b }, 36},
		"noise":                 {func(b []byte) []byte { return []byte(strings.Repeat("noise", 9999)) }, 27},
		"only zeros":            {func(b []byte) []byte { return make([]byte, 9999) }, 27},
		"empty":                 {func(b []byte) []byte { return nil }, 27},
		"less than a header":    {func(b []byte) []byte { return b[:17] }, 27},
		"header only":           {func(b []byte) []byte { return b[:segmentHeader] }, 27},
		"cut inside a record":   {func(b []byte) []byte { return b[:500_000] }, 31},
		"cut, then zeros":       {func(b []byte) []byte { clear(b[500_000:]); return b }, 31},
		"size beyond the file":  {func(b []byte) []byte { binary.LittleEndian.PutUint32(b[segmentHeader+8:], 1<<29); return b }, 35},
		"another segment again": {func(b []byte) []byte { return slices.Concat(b, b[segmentHeader:]) }, 36},
	} {
		t.Run(name, func(t *testing.T) {
			for _, which := range []int{0, 2, 3} {
				dir := crashed(t)
				change(t, listed(t, dir, ".seg")[which], test.edit)
				l := openLog(t, dir, testOptions())
				require.Equal(t, test.keys, l.Stats().Keys, "segment %d", which)
				require.NoError(t, l.Batch(set("after", []byte("x"))))
				checkBooks(t, l)
				require.NoError(t, l.Close())
				l = openLog(t, dir, testOptions())
				require.Equal(t, test.keys+1, l.Stats().Keys, "segment %d", which)
				require.Zero(t, l.Stats().CorruptBytes+l.Stats().TruncatedBytes)
				require.NoError(t, l.Close())
			}
		})
	}
}

func TestDamagedIndexIsNotNeeded(t *testing.T) {
	for _, back := range []int{1, 5, trailerBytes + 1, trailerBytes + 40} {
		l := openLog(t, t.TempDir(), testOptions())
		fill(t, l, 0, 30, 100_000)
		drain(t, l, 0, 2)
		require.NoError(t, l.Close())
		path := listed(t, l.dir, ".seg")[0]
		change(t, path, func(b []byte) []byte { b[len(b)-back] ^= 0x10; return b })
		l = openLog(t, l.dir, testOptions())
		require.Equal(t, 29, l.Stats().Keys)
		require.Zero(t, l.Stats().CorruptBytes+l.Stats().DamagedSegments, "no data was lost")
		for n := 2; n < 30; n++ {
			requireValue(t, l, strconv.Itoa(n), value(n, 100_000))
		}
	}
}

// TestRottenValue changes a value after its segment was indexed: only reading it can tell.
func TestRottenValue(t *testing.T) {
	l := openLog(t, t.TempDir(), testOptions())
	fill(t, l, 0, 30, 100_000)
	require.NoError(t, l.Close())
	change(t, listed(t, l.dir, ".seg")[0], func(b []byte) []byte { b[150_000] ^= 1; return b })
	l = openLog(t, l.dir, testOptions())
	_, err := l.Get("1")
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, `key "1"`)
	require.EqualValues(t, 100_000, l.Stats().CorruptBytes)
	requireValue(t, l, "2", value(2, 100_000))

	op := get("1")
	require.ErrorIs(t, l.Batch(set("meta", []byte("new")), op), ErrCorrupt)
	requireValue(t, l, "meta", []byte("new"))
	require.NoError(t, l.Batch(del("1")))
	requireValue(t, l, "1", nil)
}

// TestRottenValueInCompaction must not stop compaction, and not hide the loss.
func TestRottenValueInCompaction(t *testing.T) {
	l := openLog(t, t.TempDir(), testOptions())
	fill(t, l, 0, 30, 100_000)
	require.NoError(t, l.Close())
	change(t, listed(t, l.dir, ".seg")[0], func(b []byte) []byte { b[150_000] ^= 1; return b })
	l = openLog(t, l.dir, testOptions())
	l.commitMu.Lock()
	require.NoError(t, l.rewrite(l.order[0]))
	l.commitMu.Unlock()
	require.NoError(t, l.Maintain())
	require.Len(t, listed(t, l.dir, damagedMark), 1)
	require.EqualValues(t, 1, l.Stats().DamagedSegments)
	requireValue(t, l, "0", value(0, 100_000))
	requireValue(t, l, "1", nil)
	requireValue(t, l, "2", value(2, 100_000))
	checkBooks(t, l)
}

func TestDamagedFilesAreBounded(t *testing.T) {
	dir := crashed(t)
	for n := range maxDamagedFiles + 3 {
		name := filepath.Join(dir, segmentName(uint32(9000+n)))
		require.NoError(t, os.WriteFile(name, []byte(strings.Repeat("noise", 99)), 0o600))
	}
	l := openLog(t, dir, testOptions())
	require.Len(t, listed(t, dir, damagedMark), maxDamagedFiles)
	require.EqualValues(t, maxDamagedFiles+3, l.Stats().DamagedSegments)
	checkBooks(t, l)
	require.NoError(t, l.Close())

	big := filepath.Join(dir, segmentName(9999))
	require.NoError(t, os.WriteFile(big, []byte(strings.Repeat("noise", 2_000_000)), 0o600))
	openLog(t, dir, testOptions())
	require.NotContains(t, strings.Join(listed(t, dir, damagedMark), " "), "9999", "larger than an eighth of the quota")
}

// badSectors fails reads that touch the bytes from offset on.
type badSectors struct {
	io.ReaderAt
	offset int64
}

func (b badSectors) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.offset {
		return 0, syscall.EIO
	}
	return b.ReaderAt.ReadAt(p, off)
}

func TestUnreadableDisk(t *testing.T) {
	f, err := os.Open(listed(t, crashed(t), ".seg")[0])
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	c := newContents()
	found, err := scan(badSectors{f, 700_000}, 1, info.Size(), true, c.applyRecord(1))
	require.NoError(t, err)
	require.True(t, found.damaged)
	require.ErrorIs(t, found.readErr, syscall.EIO)
	require.Equal(t, 6, c.sets.len())
	require.Equal(t, info.Size()-found.end, found.lostBytes)
	_, _, err = readIndex(badSectors{f, 700_000}, 1, info.Size())
	require.ErrorIs(t, err, errNoIndex)
}

// TestIndexIsEnough opens a segment whose records can't be found any more: its index tells where the values are.
func TestIndexIsEnough(t *testing.T) {
	l := openLog(t, t.TempDir(), testOptions())
	fill(t, l, 0, 30, 100_000)
	require.NoError(t, l.Close())
	change(t, listed(t, l.dir, ".seg")[0], func(b []byte) []byte { clear(b[segmentHeader:][:recordHeader]); return b })
	l = openLog(t, l.dir, testOptions())
	for n := range 30 {
		requireValue(t, l, strconv.Itoa(n), value(n, 100_000))
	}
	require.Zero(t, l.Stats().CorruptBytes)
}
