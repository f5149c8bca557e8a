// SPDX-License-Identifier: Apache-2.0

package choice

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	start  = time.Unix(1_700_000_000, 0)
	timing = Timing{Prepare: 2 * time.Minute, Drain: 10 * time.Minute}
)

func byName(t *testing.T, name string) Region {
	t.Helper()
	i := slices.IndexFunc(candidates(), func(r Region) bool { return r.Name == name })
	require.GreaterOrEqual(t, i, 0)
	return candidates()[i]
}

func without(names ...string) []Region {
	return slices.DeleteFunc(candidates(), func(r Region) bool { return slices.Contains(names, r.Name) })
}

func TestRehoming(t *testing.T) {
	us1, us2 := byName(t, "us1"), byName(t, "us2")
	step := Plan(State{}, us1, Location, nil, candidates(), start, timing)
	require.Equal(t, EventAssigned, step.Event)
	require.Equal(t, State{Region: "us1", Zone: "us", Rule: Location, Since: start}, step.State)
	settled := step.State

	// By place alone nothing moves.
	step = Plan(settled, us2, Location, nil, candidates(), start, timing)
	require.Equal(t, settled, step.State)
	require.Equal(t, ReasonRegionStays, step.Pending.Reason)

	// The new region first…
	step = Plan(settled, us2, Label, nil, candidates(), start, timing)
	require.Equal(t, EventPreparing, step.Event)
	require.Equal(t, "us1", step.State.Region)
	require.Equal(t, "us2", step.State.Other)
	require.Equal(t, timing.Prepare, step.After)
	preparing := step.State
	step = Plan(preparing, us2, Label, nil, candidates(), start.Add(time.Minute), timing)
	require.Empty(t, step.Event)
	require.Equal(t, preparing, step.State)
	require.Equal(t, time.Minute, step.After)

	// …then the switch, with the old one still there to drain…
	now := start.Add(2 * time.Minute)
	step = Plan(preparing, us2, Label, nil, candidates(), now, timing)
	require.Equal(t, EventSwitched, step.Event)
	draining := State{Region: "us2", Zone: "us", Rule: Label, Since: now, Phase: Draining, Other: "us1", PhaseSince: now}
	require.Equal(t, draining, step.State)

	// …also when the label changes again meanwhile…
	step = Plan(draining, us1, Label, nil, candidates(), now.Add(time.Minute), timing)
	require.Equal(t, draining, step.State)

	// …until it has.
	step = Plan(draining, us2, Label, nil, candidates(), now.Add(timing.Drain), timing)
	require.Equal(t, EventDrained, step.Event)
	require.Empty(t, step.State.Other)
	require.Positive(t, step.After)

	t.Run("cancelled", func(t *testing.T) {
		step := Plan(preparing, us1, Label, nil, candidates(), start, timing)
		require.Equal(t, EventCancelled, step.Event)
		require.Equal(t, settled, step.State)
		step = Plan(preparing, Region{}, Label, &Error{ReasonTie, "x"}, candidates(), start, timing)
		require.Equal(t, EventCancelled, step.Event)
	})
	t.Run("next region goes while preparing", func(t *testing.T) {
		step := Plan(preparing, us2, Label, nil, without("us2"), start.Add(time.Hour), timing)
		require.Equal(t, EventCancelled, step.Event)
		require.Equal(t, "us1", step.State.Region)
	})
	t.Run("old region goes while preparing", func(t *testing.T) {
		step := Plan(preparing, us2, Label, nil, without("us1"), start, timing)
		require.Equal(t, EventSwitched, step.Event)
		require.Equal(t, State{Region: "us2", Zone: "us", Rule: Label, Since: start}, step.State)
	})
	t.Run("old region goes while draining", func(t *testing.T) {
		step := Plan(draining, us2, Label, nil, without("us1"), now, timing)
		require.Equal(t, EventDrained, step.Event)
	})
	t.Run("errors leave a cluster where it is", func(t *testing.T) {
		step := Plan(settled, Region{}, Location, &Error{ReasonTie, "tie between us1 and us2"}, candidates(), start, timing)
		require.Equal(t, settled, step.State)
		require.Equal(t, ReasonTie, step.Pending.Reason)
	})
	t.Run("the rule follows", func(t *testing.T) {
		step := Plan(settled, us1, Label, nil, candidates(), start, timing)
		require.Equal(t, Label, step.State.Rule)
		require.Equal(t, settled.Since, step.State.Since)
	})
}

func TestRegionGone(t *testing.T) {
	home := State{Region: "us1", Zone: "us", Rule: Location, Since: start}
	step := Plan(home, byName(t, "us2"), Location, nil, without("us1"), start, timing)
	require.Equal(t, EventAssigned, step.Event, "another of the same zone")
	step = Plan(home, byName(t, "home"), Fallback, nil, without("us1", "us2"), start, timing)
	require.Equal(t, home, step.State, "not into another zone by itself")
	require.Equal(t, ReasonZoneChange, step.Pending.Reason)
	step = Plan(home, byName(t, "eu-west-1"), Label, nil, without("us1"), start, timing)
	require.Equal(t, EventAssigned, step.Event)
	require.Equal(t, "eu", step.State.Zone)
}

// TestPlanProperties walks through random changes of the world: a cluster leaves its zone only by its label; while a region that is still
// there is left, both are in the state for the whole of each phase; the walk settles once the world does.
func TestPlanProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	all := candidates()
	for range 3_000 {
		var s State
		now := start
		regions, c := all, Cluster{Namespace: "a", Cloud: "aws", Location: "eu-west-1"}
		for i := range 40 {
			if i < 30 {
				switch random.IntN(6) {
				case 0:
					regions = slices.DeleteFunc(slices.Clone(all), func(Region) bool { return random.IntN(4) == 0 })
				case 1:
					c.Region = []string{"", "us1", "us2", "home", "none"}[random.IntN(5)]
				case 2:
					c.Location = []string{"eu-west-1", "us-east-1", ""}[random.IntN(3)]
				}
			}
			now = now.Add(time.Duration(random.IntN(5)) * time.Minute)
			if i >= 30 {
				now = now.Add(timing.Drain)
			}
			chosen, rule, err := Choose(c, platform, regions)
			step := Plan(s, chosen, rule, err, regions, now, timing)
			next := step.State
			if s.Region != "" && next.Zone != s.Zone {
				require.Equal(t, Label, next.Rule)
			}
			if s.Region != next.Region && s.Region != "" && slices.ContainsFunc(regions, func(r Region) bool { return r.Name == s.Region }) {
				require.Equal(t, Preparing, s.Phase)
				require.GreaterOrEqual(t, now.Sub(s.PhaseSince), timing.Prepare)
				require.Equal(t, s.Region, next.Other)
			}
			if next.Phase == "" {
				require.Empty(t, next.Other)
			}
			require.True(t, next == s || step.Event != "" || next.Rule != s.Rule, "a change has an event")
			s = next
		}
		require.Empty(t, s.Phase)
	}
}
