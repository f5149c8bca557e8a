// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// Format names how the payload of a record is encoded.
type Format uint8

const (
	// FormatOTLP is the protobuf of an OTLP export request of the lane's signal. Such payloads can be concatenated.
	FormatOTLP Format = 1
	// FormatRemoteWrite is the protobuf of a Prometheus remote write 1.0 request, uncompressed. Such payloads can be concatenated.
	FormatRemoteWrite Format = 2
)

// String returns the format as status pages name it.
func (f Format) String() string {
	switch f {
	case FormatOTLP:
		return "otlp"
	case FormatRemoteWrite:
		return "remote_write"
	default:
		return "unknown"
	}
}

// Record is what the queue keeps of one accepted piece of telemetry.
type Record struct {
	Format   Format
	Accepted time.Time // when the exporter took it, to the millisecond
	Items    int       // data points, log records or spans in the payload
	Region   string    // the region it was decided for
	Zone     string    // the residency zone of that region at that time; empty while the region is unknown
	Payload  []byte

	seq    uint64
	stored int // bytes in the store, which is what the bounds count
}

// The layout of a stored record: version, format, CRC-32C of all but itself, accepted (Unix ms), items, then region and zone each
// behind its length byte, then the payload. Integers are little-endian.
const (
	recordVersion    = 1 // a new one needs a new metaVersion too, so that an older program refuses the queue
	recordHeaderSize = 1 + 1 + 4 + 8 + 4
	// MaxNameLength bounds the names of regions and zones in records, in bytes.
	MaxNameLength = 255
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)

	errCorrupt = errors.New("record is damaged")
)

func (r *Record) marshal() ([]byte, error) {
	if len(r.Region) > MaxNameLength || len(r.Zone) > MaxNameLength {
		return nil, fmt.Errorf("region and zone names are at most %d bytes long", MaxNameLength)
	}
	buf := make([]byte, 0, recordHeaderSize+2+len(r.Region)+len(r.Zone)+len(r.Payload))
	buf = append(buf, recordVersion, byte(r.Format), 0, 0, 0, 0)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(r.Accepted.UnixMilli()))
	buf = binary.LittleEndian.AppendUint32(buf, uint32(r.Items))
	buf = append(buf, byte(len(r.Region)))
	buf = append(buf, r.Region...)
	buf = append(buf, byte(len(r.Zone)))
	buf = append(buf, r.Zone...)
	buf = append(buf, r.Payload...)
	binary.LittleEndian.PutUint32(buf[2:], recordChecksum(buf))
	return buf, nil
}

func recordChecksum(buf []byte) uint32 {
	return crc32.Update(crc32.Checksum(buf[:2], castagnoli), castagnoli, buf[6:])
}

// unmarshalRecord keeps a reference to buf in the record's payload.
func unmarshalRecord(buf []byte) (Record, error) {
	if len(buf) < recordHeaderSize+2 || buf[0] != recordVersion || binary.LittleEndian.Uint32(buf[2:]) != recordChecksum(buf) {
		return Record{}, errCorrupt
	}
	r := Record{
		Format:   Format(buf[1]),
		Accepted: time.UnixMilli(int64(binary.LittleEndian.Uint64(buf[6:]))),
		Items:    int(binary.LittleEndian.Uint32(buf[14:])),
		stored:   len(buf),
	}
	rest := buf[recordHeaderSize:]
	var ok bool
	if r.Region, rest, ok = cutName(rest); !ok {
		return Record{}, errCorrupt
	}
	if r.Zone, rest, ok = cutName(rest); !ok {
		return Record{}, errCorrupt
	}
	r.Payload = rest
	return r, nil
}

func cutName(buf []byte) (name string, rest []byte, ok bool) {
	if len(buf) == 0 || len(buf) < 1+int(buf[0]) {
		return "", nil, false
	}
	n := 1 + int(buf[0])
	return string(buf[1:n]), buf[n:], true
}
