// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

type entryKind byte

const (
	setNumber entryKind = iota + 1
	deleteNumber
	deleteRange
	setName
	deleteName
)

// entry is one operation of a record. A delete covers the keys from key.num to last; of a name, last is 0.
type entry struct {
	del    bool
	key    key
	last   uint64
	offset uint32
	length uint32
	crc    uint32
}

func appendSet(b []byte, k key, length, crc uint32) []byte {
	if k.name != "" {
		b = append(b, byte(setName))
		b = binary.AppendUvarint(b, uint64(len(k.name)))
		b = append(b, k.name...)
	} else {
		b = append(b, byte(setNumber))
		b = binary.AppendUvarint(b, k.num)
	}
	b = binary.AppendUvarint(b, uint64(length))
	return binary.LittleEndian.AppendUint32(b, crc)
}

func appendDeleteName(b []byte, name string) []byte {
	b = append(b, byte(deleteName))
	b = binary.AppendUvarint(b, uint64(len(name)))
	return append(b, name...)
}

func appendDeleteRange(b []byte, r keyRange) []byte {
	if r.first == r.last {
		return binary.AppendUvarint(append(b, byte(deleteNumber)), r.first)
	}
	b = binary.AppendUvarint(append(b, byte(deleteRange)), r.first)
	return binary.AppendUvarint(b, r.last-r.first) // one less than how many, so that all of uint64 fits
}

var errBadMeta = errors.New("record's meta is malformed")

// decodeEntries calls fn for every entry of meta. values is where a record's values begin; fn is not called when the
// whole of meta isn't well-formed.
func decodeEntries(h recordHead, meta []byte, values int64, fn func(entry)) error {
	if err := walkEntries(h, meta, values, func(entry) {}); err != nil {
		return err
	}
	return walkEntries(h, meta, values, fn)
}

func walkEntries(h recordHead, meta []byte, values int64, fn func(entry)) error {
	p := metaParser{b: meta}
	end := values + int64(h.values)
	for range h.entries {
		e := entry{}
		kind := entryKind(p.byte())
		switch kind {
		case setNumber, deleteNumber, deleteRange:
			e.key.num = p.uvarint()
		case setName, deleteName:
			if e.key.name = p.string(); e.key.name == "" {
				return errBadMeta
			}
		default:
			return errBadMeta
		}
		switch kind {
		case setNumber, setName:
			length := p.uvarint()
			e.crc = p.uint32()
			offset := uint64(values)
			if h.magic == indexMagic {
				offset = p.uvarint()
			}
			if length > maxRecordBytes || offset > math.MaxUint32 {
				return errBadMeta
			}
			e.length, e.offset = uint32(length), uint32(offset)
			if h.magic == recordMagic {
				if values += int64(length); values > end {
					return errBadMeta
				}
			}
		case deleteNumber:
			e.del, e.last = true, e.key.num
		case deleteRange:
			more := p.uvarint()
			if e.key.num > math.MaxUint64-more {
				return errBadMeta
			}
			e.del, e.last = true, e.key.num+more
		case deleteName:
			e.del = true
		}
		if p.bad {
			return errBadMeta
		}
		fn(e)
	}
	if len(p.b) != 0 || (h.magic == recordMagic && values != end) {
		return fmt.Errorf("%w: %d bytes left over", errBadMeta, len(p.b))
	}
	return nil
}

// metaParser reads from b until something is missing, then sets bad.
type metaParser struct {
	b   []byte
	bad bool
}

func (p *metaParser) take(n uint64) []byte {
	if uint64(len(p.b)) < n {
		p.bad, p.b = true, nil
		return nil
	}
	taken := p.b[:n]
	p.b = p.b[n:]
	return taken
}

func (p *metaParser) byte() byte {
	if b := p.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (p *metaParser) uint32() uint32 {
	if b := p.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (p *metaParser) uvarint() uint64 {
	n, used := binary.Uvarint(p.b)
	if used <= 0 {
		p.bad, p.b = true, nil
		return 0
	}
	p.b = p.b[used:]
	return n
}

func (p *metaParser) string() string {
	n := p.uvarint()
	if n > MaxKeyBytes {
		p.bad, p.b = true, nil
		return ""
	}
	return string(p.take(n))
}
