// SPDX-License-Identifier: Apache-2.0

package finops

import (
	"context"
	"time"
)

// paceOver is the time whose pace a forecast goes on with: a week, so that weekends are in it.
const paceOver = 7 * 24 * time.Hour

// forecast adds what the month has cost until the window's end, and what it will have at its own end if it goes on as in the last week (or the
// whole window, if that is shorter).
func (t table) forecast(ctx context.Context, s Store, o Options) error {
	in := month(o.Window.End)
	o.Efficiency, o.Forecast = false, false
	soFar, pace := o, o
	soFar.Window.Start = in.Start
	pace.Window.Start = o.Window.End.Add(-min(paceOver, o.Window.Length()))
	recent, err := collect(ctx, s, pace)
	if err != nil {
		return err
	}
	spent := table{}
	if soFar.Window.Length() > 0 { // not at the very moment that the month begins
		if spent, err = collect(ctx, s, soFar); err != nil {
			return err
		}
	}
	rest := in.End.Sub(o.Window.End).Hours() / pace.Window.Length().Hours()
	for name, r := range t {
		toDate, atPace := 0.0, 0.0
		if m, ok := spent[name]; ok {
			toDate = m.Total()
		}
		if p, ok := recent[name]; ok {
			atPace = p.Total()
		}
		end := toDate + atPace*rest
		r.MonthToDate, r.MonthEnd = &toDate, &end
	}
	return nil
}
