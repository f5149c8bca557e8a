// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// HoursPerMonth is what OpenCost takes for a month: 730.
const HoursPerMonth = 730.0

// MaxWindow is the longest window: a year, and a day for the leap.
const MaxWindow = 366 * 24 * time.Hour

// Window is a time from Start, exclusive, to End, inclusive, in UTC.
type Window struct{ Start, End time.Time }

// ParseWindow returns the window of such a length (30d, 12h, 1w) that ends at end, cut to whole minutes. At least an hour, at most MaxWindow.
func ParseWindow(length string, end time.Time) (Window, error) {
	d, err := model.ParseDuration(length)
	if err != nil || time.Duration(d) < time.Hour || time.Duration(d) > MaxWindow {
		return Window{}, fmt.Errorf("found %q; allowed: a duration from 1h to 366d, as 30d", length)
	}
	end = end.UTC().Truncate(time.Minute)
	return Window{end.Add(-time.Duration(d)), end}, nil
}

// Length is End less Start.
func (w Window) Length() time.Duration { return w.End.Sub(w.Start) }

// Days are the window's parts that lie in one day (UTC) each.
func (w Window) Days() (days []Window) {
	for start := w.Start; start.Before(w.End); {
		end := start.Truncate(24 * time.Hour).Add(24 * time.Hour)
		if end.After(w.End) {
			end = w.End
		}
		days = append(days, Window{start, end})
		start = end
	}
	return days
}

// month returns the month (UTC) that t is in, from its first moment to the next one's.
func month(t time.Time) Window {
	start := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	return Window{start, start.AddDate(0, 1, 0)}
}
