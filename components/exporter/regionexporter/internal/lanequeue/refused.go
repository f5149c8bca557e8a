// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/k0rdent/kof/internal/segmentlog"
)

// Bounds of what is kept of the records that a server refused for good: about 1 MiB per queue.
const (
	// MaxRefused is how many are kept; a new one takes the place of the oldest.
	MaxRefused = 16
	// MaxRefusedPayload bounds each payload, in bytes. Of a larger one only the size is kept.
	MaxRefusedPayload = 64 << 10
	// MaxRefusedMessage bounds each message, in bytes. Of a longer one the beginning is kept.
	MaxRefusedMessage = 1 << 10
)

// Refused is a unit that the server refused for good, which was dropped, for a person to look at. It is of no account in the ledger:
// its items are in [Outcome.Dropped].
type Refused struct {
	Time    time.Time // to the millisecond
	Reason  Reason
	Message string // the server's
	Items   int64
	Format  Format
	Size    int    // of the payload, in bytes, whether it is kept or not
	Payload []byte // nil where it is larger than MaxRefusedPayload, or not known

	ordinal uint64 // of all that the queue kept; its slot follows from it
}

// refusals is what the queue knows of what it keeps.
type refusals struct {
	next uint64 // ordinal of the next one
	kept int
}

// The layout of a stored refusal: version, CRC-32C (little-endian) of all but itself, then ordinal, time (Unix ms), reason, format,
// items, size, and the message behind its length, integers as varints, then the payload. The slots are keys of their own, which
// versions that don't know them leave alone. One of a newer version is passed over: it is no data that has to be delivered.
const (
	refusedVersion    = 1
	refusedHeaderSize = 1 + 4
)

func refusedKey(ordinal uint64) string {
	return "refused-" + strconv.FormatUint(ordinal%MaxRefused, 10)
}

func (r *Refused) marshal() []byte {
	payload, message := r.Payload, r.Message
	if len(payload) > MaxRefusedPayload {
		payload = nil
	}
	if len(message) > MaxRefusedMessage {
		message = strings.ToValidUTF8(message[:MaxRefusedMessage], "")
	}
	buf := make([]byte, 0, refusedHeaderSize+64+len(message)+len(payload))
	buf = append(buf, refusedVersion, 0, 0, 0, 0)
	buf = binary.AppendUvarint(buf, r.ordinal)
	buf = binary.AppendVarint(buf, r.Time.UnixMilli())
	buf = append(buf, byte(r.Reason), byte(r.Format))
	buf = binary.AppendVarint(buf, r.Items)
	buf = binary.AppendUvarint(buf, uint64(r.Size))
	buf = binary.AppendUvarint(buf, uint64(len(message)))
	buf = append(buf, message...)
	buf = append(buf, payload...)
	binary.LittleEndian.PutUint32(buf[1:], refusedChecksum(buf))
	return buf
}

func refusedChecksum(buf []byte) uint32 {
	return crc32.Update(crc32.Checksum(buf[:1], castagnoli), castagnoli, buf[refusedHeaderSize:])
}

func unmarshalRefused(buf []byte) (Refused, error) {
	if len(buf) < refusedHeaderSize || buf[0] != refusedVersion || binary.LittleEndian.Uint32(buf[1:]) != refusedChecksum(buf) {
		return Refused{}, errCorrupt
	}
	in := reader{buf: buf[refusedHeaderSize:]}
	r := Refused{ordinal: in.uvarint(), Time: time.UnixMilli(in.varint()), Reason: Reason(in.byte()), Format: Format(in.byte()), Items: in.varint()}
	size, length := in.uvarint(), in.uvarint()
	if in.failed || length > uint64(len(in.buf)) || size > 1<<32 {
		return Refused{}, errCorrupt
	}
	r.Size, r.Message = int(size), string(in.buf[:length])
	if payload := in.buf[length:]; len(payload) > 0 {
		r.Payload = payload
	}
	return r, nil
}

// keepRefused returns the operations that keep the last of what was refused, and what the queue knows after them.
func (q *Queue) keepRefused(refused []Refused) ([]*storage.Operation, refusals) {
	after := q.refusals
	if extra := len(refused) - MaxRefused; extra > 0 {
		refused = refused[extra:]
	}
	ops := make([]*storage.Operation, len(refused))
	for i, r := range refused {
		r.ordinal = after.next
		ops[i] = storage.SetOperation(refusedKey(r.ordinal), r.marshal())
		after.next++
		after.kept = min(after.kept+1, MaxRefused)
	}
	return ops, after
}

// findRefused finds out what is kept. A slot that can't be read is as good as empty: nothing is lost that had to be delivered.
func (q *Queue) findRefused(ctx context.Context) {
	for slot := range uint64(MaxRefused) {
		if r, err := q.readRefused(ctx, slot); err == nil && r != nil {
			q.refusals.next = max(q.refusals.next, r.ordinal+1)
			q.refusals.kept++
		}
	}
}

// readRefused returns what is in a slot; nil where that is nothing that can be read.
func (q *Queue) readRefused(ctx context.Context, slot uint64) (*Refused, error) {
	buf, err := q.client.Get(ctx, refusedKey(slot))
	if errors.Is(err, segmentlog.ErrCorrupt) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was refused: %w", err)
	}
	r, err := unmarshalRefused(buf)
	if err != nil {
		return nil, nil
	}
	return &r, nil
}

// RefusedKept returns how many units that the server refused are kept: at most [MaxRefused].
func (q *Queue) RefusedKept() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.refusals.kept
}

// Refused returns the units that the server refused last, the oldest first, as far as they are kept. It returns the store's error, and
// one after [Queue.Close].
func (q *Queue) Refused(ctx context.Context) ([]Refused, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed() {
		return nil, errClosed
	}
	var all []Refused
	for i := range uint64(MaxRefused) { // from the slot after the newest
		r, err := q.readRefused(ctx, q.refusals.next+i)
		if err != nil {
			return nil, err
		}
		if r != nil {
			all = append(all, *r)
		}
	}
	return all, nil
}
