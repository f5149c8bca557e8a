// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// windowBytes is how much a scan reads at once. Scans skip values, so a larger window would read what is skipped.
const windowBytes = 64 << 10

// window reads a file in pieces and keeps the last one.
type window struct {
	file  io.ReaderAt
	size  int64
	start int64
	buf   []byte
}

// at returns n bytes at offset, valid until the next call; fewer at the end of the file.
func (w *window) at(offset, n int64) ([]byte, error) {
	n = max(0, min(n, w.size-offset))
	if offset < w.start || offset+n > w.start+int64(len(w.buf)) {
		length := min(max(n, windowBytes), w.size-offset)
		if int64(cap(w.buf)) < length {
			w.buf = make([]byte, length)
		}
		w.buf = w.buf[:length]
		read, err := w.file.ReadAt(w.buf, offset)
		w.start, w.buf = offset, w.buf[:read]
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		n = min(n, int64(read))
	}
	return w.buf[offset-w.start:][:n], nil
}

// scanned is what a scan of a segment found beside the records.
type scanned struct {
	end         int64  // end of the last intact record
	lastNumber  uint64 // number of the last intact record; 0 if none
	tornBytes   int64  // after the last intact record
	zeroTail    bool   // only zeros follow the last intact record
	damaged     bool   // intact records follow bytes that are none, or the file could not be read
	lostBytes   int64  // bytes that are no records, between records
	lostBatches uint64 // records missing between records, by their numbers
	lostKeys    int    // keys that the lost records set, where their meta is intact
	readErr     error
}

// scan calls fn for every intact record of the segment in order. With verify, a record whose values fail their checksums
// is not intact. What is not a record is skipped up to the next record. meta is valid until fn returns. The error is
// that of fn.
func scan(file io.ReaderAt, id uint32, size int64, verify bool, fn func(offset int64, h recordHead, meta []byte) error) (scanned, error) {
	s := scanner{window: window{file: file, size: size}, id: id, verify: verify}
	offset := int64(segmentHeader)
	s.end = offset
	for offset < size {
		h, meta, ok := s.record(offset)
		if s.readErr != nil {
			s.damaged = true
			s.lostBytes += size - s.end
			return s.scanned, nil
		}
		if !ok {
			if s.zeroTail = s.zerosFrom(offset); s.zeroTail {
				break
			}
			offset = s.resync(offset + 1)
			continue
		}
		if h.magic == indexMagic {
			// An index whose trailer is broken: no record follows it.
			s.lostBytes += offset - s.end
			s.damaged = s.damaged || offset > s.end
			s.size = s.end
			break
		}
		if offset > s.end {
			s.damaged = true
			s.lostBytes += offset - s.end
		}
		if s.lastNumber > 0 && h.number > s.lastNumber+1 {
			s.lostBatches += h.number - s.lastNumber - 1
		}
		if s.damaged {
			s.lostKeys += s.suspects
		}
		s.suspects = 0
		s.lastNumber = h.number
		if err := fn(offset, h, meta); err != nil {
			return s.scanned, err
		}
		offset += h.size()
		s.end = offset
	}
	if !s.zeroTail {
		s.tornBytes = s.size - s.end
	}
	return s.scanned, nil
}

type scanner struct {
	scanned
	window
	id       uint32
	verify   bool
	meta     []byte
	suspects int // keys set by records skipped since the last intact one
}

// record returns the record or index at offset if it is intact.
func (s *scanner) record(offset int64) (recordHead, []byte, bool) {
	b := s.read(offset, recordHeader)
	h, ok := decodeRecordHead(b, s.id, offset)
	if !ok || offset+h.size() > s.size {
		return h, nil, false
	}
	// Checking the values moves the window, so the meta has to be copied out of it.
	s.meta = append(s.meta[:0], s.read(offset+recordHeader, int64(h.meta))...)
	meta := s.meta
	if int64(len(meta)) != int64(h.meta) || checksum(meta) != h.metaCRC {
		return h, nil, false
	}
	intact, sets := true, 0
	err := decodeEntries(h, meta, offset+recordHeader+int64(h.meta), func(e entry) {
		if e.del || h.magic == indexMagic {
			return
		}
		sets++
		intact = intact && (!s.verify || s.valueIntact(e))
	})
	if err == nil && !intact {
		s.suspects += sets
	}
	return h, meta, err == nil && intact
}

func (s *scanner) read(offset, n int64) []byte {
	b, err := s.at(offset, n)
	if err != nil {
		s.readErr = err
	}
	return b
}

func (s *scanner) valueIntact(e entry) bool {
	sum := uint32(0)
	for offset, left := int64(e.offset), int64(e.length); left > 0; {
		b := s.read(offset, min(left, windowBytes))
		if len(b) == 0 {
			return false
		}
		sum = crc32.Update(sum, castagnoli, b)
		offset += int64(len(b))
		left -= int64(len(b))
	}
	return sum == e.crc
}

func (s *scanner) zerosFrom(offset int64) bool {
	for offset < s.size {
		b := s.read(offset, windowBytes)
		if len(b) == 0 || len(bytes.TrimLeft(b, "\x00")) > 0 {
			return false
		}
		offset += int64(len(b))
	}
	return true
}

// resync returns where the next header of a record or an index stands, or the size of the file.
func (s *scanner) resync(offset int64) int64 {
	// Both magics begin with these three bytes.
	prefix := binary.LittleEndian.AppendUint32(nil, recordMagic)[:3]
	for offset < s.size {
		b := s.read(offset, windowBytes)
		if len(b) < len(prefix) {
			return s.size
		}
		i := bytes.Index(b, prefix)
		if i < 0 {
			offset += int64(len(b) - len(prefix) + 1)
			continue
		}
		offset += int64(i)
		if _, ok := decodeRecordHead(s.read(offset, recordHeader), s.id, offset); ok {
			return offset
		}
		offset++
	}
	return s.size
}
