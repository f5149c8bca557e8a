// SPDX-License-Identifier: Apache-2.0

package logline

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape undoes the escapes of a JSON string in place (RFC 8259, 7) and returns the new length, which is never larger. ok is false
// for an escape that there isn't; then the bytes are untouched.
func unescape(b []byte) (n int, ok bool) {
	if !escapesValid(b) {
		return 0, false
	}
	to := 0
	for at := 0; at < len(b); {
		if b[at] != '\\' {
			next := bytes.IndexByte(b[at:], '\\')
			if next < 0 {
				next = len(b) - at
			}
			to += copy(b[to:], b[at:at+next])
			at += next
			continue
		}
		c := b[at+1]
		at += 2
		if c != 'u' {
			b[to] = plain[c]
			to++
			continue
		}
		r := rune(hex4(b[at:]))
		at += 4
		if utf16.IsSurrogate(r) {
			low := rune(-1)
			if at+6 <= len(b) && b[at] == '\\' && b[at+1] == 'u' {
				low = rune(hex4(b[at+2:]))
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				at += 6
			}
		}
		to += utf8.EncodeRune(b[to:to+4:len(b)], r)
	}
	return to, true
}

// plain is what stands behind a backslash, and for what.
var plain = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func escapesValid(b []byte) bool {
	for {
		at := bytes.IndexByte(b, '\\')
		if at < 0 {
			return true
		}
		if b = b[at+1:]; len(b) == 0 {
			return false
		}
		if b[0] == 'u' {
			if len(b) < 5 || hex4(b[1:]) < 0 {
				return false
			}
			b = b[5:]
			continue
		}
		if plain[b[0]] == 0 {
			return false
		}
		b = b[1:]
	}
}

// hex4 reads four hexadecimal digits, -1 if they are none.
func hex4(b []byte) int {
	n := 0
	for _, c := range b[:4] {
		switch {
		case c-'0' < 10:
			c -= '0'
		case c|0x20-'a' < 6:
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		n = n<<4 | int(c)
	}
	return n
}
