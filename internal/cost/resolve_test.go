// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	now    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	listAt = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
)

const header = "EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,Version\n"

func list(t *testing.T, rows string) *PriceList {
	t.Helper()
	l, problems, err := ParsePriceList("prices.csv", strings.NewReader(header+rows))
	require.NoError(t, err)
	require.Empty(t, problems)
	return l
}

func table(t *testing.T, body string) *InstanceTable {
	t.Helper()
	tab, problems, err := ParseInstanceTable("types.yaml", strings.NewReader(body))
	require.NoError(t, err)
	require.Empty(t, problems)
	return tab
}

const types = `
as_of: 2026-10-01
instances:
  big:
    eu: {on_demand: 2.0, spot: 0.5}
    "*": {on_demand: 3.0}
`

func TestResolveOrderOfSources(t *testing.T) {
	r := &Resolver{
		Defaults: defaults(t), DefaultsAt: listAt.AddDate(-1, 0, 0), ListAt: listAt,
		List: list(t, ",special,,node,metadata.name,,1.5,\n"), Table: table(t, types),
	}
	for _, c := range []struct {
		name   string
		change func(n *Node)
		total  float64
		source Source
		asOf   time.Time
	}{
		{"defaults", func(*Node) {}, 4*0.031611 + 16*0.004237, SourceDefault, r.DefaultsAt},
		{"unknown type", func(n *Node) { n.Labels["node.kubernetes.io/instance-type"] = "odd" }, 4*0.031611 + 16*0.004237, SourceDefault, r.DefaultsAt},
		{"spot defaults", func(n *Node) { n.Labels["karpenter.sh/capacity-type"] = "spot" }, 4*0.006655 + 16*0.000892, SourceDefault, r.DefaultsAt},
		{"table", func(n *Node) { bigEU(n) }, 2, SourceTable, r.tableDate()},
		{"table, spot", func(n *Node) { bigEU(n); n.Labels["karpenter.sh/capacity-type"] = "spot" }, 0.5, SourceTable, r.tableDate()},
		{"table, other region", func(n *Node) { bigEU(n); n.Labels["topology.kubernetes.io/region"] = "us" }, 3, SourceTable, r.tableDate()},
		{"list before table", func(n *Node) { bigEU(n); n.Name = "special" }, 1.5, SourceList, listAt},
		{"label before list", func(n *Node) { n.Name = "special"; n.Labels[OverrideNode] = "7" }, 7, SourceOverride, now},
		{"annotation before label", func(n *Node) {
			n.Labels[OverrideNode] = "7"
			n.Annotations = map[string]string{OverrideNode: "8"}
		}, 8, SourceOverride, now},
		{"unit price of the CPU", func(n *Node) { n.Labels[OverrideCPU] = "1" }, 4*1 + 16*0.004237, SourceOverride, now},
		{"unit prices of all", func(n *Node) {
			n.Labels[OverrideCPU], n.Labels[OverrideRAM] = "1", "0.5"
		}, 4*1 + 16*0.5, SourceOverride, now},
		{"free node", func(n *Node) { n.Labels[OverrideNode] = "0" }, 0, SourceOverride, now},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := node(4, 16, 0, map[string]string{})
			c.change(n)
			p := r.Node(n, now)
			near(t, c.total, p.Total())
			require.Equal(t, c.source, p.Source)
			require.Equal(t, c.asOf, p.AsOf)
			require.Empty(t, p.Problems)
		})
	}
}

func bigEU(n *Node) {
	n.Labels["node.kubernetes.io/instance-type"] = "big"
	n.Labels["topology.kubernetes.io/region"] = "eu"
}

func (r *Resolver) tableDate() time.Time { return r.Table.AsOf }

func TestSplitKeepsOpenCostsRatios(t *testing.T) {
	r := &Resolver{Defaults: defaults(t), Table: table(t, types)}
	n := node(8, 32, 0, map[string]string{})
	bigEU(n)
	p := r.Node(n, now)
	near(t, 7.460703, p.CPU/p.RAM)
	n = node(8, 32, 2, map[string]string{})
	bigEU(n)
	p = r.Node(n, now)
	near(t, 224.215247, p.GPU/p.RAM)
	near(t, 2, p.Total())
	// Branch 2's formula, written out.
	ram := 2 / (2*0.95/0.004237 + 8*0.031611/0.004237 + 32)
	near(t, ram, p.RAM)
	near(t, ram*0.031611/0.004237, p.CPU)
}

func TestSplitWithoutDefaultRAMPrice(t *testing.T) {
	d := defaults(t)
	d.RAM = 0
	r := &Resolver{Defaults: d, Table: table(t, types)}
	n := node(4, 16, 0, map[string]string{})
	bigEU(n)
	p := r.Node(n, now)
	near(t, 0.5, p.CPU, "all to the CPU")
	require.Zero(t, p.RAM)
	d.CPU = 0
	r.Defaults = d
	p = r.Node(n, now)
	near(t, 2, p.Total(), "all to the CPU though nothing has a default price")
}

func TestOverrideThatIsNoPrice(t *testing.T) {
	for _, bad := range []string{"-1", "NaN", "+Inf", "dear"} {
		r := &Resolver{Defaults: defaults(t)}
		p := r.Node(node(4, 16, 0, map[string]string{OverrideCPU: bad}), now)
		near(t, 0.031611, p.CPU)
		require.Len(t, p.Problems, 1)
		require.Contains(t, p.Problems[0], OverrideCPU)
		require.Contains(t, p.Problems[0], bad)
		require.Equal(t, SourceDefault, p.Source)
	}
}

func TestGPUPrices(t *testing.T) {
	gpuList := list(t, `,fast,,gpu,gpu/model,,0.75,
,yes,,gpulabel,reserved,,0.25,
,withgpu,,node,metadata.name,,1,
`)
	for _, c := range []struct {
		name       string
		node       string
		labels     map[string]string
		list       *PriceList
		gpu, total float64
	}{
		{"default", "n", nil, nil, 0.95, 64*0.031611 + 512*0.004237 + 8*0.95},
		{"spot", "n", map[string]string{"karpenter.sh/capacity-type": "spot"}, nil, 0.308, 64*0.006655 + 512*0.000892 + 8*0.308},
		{"model", "n", map[string]string{"gpu/model": "FAST"}, gpuList, 0.75, 64*0.031611 + 512*0.004237 + 8*0.75},
		{"label", "n", map[string]string{"reserved": "yes"}, gpuList, 0.25, 64*0.031611 + 512*0.004237 + 8*0.25},
		{"label before model", "n", map[string]string{"reserved": "yes", "gpu/model": "fast"}, gpuList, 0.25, 64*0.031611 + 512*0.004237 + 8*0.25},
		{"node price without GPUs plus GPUs", "withgpu", map[string]string{"gpu/model": "fast"}, gpuList, 0.75, 1 + 8*0.75},
		{"override", "n", map[string]string{OverrideGPU: "2"}, nil, 2, 64*0.031611 + 512*0.004237 + 8*2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &Resolver{Defaults: defaults(t), List: c.list, ListAt: listAt}
			n := node(64, 512, 8, c.labels)
			n.Name = c.node
			p := r.Node(n, now)
			near(t, c.gpu, p.GPU)
			near(t, c.total, p.Total())
		})
	}
}

func TestExtendedResources(t *testing.T) {
	r := &Resolver{Defaults: defaults(t), Extended: map[string]float64{"amd.com/gpu": 0.8}, Table: table(t, types)}
	n := node(8, 32, 0, map[string]string{})
	n.Extended = map[string]float64{"nvidia.com/mig-3g.20gb": 2, "amd.com/gpu": 1, "example.com/dongle": 3}
	p := r.Node(n, now)
	require.Equal(t, []Extended{{"amd.com/gpu", 1, 0.8}, {"nvidia.com/mig-3g.20gb", 2, MIGShare("nvidia.com/mig-3g.20gb") * 0.95}}, p.Extended)
	near(t, 8*0.031611+32*0.004237+0.8+2*0.95*3/7, p.Total())
	bigEU(n)
	p = r.Node(n, now)
	near(t, 2, p.Total(), "the price of the whole node is spread over the extended resources too")
	require.Len(t, p.Rates(Currency{"USD", 1}), 5)
}

func TestDiscountIsOnCPUAndRAMOnly(t *testing.T) {
	r := &Resolver{Defaults: defaults(t), Discount: Discount(0.3, 0.2)}
	p := r.Node(node(2, 4, 1, nil), now)
	near(t, 0.031611, p.CPU, "never in the unit price")
	rates := p.Rates(Currency{"EUR", 0.5})
	near(t, 0.031611*0.56*0.5, rates[CPU].Price)
	near(t, 0.004237*0.56*0.5, rates[RAM].Price)
	near(t, 0.95*0.5, rates[GPU].Price)
}
