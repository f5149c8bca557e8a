// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/status"
)

func counters(accepted, delivered, dropped int64) status.Lane {
	return status.Lane{
		Exporter: "region", Region: "a", Signal: "logs", AcceptedItems: accepted, DeliveredItems: delivered,
		DroppedItems: map[string]int64{"rejected": dropped - dropped/2, "too_large": dropped / 2},
	}
}

func TestRates(t *testing.T) {
	h := histories{lanes: map[laneKey]*history{}}
	at := func(seconds float64, l status.Lane) rates {
		h.sample([]status.Lane{l}, time.Duration(seconds*float64(time.Second)))
		return h.rates(l)
	}
	require.Equal(t, rates{}, h.rates(counters(0, 0, 0)), "never seen")
	require.Equal(t, rates{}, at(0, counters(1000, 900, 5)), "what was before the start is of no rate")
	require.Equal(t, &rate{Seconds: 5, Accepted: 10, Delivered: 20}, at(5, counters(1050, 1000, 5)).Short)
	require.Equal(t, &rate{Seconds: 5, Accepted: 10, Delivered: 20}, at(5, counters(9999, 9999, 5)).Short, "no time between")
	at(10, counters(1050, 1000, 5))
	at(15, counters(1050, 1000, 5))
	r := at(20, counters(1200, 1000, 7))
	require.Equal(t, &rate{Seconds: 15, Accepted: 10, Dropped: 2}, r.Short, "from 5 s on")
	require.Equal(t, &rate{Seconds: 20, Accepted: 10, Delivered: 5, Dropped: 2}, r.Long, "from the start on")

	// A machine that slept, or had no time for us.
	r = at(120, counters(1300, 1000, 7))
	require.Equal(t, &rate{Seconds: 100, Accepted: 1}, r.Short)

	// The queue is another one: no rate is negative.
	require.Equal(t, rates{}, at(125, counters(10, 0, 0)))
	require.Equal(t, &rate{Seconds: 5, Accepted: 2}, at(130, counters(20, 0, 0)).Long)
}

func TestRatesOverFiveMinutes(t *testing.T) {
	h := histories{lanes: map[laneKey]*history{}}
	var l status.Lane
	for i := range 200 { // over 16 min, one item more per second in each sample than in the one before
		l = counters(int64(5*i*(i+1)/2), 0, 0)
		jitter := time.Duration(i%3) * 7 * time.Millisecond
		h.sample([]status.Lane{l}, time.Duration(i)*sampleInterval+jitter)
	}
	r := h.rates(l)
	require.InDelta(t, 300, r.Long.Seconds, 0.1)
	require.InDelta(t, float64(140+199)/2, r.Long.Accepted, 0.1)
	require.InDelta(t, 15, r.Short.Seconds, 0.1)
	require.InDelta(t, 198, r.Short.Accepted, 1)
}

func TestHistoriesAreBounded(t *testing.T) {
	h := histories{lanes: map[laneKey]*history{}}
	many := func(n int) []status.Lane {
		lanes := make([]status.Lane, n)
		for i := range lanes {
			lanes[i] = status.Lane{Region: fmt.Sprint(i), Signal: "logs"}
		}
		return lanes
	}
	h.sample(many(maxLanes+500), 0)
	require.Len(t, h.lanes, maxLanes)
	h.sample(many(2), sampleInterval)
	require.Len(t, h.lanes, 2, "lanes that are gone are forgotten")
	others := many(maxLanes + 2)[2:]
	h.sample(others, 2*sampleInterval)
	require.Len(t, h.lanes, maxLanes, "there is room again for as many others")
	require.LessOrEqual(t, int(unsafe.Sizeof(history{})), 2048)
}
