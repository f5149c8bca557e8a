// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"fmt"
	"time"

	"github.com/k0rdent/kof/internal/status"
)

// behindAfter is how old the oldest held record of a lane that delivers may be before the lane counts as behind.
const behindAfter = 5 * time.Minute

// level says how bad something is.
type level string

const (
	levelOK      level = "ok"
	levelWarning level = "warning"
	levelProblem level = "problem"
)

// rank orders levels, the worst first.
func (l level) rank() int {
	switch l {
	case levelProblem:
		return 0
	case levelWarning:
		return 1
	default:
		return 2
	}
}

// finding is a reason for a person to look at a lane.
type finding struct {
	Code  string `json:"code"`
	Level level  `json:"level"`
	Text  string `json:"text"`
}

// attention returns why a lane needs attention, the worst first; nothing when all is well.
func attention(l status.Lane, r rates, now time.Time) []finding {
	found := []finding{}
	add := func(code string, lvl level, format string, args ...any) {
		found = append(found, finding{code, lvl, fmt.Sprintf(format, args...)})
	}
	if l.ResidualItems != 0 {
		add("residual", levelProblem, "The ledger is off by %s items: a defect, please report it.", count(l.ResidualItems))
	}
	switch {
	case l.State == status.StateRetrying:
		add("retrying", levelProblem, "Can't deliver. What is accepted is held, and tried again.")
	case l.State == status.StateHolding && l.HeldItems > 0:
		add("holding", levelProblem, "Nowhere to deliver to: the region directory has no endpoint for these records.")
	}
	if r.Long != nil && r.Long.Dropped > 0 {
		add("dropping", levelProblem, "Dropped %s items in the last %s.", count(r.Long.Dropped), duration(r.Long.Seconds))
	}
	if l.State == status.StateFailover {
		add("failover", levelWarning, "Delivers via %s, as its own endpoint fails.", l.Via)
	}
	if delivers(l) && heldFor(l, now) > behindAfter && catchingUp(l, r) == 0 {
		add("behind", levelWarning, "Falls behind: the oldest record has waited for %s.", duration(heldFor(l, now).Seconds()))
	}
	return found
}

func delivers(l status.Lane) bool {
	return l.State == status.StateDelivering || l.State == status.StateFailover || l.State == status.StateDraining
}

// heldFor returns the age of the oldest held record, 0 when none is held.
func heldFor(l status.Lane, now time.Time) time.Duration {
	if l.OldestHeld.IsZero() {
		return 0
	}
	return max(0, now.Sub(l.OldestHeld))
}

// catchingUp returns how long it takes until nothing is held at the present rates; 0 when what is held doesn't get less.
func catchingUp(l status.Lane, r rates) time.Duration {
	if r.Short == nil || l.HeldItems <= 0 {
		return 0
	}
	gain := r.Short.Delivered - r.Short.Accepted
	if gain <= 0 {
		return 0
	}
	// A gain of next to nothing would overflow a Duration.
	return time.Duration(min(float64(l.HeldItems)/gain, (1000*time.Hour).Seconds()) * float64(time.Second))
}

// worst returns the level of the first finding, which is the worst.
func worst(found []finding) level {
	if len(found) == 0 {
		return levelOK
	}
	return found[0].Level
}
