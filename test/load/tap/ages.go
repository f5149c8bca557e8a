// SPDX-License-Identifier: Apache-2.0

package tap

import "time"

// maxAge bounds the ages that are told apart; older ones count as this old.
const maxAge = 5 * time.Minute

// Ages is how old records were, to the millisecond.
type Ages struct {
	counts [maxAge/time.Millisecond + 1]int64
	n      int64
}

func (a *Ages) add(age time.Duration) {
	a.counts[max(0, min(age, maxAge))/time.Millisecond]++
	a.n++
}

// Count is how many records were measured.
func (a *Ages) Count() int64 { return a.n }

// Quantile returns the age that a share q, from 0 to 1, of the records did not exceed; 0 when there are none.
func (a *Ages) Quantile(q float64) time.Duration {
	left := int64(q * float64(a.n))
	for ms, n := range a.counts {
		if left -= n; left < 0 {
			return time.Duration(ms+1) * time.Millisecond
		}
	}
	return 0
}
