// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Every quirk shows OpenCost's number and the corrected one.

func both(t *testing.T, r Resolver, n *Node) (openCost, corrected NodePrice) {
	t.Helper()
	corrected = r.Node(n, now)
	r.Compat = true
	return r.Node(n, now), corrected
}

func TestQuirkGPUNodeCostsOneCore(t *testing.T) {
	oc, ok := both(t, Resolver{Defaults: defaults(t)}, node(64, 512, 8, map[string]string{"a": "b"}))
	require.InDelta(t, 0.0316, oc.Total(), 3e-4)
	near(t, 64*0.031611+512*0.004237+8*0.95, ok.Total())
	require.InDelta(t, 11.79, ok.Total(), 0.01)
}

func TestQuirkGPULabelOfCustomProvider(t *testing.T) {
	r := Resolver{Defaults: defaults(t), GPULabel: "gpu"}
	oc, ok := both(t, r, node(4, 16, 2, map[string]string{"gpu": "true"}))
	near(t, 0.95, oc.GPU)
	near(t, ok.Total(), oc.Total(), "with the label both agree")
	r.SpotLabel, r.SpotValue = "spot", "yes"
	oc, ok = both(t, r, node(4, 16, 2, map[string]string{"gpu": "true", "spot": "yes"}))
	require.Zero(t, oc.Total(), "the key default,spot,gpu doesn't exist")
	near(t, 4*0.006655+16*0.000892+2*0.308, ok.Total())
	require.False(t, oc.Spot, "kubecost_node_is_spot is always 0 for the custom provider")
	require.True(t, ok.Spot)
	oc, _ = both(t, r, node(4, 16, 0, map[string]string{"gpu": "true"}))
	require.Equal(t, 1.0, oc.GPUs.Physical, "the label makes one GPU where the capacity tells none")
}

func TestQuirkBytesForGiB(t *testing.T) {
	r := &Resolver{Defaults: defaults(t)}
	n := node(4, 16, 2, nil)
	p := NodePrice{Cores: 4, GiB: 16, GPUs: GPUs{2, 2}}
	two := 2.0
	r.openCostSplit(n, provided{gpus: &two}, &p)
	require.Greater(t, p.Total(), 1e7, "branch 2's last fallback multiplies the price per GiB by bytes")
	near(t, 4*0.031611+16*0.004237+2*0.95, r.Node(n, now).Total())
}

func TestQuirkOneGPUTakenOff(t *testing.T) {
	r := Resolver{Defaults: defaults(t), List: list(t, ",m,,gpu,model,,0.75,\n,n1,,node,metadata.name,,1,\n")}
	oc, ok := both(t, r, node(4, 16, 3, map[string]string{"model": "m"}))
	near(t, 1+3*0.75, ok.Total())
	// Cost is 1 + 3 × 0.75, of which one GPU is taken off, and then all three are added again.
	require.InDelta(t, 1+3*0.75-0.75+3*0.75, oc.Total(), rounding*20)
	one, _ := both(t, r, node(4, 16, 1, map[string]string{"model": "m"}))
	require.InDelta(t, 1+0.75, one.Total(), rounding*20, "with one GPU it is right")
}

func TestQuirkGPULabelMakesTheRestFree(t *testing.T) {
	r := Resolver{Defaults: defaults(t), List: list(t, ",yes,,gpulabel,reserved,,0.25,\n,n1,,node,metadata.name,,1,\n")}
	oc, ok := both(t, r, node(4, 16, 2, map[string]string{"reserved": "yes"}))
	near(t, 2*0.25, oc.Total())
	near(t, 1+2*0.25, ok.Total())
}

func TestQuirkClassKeepsItsFirstPrice(t *testing.T) {
	r := Resolver{Defaults: defaults(t), List: list(t, ",a,eu,node,metadata.name,big,1,\n,b,eu,node,metadata.name,big,3,\n,c,eu,node,metadata.name,big,5,\n")}
	n := node(4, 16, 0, map[string]string{"node.kubernetes.io/instance-type": "big", "topology.kubernetes.io/region": "eu"})
	n.Name = "other"
	oc, ok := both(t, r, n)
	require.InDelta(t, 1, oc.Total(), rounding*20)
	near(t, 3, ok.Total())
}

func TestQuirkLastFieldCountsForAll(t *testing.T) {
	r := Resolver{Defaults: defaults(t), List: list(t, ",n1,,node,metadata.name,,1,\n,rack,,node,metadata.labels.rack,,2,\n")}
	oc, ok := both(t, r, node(4, 16, 0, map[string]string{"topology.kubernetes.io/region": "eu"}))
	require.Equal(t, SourceDefault, oc.Source)
	near(t, 1, ok.Total())
}

func TestQuirkRowsWithoutTypeAreAClass(t *testing.T) {
	r := Resolver{Defaults: defaults(t), List: list(t, ",n1,,node,metadata.name,,1,\n")}
	n := node(4, 16, 0, nil)
	n.Name = "another"
	oc, ok := both(t, r, n)
	require.InDelta(t, 1, oc.Total(), rounding*20, "a node without region and type gets the price of n1")
	require.Equal(t, SourceDefault, ok.Source)
}

func TestQuirkRoundingOfUnitPrices(t *testing.T) {
	r := Resolver{Defaults: defaults(t), List: list(t, ",n1,,node,metadata.name,,0.1337,\n")}
	oc, ok := both(t, r, node(4, 16, 0, nil))
	near(t, 0.1337, ok.Total())
	require.NotEqual(t, ok.CPU, oc.CPU)
	nearUnit(t, ok.CPU, oc.CPU)
	nearUnit(t, ok.RAM, oc.RAM)
	require.Equal(t, six(oc.RAM), oc.RAM)
}

func TestQuirkCoresRoundUp(t *testing.T) {
	oc, ok := both(t, Resolver{Defaults: defaults(t)}, node(3.92, 16, 0, nil))
	require.Equal(t, 4.0, oc.Cores)
	require.Equal(t, 3.92, ok.Cores)
	near(t, 16*0.004237, oc.Total(), "and are left out of the total, since 3920m is no number")
	near(t, 3.92*0.031611+16*0.004237, ok.Total())
}

func TestRancherTakesUnitPricesAsTheyAre(t *testing.T) {
	oc, ok := both(t, Resolver{Defaults: defaults(t)}, node(4, 16, 1, map[string]string{"node.kubernetes.io/instance-type": "rke2"}))
	near(t, 4*0.031611+16*0.004237+0.95, oc.Total())
	near(t, ok.Total(), oc.Total())
}

func TestCompatWithoutDefaultRAMPrice(t *testing.T) {
	d := defaults(t)
	d.RAM = 0
	r := Resolver{Defaults: d, List: list(t, ",n1,,node,metadata.name,,1,\n"), Compat: true}
	p := r.Node(node(4, 16, 0, nil), now)
	near(t, 0.25, p.CPU)
	require.Zero(t, p.RAM)
	d.CPU = 0
	r.Defaults = d
	p = r.Node(node(4, 16, 2, nil), now)
	require.Zero(t, p.GPU-six(p.GPU), "ratios of NaN fall back to 10 and 100")
}

func TestQuirkOutlierGuard(t *testing.T) {
	var g OutlierGuard
	cpu, ram, total := g.Admit(0, 0)
	require.False(t, cpu || ram || total, "a free node is never recorded: 0 < 30 × 0 is false")
	g = OutlierGuard{}
	cpu, ram, total = g.Admit(1, 2)
	require.True(t, cpu && ram && total)
	cpu, ram, total = g.Admit(30, 2)
	require.Equal(t, []bool{false, true, false}, []bool{cpu, ram, total}, "30 times the average isn't recorded")
	cpu, _, _ = g.Admit(29, 2)
	require.True(t, cpu)
}
