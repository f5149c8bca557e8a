// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
)

// contents is what a segment does to the log: it deletes first and then sets. For any key, that gives the same as its
// records in order.
type contents struct {
	deletes     []keyRange
	deleteNames map[string]struct{}
	sets        *directory
	lastNumber  uint64
}

func newContents() *contents {
	return &contents{deleteNames: map[string]struct{}{}, sets: newDirectory()}
}

func (c *contents) hasDeletes() bool { return len(c.deletes)+len(c.deleteNames) > 0 }

func (c *contents) apply(id uint32, e entry) {
	switch {
	case !e.del:
		c.sets.set(e.key, location{segment: id, offset: e.offset, length: e.length, crc: e.crc})
	case e.key.name != "":
		c.deleteNames[e.key.name] = struct{}{}
		c.sets.delete(e.key)
	default:
		r := keyRange{e.key.num, e.last}
		c.deletes = append(c.deletes, r)
		for _, n := range c.sets.within(r) {
			c.sets.delete(key{num: n})
		}
	}
}

// mergeRanges sorts ranges and joins those that touch.
func mergeRanges(ranges []keyRange) []keyRange {
	slices.SortFunc(ranges, func(a, b keyRange) int { return cmp.Compare(a.first, b.first) })
	merged := ranges[:0]
	for _, r := range ranges {
		if n := len(merged); n > 0 && (merged[n-1].last == math.MaxUint64 || r.first <= merged[n-1].last+1) {
			merged[n-1].last = max(merged[n-1].last, r.last)
			continue
		}
		merged = append(merged, r)
	}
	return merged
}

// encodeIndex returns index and trailer for the end of a segment file.
func (c *contents) encodeIndex(id uint32, offset int64) []byte {
	h := recordHead{magic: indexMagic, number: c.lastNumber}
	b := make([]byte, recordHeader)
	c.deletes = mergeRanges(c.deletes)
	for _, r := range c.deletes {
		b = appendDeleteRange(b, r)
		h.entries++
	}
	for name := range c.deleteNames {
		b = appendDeleteName(b, name)
		h.entries++
	}
	for k, loc := range c.sets.all() {
		b = appendSet(b, k, loc.length, loc.crc)
		b = binary.AppendUvarint(b, uint64(loc.offset))
		h.entries++
	}
	h.meta = uint32(len(b) - recordHeader)
	h.metaCRC = checksum(b[recordHeader:])
	h.put(b, id, offset)

	trailer := make([]byte, trailerBytes)
	binary.LittleEndian.PutUint32(trailer, trailerMagic)
	binary.LittleEndian.PutUint32(trailer[4:], uint32(offset))
	binary.LittleEndian.PutUint32(trailer[12:], placeChecksum(id, offset+int64(len(b)), trailer[:12]))
	return append(b, trailer...)
}

var errNoIndex = errors.New("segment has no intact index")

// readIndex returns the contents of a segment by its index, and where the records end.
func readIndex(file io.ReaderAt, id uint32, size int64) (*contents, int64, error) {
	if size < segmentHeader+recordHeader+trailerBytes || size > math.MaxUint32 {
		return nil, 0, errNoIndex
	}
	at := size - trailerBytes
	trailer := make([]byte, trailerBytes)
	if _, err := file.ReadAt(trailer, at); err != nil {
		return nil, 0, errors.Join(errNoIndex, err)
	}
	offset := int64(binary.LittleEndian.Uint32(trailer[4:]))
	if binary.LittleEndian.Uint32(trailer) != trailerMagic ||
		binary.LittleEndian.Uint32(trailer[12:]) != placeChecksum(id, at, trailer[:12]) ||
		offset < segmentHeader || offset > at-recordHeader {
		return nil, 0, errNoIndex
	}
	b := make([]byte, at-offset)
	if _, err := file.ReadAt(b, offset); err != nil {
		return nil, 0, errors.Join(errNoIndex, err)
	}
	h, ok := decodeRecordHead(b, id, offset)
	meta := b[recordHeader:]
	if !ok || h.magic != indexMagic || int64(h.meta) != int64(len(meta)) || h.values != 0 || checksum(meta) != h.metaCRC {
		return nil, 0, errNoIndex
	}
	c := newContents()
	c.lastNumber = h.number
	inside := true
	err := decodeEntries(h, meta, offset, func(e entry) {
		inside = inside && (e.del || (e.offset >= segmentHeader && int64(e.offset)+int64(e.length) <= offset))
		c.apply(id, e)
	})
	if err != nil || !inside {
		return nil, 0, errNoIndex
	}
	return c, offset, nil
}

// readContents returns the contents of a segment by its index, or by its records, whose values are only checked with
// verify. size is the end of the records, disk that of the file.
func readContents(file io.ReaderAt, id uint32, size, disk int64, indexed, verify bool) (*contents, error) {
	if indexed {
		if c, _, err := readIndex(file, id, disk); err == nil {
			return c, nil
		}
	}
	c := newContents()
	found, err := scan(file, id, size, verify, c.applyRecord(id))
	c.lastNumber = found.lastNumber
	if !verify {
		err = errors.Join(err, found.readErr)
	} // else what can't be read is known to be missing
	return c, err
}

// applyRecord returns what scan is to call for every record.
func (c *contents) applyRecord(id uint32) func(int64, recordHead, []byte) error {
	return func(offset int64, h recordHead, meta []byte) error {
		return decodeEntries(h, meta, offset+recordHeader+int64(h.meta), func(e entry) { c.apply(id, e) })
	}
}
