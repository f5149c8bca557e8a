// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/status"
)

func TestAttention(t *testing.T) {
	now := newClock().now()
	old := now.Add(-6 * time.Minute)
	for _, tt := range []struct {
		name string
		lane status.Lane
		r    rates
		want []string
	}{
		{name: "delivering", lane: status.Lane{State: status.StateDelivering, HeldItems: 5, OldestHeld: now.Add(-time.Minute)}},
		{name: "nothing to hold", lane: status.Lane{State: status.StateHolding}},
		{name: "draining", lane: status.Lane{State: status.StateDraining, HeldItems: 5, OldestHeld: now}},
		{name: "dropped long ago", lane: status.Lane{State: status.StateDelivering, DroppedItems: map[string]int64{"rejected": 9}}, r: rates{Long: &rate{Seconds: 300}}},
		{name: "oldest in the future", lane: status.Lane{State: status.StateDelivering, HeldItems: 5, OldestHeld: now.Add(time.Hour)}},
		{name: "holding", lane: status.Lane{State: status.StateHolding, HeldItems: 5}, want: []string{"problem holding"}},
		{name: "retrying", lane: status.Lane{State: status.StateRetrying, HeldItems: 5, OldestHeld: old}, want: []string{"problem retrying"}},
		{name: "failover", lane: status.Lane{State: status.StateFailover}, want: []string{"warning failover"}},
		{name: "dropping", lane: status.Lane{State: status.StateDelivering}, r: rates{Long: &rate{Seconds: 300, Dropped: 1}}, want: []string{"problem dropping"}},
		{name: "behind", lane: status.Lane{State: status.StateDelivering, HeldItems: 5, OldestHeld: old}, want: []string{"warning behind"}},
		{
			name: "further behind all the time", lane: status.Lane{State: status.StateDelivering, HeldItems: 5, OldestHeld: old},
			r: rates{Short: &rate{Seconds: 15, Accepted: 10, Delivered: 9}}, want: []string{"warning behind"},
		},
		{
			name: "catching up", lane: status.Lane{State: status.StateDelivering, HeldItems: 5, OldestHeld: old},
			r: rates{Short: &rate{Seconds: 15, Accepted: 9, Delivered: 10}},
		},
		{
			name: "all at once", lane: status.Lane{State: status.StateFailover, ResidualItems: 1, HeldItems: 5, OldestHeld: old},
			r:    rates{Long: &rate{Seconds: 300, Dropped: 1}},
			want: []string{"problem residual", "problem dropping", "warning failover", "warning behind"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := attention(tt.lane, tt.r, now)
			var got []string
			for _, f := range found {
				got = append(got, string(f.Level)+" "+f.Code)
				require.NotEmpty(t, f.Text)
			}
			require.Equal(t, tt.want, got)
			require.NotNil(t, found, "an empty list in JSON, not null")
		})
	}
}

func TestCatchingUp(t *testing.T) {
	held := status.Lane{HeldItems: 600}
	at := func(accepted, delivered float64) rates {
		return rates{Short: &rate{Accepted: accepted, Delivered: delivered}}
	}
	require.Equal(t, time.Minute, catchingUp(held, at(10, 20)))
	require.Zero(t, catchingUp(held, at(10, 10)))
	require.Zero(t, catchingUp(held, rates{}))
	require.Zero(t, catchingUp(status.Lane{}, at(10, 20)))
	require.Equal(t, 1000*time.Hour, catchingUp(held, at(0, 1e-300)))
}
