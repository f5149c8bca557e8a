// SPDX-License-Identifier: Apache-2.0

package choice

import (
	"fmt"
	"time"
)

// Phases of a re-homing.
const (
	Preparing = "Preparing" // the agents get access to the next region, and still send to the old one
	Draining  = "Draining"  // the agents send to the next one, and deliver what they hold for the old one
)

// State is where a cluster is. The zero value: nowhere yet.
type State struct {
	Region string // home; "" if there is none
	Zone   string // of the home when it was assigned
	Rule   Rule
	Since  time.Time

	Phase      string // "" if nothing is being moved
	Other      string // next region while preparing, the one before while draining
	OtherRule  Rule   // of the next region
	PhaseSince time.Time
}

// Timing is how long the phases of a re-homing last.
type Timing struct {
	Prepare time.Duration // for the next region to know the cluster's credentials, and the agents to have them
	Drain   time.Duration // for the agents to deliver what they hold for the old region
}

// Events of a plan, as they stand in the history and in Kubernetes Events.
const (
	EventAssigned  = "Assigned"
	EventPreparing = "RehomingPrepared"
	EventSwitched  = "RehomingSwitched"
	EventDrained   = "RehomingFinished"
	EventCancelled = "RehomingCancelled"
)

// Step is what to do next.
type Step struct {
	State State
	Event string        // what happened, "" if nothing did
	After time.Duration // look again then; 0: no need
	// Pending is set when the state is not what the labels and the place ask for, and says why it stays.
	Pending *Error
}

// Plan takes one step from a state towards what [Choose] said. A cluster that has a region is only moved when its label names another
// one, or when its region is gone and the choice is of the same zone.
func Plan(s State, chosen Region, rule Rule, failed error, regions []Region, now time.Time, t Timing) Step {
	known := make(map[string]Region, len(regions))
	for _, r := range regions {
		known[r.Name] = r
	}
	if s.Phase != "" {
		if step, done := moving(s, chosen, failed, known, now, t); done {
			return step
		}
		s = s.settled()
	}
	pending, _ := failed.(*Error)
	if failed != nil && pending == nil {
		pending = &Error{ReasonBadLabels, failed.Error()}
	}
	home, exists := known[s.Region]
	switch {
	case pending != nil:
		return Step{State: s, Pending: pending}
	case s.Region == chosen.Name:
		s.Rule = rule
		return Step{State: s}
	case s.Region == "":
		return assigned(chosen, rule, now)
	case !exists && s.Zone != chosen.Zone && rule != Label:
		return Step{State: s, Pending: &Error{ReasonZoneChange, fmt.Sprintf(
			"region %q is gone, and %s is of zone %q, not %q; to send the cluster's data there, name it in the label kof-regional-cluster-name",
			s.Region, chosen, chosen.Zone, s.Zone)}}
	case !exists:
		return assigned(chosen, rule, now)
	case rule != Label:
		return Step{State: s, Pending: &Error{ReasonRegionStays, fmt.Sprintf(
			"the cluster stays in region %q (%s), though %s matches by %s now; to move it, name the region in the label kof-regional-cluster-name",
			s.Region, home, chosen, rule)}}
	}
	s.Phase, s.Other, s.OtherRule, s.PhaseSince = Preparing, chosen.Name, rule, now
	return Step{State: s, Event: EventPreparing, After: t.Prepare}
}

func assigned(to Region, rule Rule, now time.Time) Step {
	s := State{Region: to.Name, Zone: to.Zone, Rule: rule, Since: now}
	return Step{State: s, Event: EventAssigned}
}

// moving goes on with a re-homing. Not done: it is over, and the state without it is to be looked at.
func moving(s State, chosen Region, failed error, known map[string]Region, now time.Time, t Timing) (Step, bool) {
	left := t.Prepare
	if s.Phase == Draining {
		left = t.Drain
	}
	left -= now.Sub(s.PhaseSince)
	other, exists := known[s.Other]
	_, homeExists := known[s.Region]
	switch {
	case s.Phase == Draining && (left <= 0 || !exists):
		return Step{State: s.settled(), Event: EventDrained, After: time.Millisecond}, true
	case s.Phase == Draining:
		return Step{State: s, After: left}, true
	case failed != nil || chosen.Name != s.Other || !exists:
		return Step{State: s.settled(), Event: EventCancelled, After: time.Millisecond}, true
	case left > 0 && homeExists:
		return Step{State: s, After: left}, true
	}
	// The next region is the home from here on. What the agents hold for the old one drains while its endpoints are still there.
	next := State{Region: other.Name, Zone: other.Zone, Rule: s.OtherRule, Since: now}
	if homeExists {
		next.Phase, next.Other, next.PhaseSince = Draining, s.Region, now
	}
	return Step{State: next, Event: EventSwitched, After: t.Drain}, true
}

func (s State) settled() State {
	s.Phase, s.Other, s.OtherRule, s.PhaseSince = "", "", "", time.Time{}
	return s
}
