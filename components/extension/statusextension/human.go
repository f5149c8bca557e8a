// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
)

// count writes a number of items: in full to a million, with three digits and a unit above.
func count(n int64) string {
	if n > -1e6 && n < 1e6 {
		return humanize.Comma(n)
	}
	return si(float64(n))
}

func si(f float64) string {
	value, prefix := humanize.ComputeSI(f)
	return humanize.FtoaWithDigits(value, 2) + " " + prefix
}

// perSecond writes a rate of items.
func perSecond(f float64) string {
	switch {
	case f == 0:
		return "0/s"
	case f < 0.1:
		return "<0.1/s"
	case f < 10:
		return fmt.Sprintf("%.1f/s", f)
	case f < 1e6:
		return humanize.Comma(int64(f+0.5)) + "/s"
	default:
		return si(f) + "/s"
	}
}

// size writes bytes in powers of 1024.
func size(n int64) string { return humanize.IBytes(uint64(max(0, n))) }

// duration writes seconds in the two largest units.
func duration(seconds float64) string {
	s := int64(max(0, seconds))
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return two(s/60, "min", s%60, "s")
	case s < 86400:
		return two(s/3600, "h", s%3600/60, "min")
	default:
		return two(s/86400, "d", s%86400/3600, "h")
	}
}

func two(large int64, largeUnit string, small int64, smallUnit string) string {
	if small == 0 {
		return fmt.Sprintf("%d %s", large, largeUnit)
	}
	return fmt.Sprintf("%d %s %d %s", large, largeUnit, small, smallUnit)
}

// ago writes how long before now a time was.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "not since the start"
	}
	return duration(now.Sub(t).Seconds()) + " ago"
}
