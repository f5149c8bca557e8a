// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var t0 = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

func rates(cores, gib, gpus float64) []Rate {
	return []Rate{{"cpu", cores, 0.1}, {"ram", gib, 0.01}, {"gpu", gpus, 1}}
}

func started(t *testing.T, r []Rate) *Meter {
	t.Helper()
	m := NewMeter(time.Hour)
	m.SetRates(t0, r)
	m.Observe(t0, nil)
	return m
}

func TestMeterChargesTheLargerOfRequestAndUsage(t *testing.T) {
	m := started(t, rates(8, 32, 2))
	s := []Sample{
		{Key: "requested", Request: []float64{2, 4, 1}, CPUSeconds: 30, CPUAt: t0, MemoryGiB: 1},
		{Key: "used", Request: []float64{1, 1}, CPUSeconds: 0, CPUAt: t0, MemoryGiB: 2},
	}
	m.Observe(t0, s)
	at := t0.Add(time.Minute)
	s[0].CPUSeconds, s[0].CPUAt = 60, at  // 0.5 cores
	s[1].CPUSeconds, s[1].CPUAt = 180, at // 3 cores
	c := m.Observe(at, s)
	h := time.Minute.Hours()
	near(t, 0.5, c[0].Used[CPU])
	near(t, 2, c[0].Allocation[CPU])
	near(t, 2*0.1*h, c[0].Cost[CPU])
	near(t, 4*0.01*h, c[0].Cost[RAM])
	near(t, 1*h, c[0].Cost[GPU])
	near(t, 3, c[1].Allocation[CPU])
	near(t, 3*0.1*h, c[1].Cost[CPU])
	near(t, 2*0.01*h, c[1].Cost[RAM])
	near(t, (8-5)*0.1*h, m.Idle()[CPU])
	near(t, (2-1)*h, m.Idle()[GPU])
	near(t, 8*0.1*h, m.Node()[CPU])
}

func TestMeterChargesTheMaximumOfEachSampleNotOfAverages(t *testing.T) {
	m := started(t, rates(8, 32, 0))
	s := []Sample{{Key: "a", Request: []float64{1, 0}, CPUAt: t0}}
	m.Observe(t0, s)
	for i, cores := range []float64{0, 2} {
		at := t0.Add(time.Duration(i+1) * time.Minute)
		s[0].CPUSeconds += cores * 60
		s[0].CPUAt = at
		c := m.Observe(at, s)
		near(t, max(1, cores), c[0].Allocation[CPU])
	}
	near(t, (1+2)*0.1*time.Minute.Hours(), m.charges[0].Cost[CPU], "the average usage is the request, yet 1.5 are charged")
}

func TestMeterRestartedContainerCountsFromItsStart(t *testing.T) {
	m := started(t, rates(8, 32, 0))
	m.Observe(t0, []Sample{{Key: "a", CPUSeconds: 1000, CPUAt: t0, From: t0.Add(-time.Hour)}})
	at := t0.Add(time.Minute)
	c := m.Observe(at, []Sample{{Key: "a", CPUSeconds: 15, CPUAt: at, From: at.Add(-30 * time.Second)}})
	near(t, 0.5, c[0].Used[CPU])
	// The kubelet hasn't measured anew: the rate stands, it isn't 0.
	c = m.Observe(at.Add(time.Minute), []Sample{{Key: "a", CPUSeconds: 15, CPUAt: at, From: at.Add(-30 * time.Second)}})
	near(t, 0.5, c[0].Used[CPU])
}

func TestMeterChargesOnlyTheActivePart(t *testing.T) {
	m := started(t, rates(8, 32, 0))
	at := t0.Add(time.Minute)
	c := m.Observe(at, []Sample{
		{Key: "late", Request: []float64{1, 1}, From: t0.Add(45 * time.Second)},
		{Key: "short", Request: []float64{1, 1}, From: t0.Add(10 * time.Second), To: t0.Add(20 * time.Second)},
		{Key: "before", Request: []float64{1, 1}, From: t0.Add(-time.Hour), To: t0.Add(-time.Minute)},
		{Key: "future", Request: []float64{1, 1}, From: at.Add(time.Hour)},
	})
	near(t, 0.1*15/3600, c[0].Cost[CPU])
	near(t, 0.1*10/3600, c[1].Cost[CPU], "came and went between two collections")
	require.Zero(t, c[2].Cost[CPU])
	require.Zero(t, c[3].Cost[CPU])
	require.True(t, c[0].New)
	require.Equal(t, t0.Add(45*time.Second), c[0].Start)
	require.False(t, m.Observe(at.Add(time.Second), []Sample{{Key: "late"}})[0].New)
}

func TestMeterRestartDoesNotCutTheInterval(t *testing.T) {
	m := started(t, rates(8, 32, 0))
	m.Observe(t0, []Sample{{Key: "a", Request: []float64{1, 1}, From: t0.Add(-time.Hour), CPUAt: t0, CPUSeconds: 50}})
	at := t0.Add(time.Minute)
	c := m.Observe(at, []Sample{{
		Key: "a", Request: []float64{1, 1}, From: at.Add(-10 * time.Second), Run: at.Add(-5 * time.Second), CPUAt: at, CPUSeconds: 10,
	}})
	near(t, 2, c[0].Used[CPU], "since the present run")
	near(t, 2*0.1/60, c[0].Cost[CPU], "its requests were held all the time")
}

func TestMeterScalesWhatExceedsTheNode(t *testing.T) {
	s := []Sample{{Key: "a", Request: []float64{3, 0}}, {Key: "b", Request: []float64{1, 0}}}
	h := time.Minute.Hours()
	m := started(t, rates(2, 32, 0))
	c := m.Observe(t0.Add(time.Minute), s)
	near(t, 1.5*0.1*h, c[0].Cost[CPU])
	near(t, 0.5*0.1*h, c[1].Cost[CPU])
	near(t, 3, c[0].Allocation[CPU], "the gauge isn't scaled")
	require.Zero(t, m.Idle()[CPU])
	m = started(t, rates(2, 32, 0))
	m.Unscaled = true
	c = m.Observe(t0.Add(time.Minute), s)
	near(t, 3*0.1*h, c[0].Cost[CPU], "OpenCost's way")
	require.Zero(t, m.Idle()[CPU], "never negative")
}

func TestMeterPriceChangeCountsFromItsMoment(t *testing.T) {
	m := started(t, rates(2, 32, 0))
	dear := rates(2, 32, 0)
	dear[CPU].Price = 0.4
	m.SetRates(t0.Add(15*time.Second), dear)
	c := m.Observe(t0.Add(time.Minute), []Sample{{Key: "a", Request: []float64{1, 0}}})
	near(t, (0.1*15+0.4*45)/3600, c[0].Cost[CPU])
	near(t, 2*(0.1*15+0.4*45)/3600, m.Node()[CPU])
}

func TestMeterNewResourceOfTheNode(t *testing.T) {
	m := started(t, rates(2, 32, 0))
	m.Observe(t0.Add(time.Minute), []Sample{{Key: "a", Request: []float64{1, 0}}})
	m.SetRates(t0.Add(time.Minute), append(rates(2, 32, 0), Rate{"nvidia.com/mig-1g.5gb", 7, 0.1}))
	require.Equal(t, []string{"cpu", "ram", "gpu", "nvidia.com/mig-1g.5gb"}, m.Resources())
	c := m.Observe(t0.Add(time.Hour+time.Minute), []Sample{{Key: "a", Request: []float64{1, 0, 0, 2}}})
	near(t, 0.2, c[0].Cost[3])
	near(t, 0.5, m.Idle()[3])
	// And gone again: requests of what the node doesn't have cost nothing.
	m.SetRates(t0.Add(time.Hour+time.Minute), rates(2, 32, 0))
	c = m.Observe(t0.Add(2*time.Hour), []Sample{{Key: "a", Request: []float64{1, 0, 0, 2}}})
	near(t, 0.2, c[0].Cost[3])
}

func TestMeterGaps(t *testing.T) {
	s := []Sample{{Key: "a", Request: []float64{1, 0}}}
	m := started(t, rates(2, 32, 0))
	c := m.Observe(t0.Add(50*time.Minute), s)
	near(t, 0.1*50/60, c[0].Cost[CPU], "a gap that isn't too long is charged")
	c = m.Observe(t0.Add(3*time.Hour), s)
	near(t, 0.1*50/60, c[0].Cost[CPU])
	require.Equal(t, 130*time.Minute, m.Unbilled())
	c = m.Observe(t0.Add(2*time.Hour), s)
	near(t, 0.1*50/60, c[0].Cost[CPU], "the clock went back")
	c = m.Observe(t0.Add(3*time.Hour+30*time.Minute), s)
	near(t, 0.1*80/60, c[0].Cost[CPU], "and caught up")
}

func TestMeterStateDoesNotChargeTwice(t *testing.T) {
	s := []Sample{{Key: "a", Request: []float64{1, 1}, From: t0.Add(-time.Hour), CPUSeconds: 0, CPUAt: t0}}
	m := started(t, rates(2, 32, 0))
	m.Observe(t0, s)
	at := t0.Add(10 * time.Minute)
	s[0].CPUSeconds, s[0].CPUAt = 600, at
	m.Observe(at, s)
	raw, err := m.MarshalState("n1")
	require.NoError(t, err)

	again := NewMeter(time.Hour)
	require.NoError(t, again.UnmarshalState(raw, "n1", at.Add(time.Minute)))
	require.Equal(t, m.Node(), again.Node())
	require.Equal(t, at, again.Last())
	at = t0.Add(20 * time.Minute)
	again.SetRates(at, rates(2, 32, 0))
	s[0].CPUSeconds, s[0].CPUAt = 600+2*600, at
	c := again.Observe(at, s)
	near(t, 2, c[0].Used[CPU], "the usage over the restart")
	near(t, 0.1*(10+20)/60, c[0].Cost[CPU], "each minute once, the gap included")
	require.Equal(t, t0, c[0].Start)
	require.False(t, c[0].New)
	near(t, 2*0.1*20/60, again.Node()[CPU])

	for _, c := range []struct {
		raw, node string
		now       time.Time
		want      string
	}{
		{string(raw), "n2", at, `"n1"`},
		{string(raw), "n1", t0, "future"},
		{"{", "n1", at, "state"},
		{`{"version":9}`, "n1", at, "version 9"},
		{`{"version":1,"node":"n1","resources":["cpu"]}`, "n1", at, "damaged"},
	} {
		fresh := NewMeter(time.Hour)
		require.ErrorContains(t, fresh.UnmarshalState([]byte(c.raw), c.node, c.now), c.want)
		require.True(t, fresh.Last().IsZero(), "refused state leaves no trace")
	}
}

// TestMeterInvariant drives meters with random nodes, prices and containers: for every resource the containers' charges
// (also of those gone since) plus idle equal the node's cost, idle isn't negative and no counter falls.
func TestMeterInvariant(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		m := NewMeter(0)
		now := t0
		random := func() []Rate {
			r := []Rate{{"cpu", float64(rnd.IntN(16)), rnd.Float64()}, {"ram", rnd.Float64() * 64, rnd.Float64()}, {"gpu", float64(rnd.IntN(3)), rnd.Float64() * 3}}
			if rnd.IntN(2) == 0 {
				r = append(r, Rate{"x", float64(rnd.IntN(4)), rnd.Float64()})
			}
			return r
		}
		m.SetRates(now, random())
		gone := map[string][]float64{} // last known costs
		idle := make([]float64, 4)
		for step := range 40 {
			var samples []Sample
			for i := range rnd.IntN(12) {
				s := Sample{
					Key: fmt.Sprint(i, "-", step/5), From: now.Add(-time.Duration(rnd.IntN(100)) * time.Second),
					Request:   []float64{rnd.Float64() * 4, rnd.Float64() * 8, float64(rnd.IntN(2)), float64(rnd.IntN(2))}[:rnd.IntN(5)],
					MemoryGiB: rnd.Float64() * 16, CPUSeconds: rnd.Float64() * 1000, CPUAt: now,
				}
				if len(s.Request) > len(m.Resources()) {
					s.Request = s.Request[:len(m.Resources())]
				}
				if rnd.IntN(3) == 0 {
					s.To = now.Add(-time.Duration(rnd.IntN(30)) * time.Second)
				}
				samples = append(samples, s)
			}
			if rnd.IntN(3) == 0 {
				m.SetRates(now.Add(-time.Duration(rnd.IntN(20))*time.Second), random())
			}
			for i, c := range m.Observe(now, samples) {
				old := gone[samples[i].Key]
				if c.New {
					// Forgotten and back: what it was charged before stays charged.
					gone[fmt.Sprint(samples[i].Key, "@", step)] = old
					old = nil
				}
				for r, v := range old {
					require.GreaterOrEqual(t, c.Cost[r], v, "a counter fell")
				}
				gone[samples[i].Key] = append([]float64(nil), c.Cost...)
			}
			for r, v := range m.Idle() {
				require.GreaterOrEqual(t, v, idle[r], "idle is never negative")
				idle[r] = v
			}
			now = now.Add(time.Duration(1+rnd.IntN(90)) * time.Second)
		}
		for r := range m.Resources() {
			sum := m.Idle()[r]
			for _, c := range gone {
				if r < len(c) {
					sum += c[r]
				}
			}
			require.InDelta(t, m.Node()[r], sum, 1e-9+m.Node()[r]*1e-9, "seed %d, resource %s", seed, m.Resources()[r])
		}
	}
}

// TestSplitInvariant: however a node's price is found, capacity times unit price sums up to it.
func TestSplitInvariant(t *testing.T) {
	for seed := range uint64(500) {
		rnd := rand.New(rand.NewPCG(seed, 11))
		total := rnd.Float64() * 50
		r := &Resolver{
			Defaults: Prices{CPU: rnd.Float64(), RAM: rnd.Float64() * float64(rnd.IntN(2)), GPU: rnd.Float64()},
			Extended: map[string]float64{"x": rnd.Float64()},
		}
		n := node(float64(1+rnd.IntN(96)), rnd.Float64()*768, float64(rnd.IntN(9)), nil)
		n.Extended["x"], n.Extended["nvidia.com/mig-2g.10gb"] = float64(rnd.IntN(5)), float64(rnd.IntN(3))
		n.Annotations = map[string]string{OverrideNode: fmt.Sprintf("%.17g", total)}
		p := r.Node(n, now)
		near(t, total, p.Total(), "seed %d", seed)
		for _, u := range []float64{p.CPU, p.RAM, p.GPU} {
			require.NoError(t, CheckPrice(u))
		}
	}
}

func FuzzParsePriceList(f *testing.F) {
	f.Add(header + ",a,eu,node,metadata.name,big,1,\n")
	f.Add("\"")
	f.Fuzz(func(t *testing.T, body string) {
		l, _, err := ParsePriceList("f", stringsReader(body))
		if err != nil {
			return
		}
		p := (&Resolver{List: l}).Node(node(1, 1, 1, map[string]string{"a": "b"}), now)
		require.NoError(t, CheckPrice(p.Total()))
	})
}
