// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"fmt"
	"math"
	"strconv"
)

// MaxKeyBytes bounds the length of a key; the stock file storage has the same bound.
const MaxKeyBytes = 32 << 10

// key is a number when name is empty.
type key struct {
	num  uint64
	name string
}

func (k key) String() string {
	if k.name != "" {
		return k.name
	}
	return strconv.FormatUint(k.num, 10)
}

// bytes is what the key itself costs on disk beyond the flat charge of an entry.
func (k key) bytes() int64 { return int64(len(k.name)) }

func newKey(s string) (key, error) {
	switch {
	case s == "":
		return key{}, fmt.Errorf("%w: key is empty", ErrInvalid)
	case len(s) > MaxKeyBytes:
		return key{}, fmt.Errorf("%w: key has %d bytes, at most %d are allowed", ErrInvalid, len(s), MaxKeyBytes)
	}
	if n, ok := parseNumber(s); ok {
		return key{num: n}, nil
	}
	return key{name: s}, nil
}

// parseNumber takes only what strconv.FormatUint prints: "007" and "7" are different keys.
func parseNumber(s string) (uint64, bool) {
	if len(s) > 20 || s == "" || (s[0] == '0' && len(s) > 1) {
		return 0, false
	}
	var n uint64
	for i := range len(s) {
		d := uint64(s[i] - '0')
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// keyRange is the numbers from first to last, both included.
type keyRange struct{ first, last uint64 }
