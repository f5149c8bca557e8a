// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Reason says why items were dropped. The values are stored on disk: append only.
type Reason uint8

const (
	// ReasonRejected: the server refused the items as bad data.
	ReasonRejected Reason = iota
	// ReasonTooLarge: a single item is larger than the server takes.
	ReasonTooLarge
	// ReasonQueueFull: the queue was at its bound and drops the oldest first.
	ReasonQueueFull
	// ReasonDamaged: the store lost or damaged the record.
	ReasonDamaged
	// ReasonUnsupported: the region's protocol can't carry the items, for example delta temporality in remote write.
	ReasonUnsupported
	reasonCount
)

// Reasons returns every reason.
func Reasons() []Reason {
	all := make([]Reason, reasonCount)
	for i := range all {
		all[i] = Reason(i)
	}
	return all
}

// String returns the reason as metrics and logs name it.
func (r Reason) String() string {
	switch r {
	case ReasonRejected:
		return "rejected"
	case ReasonTooLarge:
		return "too_large"
	case ReasonQueueFull:
		return "queue_full"
	case ReasonDamaged:
		return "damaged"
	case ReasonUnsupported:
		return "unsupported"
	default:
		return "unknown"
	}
}

// Dropped counts items by reason.
type Dropped [reasonCount]int64

// Sum returns the items dropped for any reason.
func (d Dropped) Sum() int64 {
	var sum int64
	for _, n := range d {
		sum += n
	}
	return sum
}

// Outcome is what became of items that leave the queue.
type Outcome struct {
	Delivered int64 // taken by the region's backend
	Released  int64 // moved into the queue of the region they belong to
	Dropped   Dropped
	// Refused are the last of the dropped items that the server refused, to be kept for a person to look at; see [MaxRefused].
	Refused []Refused
}

// Totals is the ledger of one queue since the queue was made, across restarts. Items are data points, log records or spans;
// bytes are what the records take in the store.
type Totals struct {
	AcceptedItems, AcceptedBytes int64
	DeliveredItems               int64
	ReleasedItems                int64
	DroppedItems                 Dropped
	HeldItems, HeldBytes         int64
}

// Residual is the part of the accepted items that the ledger can't account for: 0, always.
func (t Totals) Residual() int64 {
	return t.AcceptedItems - t.DeliveredItems - t.ReleasedItems - t.DroppedItems.Sum() - t.HeldItems
}

// accept books items that come, without their bytes: those of a record, and those that can't be stored in it.
func (t *Totals) accept(items int, dropped Dropped) {
	t.AcceptedItems += int64(items) + dropped.Sum()
	t.HeldItems += int64(items) + dropped.Sum()
	t.apply(Outcome{Dropped: dropped})
}

// apply books items that leave, without their bytes.
func (t *Totals) apply(out Outcome) {
	t.DeliveredItems += out.Delivered
	t.ReleasedItems += out.Released
	for i, n := range out.Dropped {
		t.DroppedItems[i] += n
	}
	t.HeldItems -= out.Delivered + out.Released + out.Dropped.Sum()
}

// state is what is stored under metaKey: records with head <= seq < tail may be in the store.
type state struct {
	head, tail uint64
	totals     Totals
}

// The layout of the stored state: version, CRC-32C (little-endian) of all but itself, then varints.
const (
	metaKey        = "lane"
	metaVersion    = 1
	metaHeaderSize = 1 + 4
)

var errMetaDamaged = errors.New("the queue's state is damaged")

func (s *state) marshal() []byte {
	buf := make([]byte, 0, 128)
	buf = append(buf, metaVersion, 0, 0, 0, 0)
	buf = binary.AppendUvarint(buf, s.head)
	buf = binary.AppendUvarint(buf, s.tail)
	t := &s.totals
	for _, v := range []int64{t.AcceptedItems, t.AcceptedBytes, t.DeliveredItems, t.ReleasedItems, t.HeldItems, t.HeldBytes} {
		buf = binary.AppendVarint(buf, v)
	}
	buf = append(buf, byte(reasonCount))
	for _, v := range t.DroppedItems {
		buf = binary.AppendVarint(buf, v)
	}
	binary.LittleEndian.PutUint32(buf[1:], metaChecksum(buf))
	return buf
}

func metaChecksum(buf []byte) uint32 {
	return crc32.Update(crc32.Checksum(buf[:1], castagnoli), castagnoli, buf[metaHeaderSize:])
}

func unmarshalState(buf []byte) (state, error) {
	var s state
	if len(buf) == 0 {
		return s, errMetaDamaged
	}
	if buf[0] > metaVersion {
		return s, fmt.Errorf("the queue was written by a newer version (format %d, this version reads up to %d)", buf[0], metaVersion)
	}
	if len(buf) < metaHeaderSize || binary.LittleEndian.Uint32(buf[1:]) != metaChecksum(buf) {
		return s, errMetaDamaged
	}
	r := reader{buf: buf[metaHeaderSize:]}
	s.head, s.tail = r.uvarint(), r.uvarint()
	t := &s.totals
	for _, p := range []*int64{&t.AcceptedItems, &t.AcceptedBytes, &t.DeliveredItems, &t.ReleasedItems, &t.HeldItems, &t.HeldBytes} {
		*p = r.varint()
	}
	n := r.byte()
	if n > byte(reasonCount) {
		return s, fmt.Errorf("the queue was written by a newer version (%d drop reasons, this version knows %d)", n, reasonCount)
	}
	for i := range int(n) {
		t.DroppedItems[i] = r.varint()
	}
	if r.failed || len(r.buf) > 0 || s.head > s.tail {
		return s, errMetaDamaged
	}
	return s, nil
}

// reader decodes varints and remembers a failure, so that callers check once.
type reader struct {
	buf    []byte
	failed bool
}

func (r *reader) advance(n int) {
	if n <= 0 {
		r.failed = true
		r.buf = nil
		return
	}
	r.buf = r.buf[n:]
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.buf)
	r.advance(n)
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.buf)
	r.advance(n)
	return v
}

func (r *reader) byte() byte {
	if len(r.buf) == 0 {
		r.failed = true
		return 0
	}
	b := r.buf[0]
	r.buf = r.buf[1:]
	return b
}
