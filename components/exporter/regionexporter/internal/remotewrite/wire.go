// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// Protobuf tags (field number << 3 | wire type) of the remote-write 1.0 messages; the format is
// https://github.com/prometheus/prometheus/blob/v3.10.0/prompb/types.proto.
const (
	seriesTag      = 1<<3 | 2 // WriteRequest.timeseries
	labelTag       = 1<<3 | 2 // TimeSeries.labels
	sampleTag      = 2<<3 | 2 // TimeSeries.samples
	labelNameTag   = 1<<3 | 2 // Label.name
	labelValueTag  = 2<<3 | 2 // Label.value
	sampleValueTag = 1<<3 | 1 // Sample.value, a double
	sampleTimeTag  = 2 << 3   // Sample.timestamp, a varint (wire type 0) of milliseconds
)

func uvarintSize(n int) int {
	return (bits.Len64(uint64(n)|1) + 6) / 7
}

func appendString(dst []byte, tag byte, s string) []byte {
	dst = append(dst, tag)
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// appendLabel appends a whole TimeSeries.labels field.
func appendLabel(dst []byte, name, value string) []byte {
	dst = append(dst, labelTag)
	dst = binary.AppendUvarint(dst, uint64(2+uvarintSize(len(name))+len(name)+uvarintSize(len(value))+len(value)))
	dst = appendString(dst, labelNameTag, name)
	return appendString(dst, labelValueTag, value)
}

// appendNamedLabel is appendLabel for a name that is encoded already.
func appendNamedLabel(dst []byte, name *labelName, value string) []byte {
	if n := len(name.head) + 1 + len(value); n < 128 {
		dst = append(dst, labelTag, byte(n))
		dst = append(dst, name.head...)
		dst = append(dst, byte(len(value)))
		return append(dst, value...)
	}
	dst = append(dst, labelTag)
	dst = binary.AppendUvarint(dst, uint64(len(name.head)+uvarintSize(len(value))+len(value)))
	dst = append(dst, name.head...)
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(dst, value...)
}

// beginSeries reserves the tag and the two bytes that the length of almost every series takes; endSeries fills them in.
func beginSeries(dst []byte) []byte {
	return append(dst, seriesTag, 0, 0)
}

// endSeries completes the series that began at start.
func endSeries(dst []byte, start int) []byte {
	body := start + 3
	n := len(dst) - body
	switch {
	case n < 1<<7:
		copy(dst[body-1:], dst[body:])
		dst[start+1] = byte(n)
		return dst[:len(dst)-1]
	case n < 1<<14:
		dst[start+1] = byte(n) | 0x80
		dst[start+2] = byte(n >> 7)
		return dst
	default:
		size := uvarintSize(n)
		for range size - 2 {
			dst = append(dst, 0)
		}
		copy(dst[start+1+size:], dst[body:body+n])
		binary.PutUvarint(dst[start+1:], uint64(n))
		return dst
	}
}

// sample holds the encoded TimeSeries.samples field of the last timestamp: the points of a scrape share it.
type sample struct {
	timestamp int64
	full      []byte // with a value
	zero      []byte // proto3 leaves out a value of +0
}

// valueOffset is where sample.full holds the value: after the field's tag and length and the value's tag.
const valueOffset = 3

func (s *sample) setTimestamp(ms int64) {
	if ms == s.timestamp && s.full != nil {
		return
	}
	s.timestamp = ms
	s.zero = binary.AppendUvarint(append(s.zero[:0], sampleTag, 0, sampleTimeTag), uint64(ms))
	s.zero[1] = byte(len(s.zero) - 2)
	s.full = append(s.full[:0], sampleTag, s.zero[1]+9, sampleValueTag, 0, 0, 0, 0, 0, 0, 0, 0)
	s.full = append(s.full, s.zero[2:]...)
}

func (s *sample) append(dst []byte, value float64) []byte {
	b := math.Float64bits(value)
	if b == 0 {
		return append(dst, s.zero...)
	}
	binary.LittleEndian.PutUint64(s.full[valueOffset:], b)
	return append(dst, s.full...)
}

// cleanValue makes v fit to be a label's value: valid UTF-8 (Prometheus refuses a whole request for one that is not) and
// no longer than MaxLabelValueLength.
func cleanValue(v string) (clean string, truncated bool) {
	if !utf8.ValidString(v) {
		v = strings.ToValidUTF8(v, string(utf8.RuneError))
	}
	if len(v) <= MaxLabelValueLength {
		return v, false
	}
	n := MaxLabelValueLength
	for !utf8.RuneStart(v[n]) {
		n--
	}
	return v[:n], true
}
