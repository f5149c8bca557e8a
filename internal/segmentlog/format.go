// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

const (
	formatVersion   = 1
	segmentMagic    = "KOFQLOG\n"
	recordMagic     = uint32('K') | uint32('O')<<8 | uint32('F')<<16 | uint32('R')<<24
	indexMagic      = uint32('K') | uint32('O')<<8 | uint32('F')<<16 | uint32('I')<<24
	trailerMagic    = uint32('K') | uint32('O')<<8 | uint32('F')<<16 | uint32('T')<<24
	segmentHeader   = 32
	recordHeader    = 32
	trailerBytes    = 16
	maxRecordBytes  = 1 << 30 // keeps every offset inside 32 bits
	maxSegmentBytes = 1 << 31
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// placeChecksum covers b and the place where it stands.
func placeChecksum(id uint32, offset int64, b []byte) uint32 {
	var place [12]byte
	binary.LittleEndian.PutUint32(place[:], id)
	binary.LittleEndian.PutUint64(place[4:], uint64(offset))
	return crc32.Update(checksum(place[:]), castagnoli, b)
}

func encodeSegmentHeader(id uint32) []byte {
	b := make([]byte, segmentHeader)
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint16(b[8:], formatVersion)
	binary.LittleEndian.PutUint32(b[12:], id)
	binary.LittleEndian.PutUint32(b[28:], checksum(b[:28]))
	return b
}

var errBadHeader = errors.New("segment header is damaged")

func decodeSegmentHeader(b []byte) (version uint16, id uint32, err error) {
	if len(b) < segmentHeader || string(b[:8]) != segmentMagic || binary.LittleEndian.Uint32(b[28:]) != checksum(b[:28]) {
		return 0, 0, errBadHeader
	}
	return binary.LittleEndian.Uint16(b[8:]), binary.LittleEndian.Uint32(b[12:]), nil
}

// recordHead is the header of a record or of an index.
type recordHead struct {
	magic   uint32
	meta    uint32
	values  uint32
	entries uint32
	number  uint64
	metaCRC uint32
}

func (h recordHead) size() int64 { return recordHeader + int64(h.meta) + int64(h.values) }

func (h recordHead) put(b []byte, id uint32, offset int64) {
	binary.LittleEndian.PutUint32(b, h.magic)
	binary.LittleEndian.PutUint32(b[4:], h.meta)
	binary.LittleEndian.PutUint32(b[8:], h.values)
	binary.LittleEndian.PutUint32(b[12:], h.entries)
	binary.LittleEndian.PutUint64(b[16:], h.number)
	binary.LittleEndian.PutUint32(b[24:], h.metaCRC)
	binary.LittleEndian.PutUint32(b[28:], placeChecksum(id, offset, b[:28]))
}

func decodeRecordHead(b []byte, id uint32, offset int64) (recordHead, bool) {
	if len(b) < recordHeader || binary.LittleEndian.Uint32(b[28:]) != placeChecksum(id, offset, b[:28]) {
		return recordHead{}, false
	}
	h := recordHead{
		magic:   binary.LittleEndian.Uint32(b),
		meta:    binary.LittleEndian.Uint32(b[4:]),
		values:  binary.LittleEndian.Uint32(b[8:]),
		entries: binary.LittleEndian.Uint32(b[12:]),
		number:  binary.LittleEndian.Uint64(b[16:]),
		metaCRC: binary.LittleEndian.Uint32(b[24:]),
	}
	return h, h.magic == recordMagic || h.magic == indexMagic
}
