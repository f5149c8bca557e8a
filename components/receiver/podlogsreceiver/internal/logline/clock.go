// SPDX-License-Identifier: Apache-2.0

package logline

import "time"

// clock parses times of RFC 3339, and remembers the last one's second: the next line is mostly of the same.
type clock struct {
	second [19]byte // the text up to the seconds
	unix   int64    // of it, taken for UTC
	known  bool
}

// parse reads the time that b begins with, and how long its text is. Times outside 1970 to 2261 are refused: nanoseconds in an
// int64 don't hold them.
func (c *clock) parse(b []byte) (nanos int64, n int, ok bool) {
	if len(b) < 20 {
		return 0, 0, false
	}
	if !c.known || string(b[:19]) != string(c.second[:]) {
		unix, ok := seconds(b)
		if !ok {
			return 0, 0, false
		}
		c.unix, c.known = unix, true
		copy(c.second[:], b)
	}
	n = 19
	var fraction int64
	if b[n] == '.' {
		digits := 0
		for n++; n < len(b) && b[n]-'0' < 10; n++ {
			if digits++; digits <= 9 {
				fraction = fraction*10 + int64(b[n]-'0')
			}
		}
		if digits == 0 {
			return 0, 0, false
		}
		for ; digits < 9; digits++ {
			fraction *= 10
		}
	}
	offset, width, ok := zone(b[n:])
	return (c.unix-offset)*int64(time.Second) + fraction, n + width, ok
}

// seconds reads YYYY-MM-DDTHH:MM:SS.
func seconds(b []byte) (unix int64, ok bool) {
	if b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	year, okYear := two(b)
	cent, okCent := two(b[2:])
	month, okMonth := two(b[5:])
	day, okDay := two(b[8:])
	hour, okHour := two(b[11:])
	minute, okMinute := two(b[14:])
	second, okSecond := two(b[17:])
	year = year*100 + cent
	if !(okYear && okCent && okMonth && okDay && okHour && okMinute && okSecond) || year < 1970 || year > 2261 ||
		month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return 0, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC).Unix(), true
}

// two reads two digits.
func two(b []byte) (n int, ok bool) {
	high, low := b[0]-'0', b[1]-'0'
	return int(high)*10 + int(low), high < 10 && low < 10
}

// zone reads Z or ±HH:MM, as seconds east of UTC.
func zone(b []byte) (offset int64, width int, ok bool) {
	if len(b) > 0 && b[0] == 'Z' {
		return 0, 1, true
	}
	if len(b) < 6 || b[0] != '+' && b[0] != '-' || b[3] != ':' {
		return 0, 0, false
	}
	hour, okHour := two(b[1:])
	minute, okMinute := two(b[4:])
	if !okHour || !okMinute || hour > 23 || minute > 59 {
		return 0, 0, false
	}
	offset = int64(hour*3600 + minute*60)
	if b[0] == '-' {
		offset = -offset
	}
	return offset, 6, true
}
