// SPDX-License-Identifier: Apache-2.0

package credential

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var policy = Policy{Interval: 24 * time.Hour, Overlap: 10 * time.Minute}

func TestRotation(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	s, changed, after := Step(State{}, "u", "", now, policy)
	require.True(t, changed)
	require.Equal(t, policy.Interval, after)
	require.Equal(t, "u-1", s.Current.Username)
	require.Len(t, s.Current.Password, 43)
	first := s.Current

	s, changed, after = Step(s, "u", "", now.Add(time.Hour), policy)
	require.False(t, changed)
	require.Equal(t, 23*time.Hour, after)

	now = now.Add(24 * time.Hour)
	s, changed, after = Step(s, "u", "", now, policy)
	require.True(t, changed)
	require.Equal(t, policy.Overlap, after)
	require.Equal(t, first, s.Current)
	require.Equal(t, "u-2", s.Other.Username)
	require.Len(t, s.Valid(), 2)

	now = now.Add(policy.Overlap)
	s, changed, _ = Step(s, "u", "", now, policy)
	require.True(t, changed)
	require.Equal(t, "u-2", s.Current.Username)
	require.Equal(t, first, s.Other)

	now = now.Add(policy.Overlap)
	s, changed, _ = Step(s, "u", "", now, policy)
	require.True(t, changed)
	require.Equal(t, []Login{s.Current}, s.Valid())

	s, changed, _ = Step(s, "u", "now", now, policy)
	require.True(t, changed, "a request")
	require.Equal(t, "u-3", s.Other.Username)
	for range 3 {
		now = now.Add(policy.Overlap)
		s, _, _ = Step(s, "u", "now", now, policy)
	}
	require.Equal(t, Stable, s.Phase, "a request is heeded once")

	s, changed, after = Step(State{}, "u", "", now, Policy{Overlap: time.Minute})
	require.True(t, changed)
	require.Zero(t, after)
	_, changed, _ = Step(s, "u", "", now.Add(1e6*time.Hour), Policy{Overlap: time.Minute})
	require.False(t, changed, "no interval: only on request")
}

// TestAlwaysValid has a receiver of the valid logins and a user of the current one look at different times, neither later than the
// overlap: whatever the user has is always valid at the receiver.
func TestAlwaysValid(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	now := time.Unix(1_700_000_000, 0)
	var s State
	var receiver []Login
	var user Login
	var receiverSaw, userSaw time.Time
	for i := range 200_000 {
		request := ""
		if i > 1000 {
			request = string(rune('a' + i/1000%26))
		}
		s, _, _ = Step(s, "u", request, now, policy)
		if receiver == nil || random.IntN(20) == 0 || now.Sub(receiverSaw) > policy.Overlap-2*time.Minute {
			receiver, receiverSaw = s.Valid(), now
		}
		if user == (Login{}) || random.IntN(20) == 0 || now.Sub(userSaw) > policy.Overlap-2*time.Minute {
			user, userSaw = s.Current, now
		}
		require.Contains(t, receiver, user)
		now = now.Add(time.Duration(random.IntN(60)) * time.Second)
	}
	require.Greater(t, s.Serial, 100)
}
