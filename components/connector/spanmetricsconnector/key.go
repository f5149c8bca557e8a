// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// maxValueBytes bounds names and values, which senders choose; longer ones are cut.
const maxValueBytes = 1024

// appendValue appends a value to a key so that no two different values, or sequences of them, give the same key.
func appendValue(key []byte, v pcommon.Value) []byte {
	key = append(key, byte(v.Type())+1) // 0 stands for a value that isn't there
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return appendString(key, cut(v.Str()))
	case pcommon.ValueTypeInt:
		return binary.LittleEndian.AppendUint64(key, uint64(v.Int()))
	case pcommon.ValueTypeDouble:
		return binary.LittleEndian.AppendUint64(key, math.Float64bits(v.Double()))
	case pcommon.ValueTypeBool:
		if v.Bool() {
			return append(key, 1)
		}
		return append(key, 0)
	default:
		return appendString(key, cut(v.AsString()))
	}
}

func appendString(key []byte, s string) []byte {
	return append(binary.AppendUvarint(key, uint64(len(s))), s...)
}

// put sets an attribute to what appendValue made the key of.
func put(to pcommon.Map, name string, v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeInt, pcommon.ValueTypeDouble, pcommon.ValueTypeBool:
		v.CopyTo(to.PutEmpty(name))
	case pcommon.ValueTypeStr:
		to.PutStr(name, cut(v.Str()))
	default:
		to.PutStr(name, cut(v.AsString()))
	}
}

// cut returns the first maxValueBytes of s, at the boundary of a character.
func cut(s string) string {
	if len(s) <= maxValueBytes {
		return s
	}
	end := maxValueBytes
	for end > maxValueBytes-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// copied returns the attributes of from that keys names, with their values cut.
func copied(from pcommon.Map, keys []string) pcommon.Map {
	to := pcommon.NewMap()
	for _, key := range keys {
		if v, ok := from.Get(key); ok {
			put(to, key, v)
		}
	}
	return to
}

// appendAttributes appends the values of the attributes that keys names.
func appendAttributes(key []byte, from pcommon.Map, keys []string) []byte {
	for _, k := range keys {
		if v, ok := from.Get(k); ok {
			key = appendValue(key, v)
		} else {
			key = append(key, 0)
		}
	}
	return key
}
