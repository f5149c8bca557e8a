// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// relative and absolute tolerances: OpenCost rounds unit prices to six decimals.
const (
	relative = 1e-6
	rounding = 5e-7
)

func near(t *testing.T, want, got float64, msg ...any) {
	t.Helper()
	require.InDelta(t, want, got, math.Max(math.Abs(want)*relative, 1e-12), msg...)
}

func nearUnit(t *testing.T, want, got float64, msg ...any) {
	t.Helper()
	require.InDelta(t, want, got, rounding, msg...)
}

func defaults(t *testing.T) Prices {
	t.Helper()
	p, err := DefaultPrices(SetOpenCostJSON)
	require.NoError(t, err)
	return p
}

func node(cores, gib, gpus float64, labels map[string]string) *Node {
	n := &Node{Name: "n1", Labels: labels, Cores: cores, MemoryBytes: gib * GiB, Extended: map[string]float64{}}
	if gpus > 0 {
		n.Extended["nvidia.com/gpu"] = gpus
	}
	return n
}

func TestDefaultPricesUnknownSet(t *testing.T) {
	_, err := DefaultPrices("aws")
	require.ErrorContains(t, err, `"aws"`)
	require.ErrorContains(t, err, SetOpenCostGo)
}

func TestCheckPrice(t *testing.T) {
	for v, ok := range map[float64]bool{0: true, 0.1: true, -0.1: false, math.Inf(1): false, math.Inf(-1): false} {
		require.Equal(t, ok, CheckPrice(v) == nil, "%v", v)
	}
	require.Error(t, CheckPrice(math.NaN()))
}

func TestDiscount(t *testing.T) {
	for _, c := range []struct{ a, b, want float64 }{{0, 0, 0}, {0.3, 0, 0.3}, {0.3, 0.2, 0.44}, {1, 0.5, 1}} {
		near(t, c.want, Discount(c.a, c.b))
	}
}

func TestManagementFee(t *testing.T) {
	for _, c := range []struct {
		label, platform string
		fee             float64
	}{
		{"eks.amazonaws.com/nodegroup", "EKS", 0.10}, {"cloud.google.com/gke-nodepool", "GKE", 0.10},
		{"kops.k8s.io/instancegroup", "KOPS", 0}, {"other", "", 0},
	} {
		platform, fee := ManagementFee(map[string]string{c.label: "x"})
		require.Equal(t, c.platform, platform)
		require.Equal(t, c.fee, fee)
	}
}

func TestNodeLabelsInOpenCostsOrder(t *testing.T) {
	n := &Node{Labels: map[string]string{
		"beta.kubernetes.io/instance-type": "beta", "node.kubernetes.io/instance-type": "stable",
		"topology.kubernetes.io/region": "stable", "failure-domain.beta.kubernetes.io/region": "beta",
		"failure-domain.beta.kubernetes.io/zone": "zone",
		"kubernetes.io/arch":                     "arm64", "beta.kubernetes.io/arch": "amd64",
	}}
	require.Equal(t, []string{"beta", "stable", "zone", "arm64"}, []string{n.InstanceType(), n.Region(), n.Zone(), n.Arch()})
	require.Empty(t, (&Node{}).InstanceType())
}

func TestSpot(t *testing.T) {
	for _, c := range []struct {
		labels map[string]string
		spot   bool
	}{
		{nil, false},
		{map[string]string{"karpenter.sh/capacity-type": "spot"}, true},
		{map[string]string{"karpenter.sh/capacity-type": "on-demand"}, false},
		{map[string]string{"eks.amazonaws.com/capacityType": "SPOT"}, true},
		{map[string]string{"cloud.google.com/gke-preemptible": "true"}, true},
		{map[string]string{"kubernetes.azure.com/scalesetpriority": "spot"}, true},
		{map[string]string{"market": "cheap"}, true},
		{map[string]string{"market": "dear"}, false},
	} {
		n := &Node{Labels: c.labels}
		require.Equal(t, c.spot, n.Spot("market", "cheap"), "%v", c.labels)
	}
}

func TestCountGPUs(t *testing.T) {
	for _, c := range []struct {
		name     string
		extended map[string]float64
		labels   map[string]string
		want     GPUs
		perUnit  float64
	}{
		{"none", nil, nil, GPUs{}, 1},
		{"whole", map[string]float64{"nvidia.com/gpu": 4}, nil, GPUs{4, 4}, 1},
		{
			"time slices, renamed", map[string]float64{"nvidia.com/gpu.shared": 8},
			map[string]string{"nvidia.com/gpu.replicas": "4", "nvidia.com/gpu.count": "2"}, GPUs{2, 8}, 0.25,
		},
		{
			"time slices, same name", map[string]float64{"nvidia.com/gpu": 8},
			map[string]string{"nvidia.com/gpu.replicas": "4", "nvidia.com/gpu.count": "2"}, GPUs{2, 8}, 0.25,
		},
		{"label only", nil, map[string]string{"nvidia.com/gpu.replicas": "4", "nvidia.com/gpu.count": "2"}, GPUs{2, 2}, 1},
		{"bad count", nil, map[string]string{"nvidia.com/gpu.replicas": "4", "nvidia.com/gpu.count": "two"}, GPUs{}, 1},
		{"aws vgpu", map[string]float64{"k8s.amazonaws.com/vgpu": 20}, nil, GPUs{2, 20}, 0.1},
		{"amd, intel and MIG aren't GPUs", map[string]float64{"amd.com/gpu": 1, "gpu.intel.com/i915": 1, "nvidia.com/mig-1g.5gb": 7}, nil, GPUs{}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := CountGPUs(&Node{Extended: c.extended, Labels: c.labels}, 0)
			require.Equal(t, c.want, got)
			near(t, c.perUnit, got.PerUnit())
		})
	}
	require.Equal(t, GPUs{5, 20}, CountGPUs(&Node{Extended: map[string]float64{"k8s.amazonaws.com/vgpu": 20}}, 4))
}

func TestMIGShare(t *testing.T) {
	for name, want := range map[string]float64{
		"nvidia.com/mig-1g.5gb": 1.0 / 7, "nvidia.com/mig-3g.20gb": 3.0 / 7, "nvidia.com/mig-7g.40gb": 1,
		"nvidia.com/mig-1c.2g.10gb": 2.0 / 7, "nvidia.com/mig-1g.10gb.me": 1.0 / 7,
		"nvidia.com/gpu": 0, "nvidia.com/mig-9g.1gb": 0, "example.com/mig-1g.5gb": 0,
	} {
		near(t, want, MIGShare(name), name)
	}
}

func TestVolumeCost(t *testing.T) {
	near(t, 0.04, VolumeCost(0.00005479452, 1, HoursPerMonth), "4 cents per GiB and month")
	near(t, 0.00005479452*10*24, VolumeCost(0.00005479452, 10, 24))
	require.Zero(t, VolumeCost(1, 10<<20+1, 1), "above 10 PiB")
}

func TestEfficiency(t *testing.T) {
	for _, c := range []struct{ used, requested, cost, want float64 }{
		{1, 2, 1, 0.5}, {4, 2, 1, 2}, {0, 0, 1, 0}, {1, 0, 0, 0}, {1, 0, 1, 1}, {0, 2, 1, 0},
	} {
		near(t, c.want, Efficiency(c.used, c.requested, c.cost))
	}
	near(t, (0.5*3+0.25*1)/4, TotalEfficiency(0.5, 3, 0.25, 1))
	require.Zero(t, TotalEfficiency(1, 0, 1, 0))
}

func TestCounter(t *testing.T) {
	at := time.Unix(1e9, 0)
	var c Counter
	total, start := c.Set(at, 2, 0)
	require.Zero(t, total)
	require.Equal(t, at, start)
	total, _ = c.Set(at.Add(30*time.Minute), 4, time.Hour)
	near(t, 1, total, "the old price until now")
	total, _ = c.Set(at.Add(90*time.Minute), 4, time.Hour)
	near(t, 5, total)
	total, _ = c.Set(at.Add(80*time.Minute), 4, time.Hour)
	near(t, 5, total, "the clock went back")
	total, _ = c.Set(at.Add(5*time.Hour), 4, time.Hour)
	near(t, 5, total, "the gap was too long")
}

func TestCounterSet(t *testing.T) {
	at := time.Unix(1e9, 0)
	var s CounterSet[string]
	get := func(d time.Duration, prices map[string]float64) map[string]Total[string] {
		out := map[string]Total[string]{}
		at = at.Add(d)
		s.Update(at, prices, func(v Total[string]) { out[v.Key] = v })
		return out
	}
	get(0, map[string]float64{"a": 1, "b": 2})
	got := get(time.Hour, map[string]float64{"a": 1, "c": 4})
	near(t, 1, got["a"].Cost)
	near(t, 2, got["b"].Cost, "what is gone is charged for the interval at whose beginning it was there")
	require.True(t, got["b"].Gone)
	require.Zero(t, got["c"].Cost)
	got = get(time.Hour, map[string]float64{"a": 1, "c": 4})
	require.NotContains(t, got, "b")
	near(t, 2, got["a"].Cost)
	near(t, 4, got["c"].Cost)
}

func TestGPURequest(t *testing.T) {
	for _, c := range []struct {
		requests, limits amounts
		want             float64
	}{
		{nil, nil, 0},
		{amounts{"nvidia.com/gpu": 2}, amounts{"nvidia.com/gpu": 3}, 2},
		{nil, amounts{"nvidia.com/gpu": 3}, 3},
		{amounts{"nvidia.com/gpu.shared": 1}, nil, 1},
		{nil, amounts{"k8s.amazonaws.com/vgpu": 5}, 5},
		{amounts{"amd.com/gpu": 1}, nil, 0},
	} {
		require.Equal(t, c.want, GPURequest(c.requests, c.limits))
	}
}

type amounts map[string]float64

func (a amounts) Get(resource string) float64 { return a[resource] }
