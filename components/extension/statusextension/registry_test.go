// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/status"
)

func lanesOf(regions ...string) status.LaneSource {
	return func() []status.Lane {
		var lanes []status.Lane
		for _, name := range regions {
			lanes = append(lanes, status.Lane{Exporter: "region", Region: name, Signal: "logs"})
		}
		return lanes
	}
}

func regionsIn(lanes []status.Lane) []string {
	names := []string{}
	for _, l := range lanes {
		names = append(names, l.Region)
	}
	return names
}

func TestRegistry(t *testing.T) {
	var r registry[status.Lane]
	require.Empty(t, r.all())
	removeA := r.add(lanesOf("a1", "a2"))
	removeB := r.add(lanesOf("b"))
	require.Equal(t, []string{"a1", "a2", "b"}, regionsIn(r.all()))
	removeA()
	require.Equal(t, []string{"b"}, regionsIn(r.all()))
	removeA() // twice does nothing
	removeB()
	require.Empty(t, r.all())
}

// An exporter closes its queues once it has removed its lanes.
func TestRegistryNeverAsksAfterRemove(t *testing.T) {
	var (
		r       registry[status.Lane]
		asking  sync.WaitGroup
		workers sync.WaitGroup
		stop    atomic.Bool
		late    atomic.Int64
	)
	for range 2 {
		asking.Go(func() {
			for !stop.Load() {
				r.all()
			}
		})
	}
	for i := range 8 {
		workers.Go(func() {
			for range 200 {
				var gone atomic.Bool
				lanes := lanesOf(fmt.Sprint(i))
				remove := r.add(func() []status.Lane {
					if gone.Load() {
						late.Add(1)
					}
					return lanes()
				})
				remove()
				gone.Store(true)
			}
		})
	}
	workers.Wait()
	stop.Store(true)
	asking.Wait()
	require.Zero(t, late.Load())
	require.Empty(t, r.all())
}

func TestRegistryRemoveWaitsForACall(t *testing.T) {
	var r registry[status.Lane]
	called, answer, removed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	remove := r.add(func() []status.Lane {
		close(called)
		<-answer
		return nil
	})
	var work sync.WaitGroup
	work.Go(func() { r.all() })
	<-called
	work.Go(func() {
		remove()
		close(removed)
	})
	// An exporter that starts meanwhile is not held up.
	require.Eventually(t, func() bool { r.add(lanesOf("b")); return true }, time.Second, time.Millisecond)
	select {
	case <-removed:
		t.Error("removed during a call")
	case <-time.After(20 * time.Millisecond):
	}
	close(answer)
	work.Wait()
}
