// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPriceListBadRowsAreNamedAndTheRestCounts(t *testing.T) {
	l, problems, err := ParsePriceList("prices.csv", strings.NewReader(header+`,good,,node,metadata.name,,1,
,neg,,node,metadata.name,,-1,
,nan,,node,metadata.name,,NaN,
,text,,node,metadata.name,,cheap,
,field,,node,spec.serialNumber,,1,
,class,,vm,metadata.name,,1,
,,,pv,metadata.name,,1,
,pvfield,,pv,spec.foo,,1,
,gpufield,,gpu,,,1,
short,row
# a comment
,good2,,node,metadata.name,,2,
,"quote"x,,node,metadata.name,,2,
,last,,pv,spec.storageClassName,,0.5,`))
	require.NoError(t, err)
	require.Equal(t, 3, l.Rows())
	var got []string
	for _, p := range problems {
		require.Equal(t, "prices.csv", p.File)
		require.NotEmpty(t, p.Reason)
		got = append(got, p.Error())
	}
	require.Len(t, got, 10)
	require.Equal(t, `prices.csv:3: column MarketPriceHourly: "-1": a price must not be negative`, got[0])
	require.Equal(t, `prices.csv:4: column MarketPriceHourly: "NaN": a price must be a finite number`, got[1])
	require.Equal(t, `prices.csv:5: column MarketPriceHourly: "cheap": not a number`, got[2])
	require.Contains(t, got[3], `prices.csv:6: column InstanceIDField: "spec.serialNumber"`)
	require.Contains(t, got[4], `prices.csv:7: column AssetClass: "vm"`)
	require.Contains(t, got[5], `prices.csv:8: column InstanceID: ""`)
	require.Contains(t, got[6], `prices.csv:9: column InstanceIDField: "spec.foo"`)
	require.Contains(t, got[7], `prices.csv:10: column InstanceIDField`)
	require.Contains(t, got[8], `prices.csv:11: column (row): "short,row": 2 columns`)
	require.Contains(t, got[9], `prices.csv:14`)
	p, _, ok := l.node(&Node{Name: "GOOD2"}, false)
	require.True(t, ok)
	require.Equal(t, 2.0, p)
}

func TestPriceListOfNoUse(t *testing.T) {
	for _, body := range []string{"", header, header + ",x,,node,metadata.name,,-1,\n", "<html></html>"} {
		_, _, err := ParsePriceList("prices.csv", strings.NewReader(body))
		require.ErrorContains(t, err, "prices.csv")
	}
}

func TestPriceListFieldsOfNode(t *testing.T) {
	l := list(t, `,i-1,,node,spec.providerID,,1,
,/sub/vm,,node,spec.providerID,,2,
,gce://p/z/n,,node,spec.providerID,,3,
,rack.7,,node,metadata.labels.example.com/rack,,4,
,gold,,node,metadata.annotations.tier,,5,
`)
	for _, c := range []struct {
		name string
		node Node
		want float64
		ok   bool
	}{
		{"aws", Node{ProviderID: "aws:///eu-1a/i-1"}, 1, true},
		{"azure", Node{ProviderID: "azure:///SUB/vm"}, 2, true},
		{"whole", Node{ProviderID: "gce://p/z/n"}, 3, true},
		{"label with dots", Node{Labels: map[string]string{"example.com/rack": "rack.7"}}, 4, true},
		{"annotation", Node{Annotations: map[string]string{"tier": "gold"}}, 5, true},
		{"none", Node{Name: "x"}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, _, ok := l.node(&c.node, false)
			require.Equal(t, c.ok, ok)
			require.Equal(t, c.want, p)
		})
	}
}

func TestPriceListVolumes(t *testing.T) {
	l := list(t, `,pvc-1,,pv,metadata.name,,1,
,fast,,pv,spec.storageClassName,,2,
,fast,eu,pv,spec.storageClassName,,3,
,10Gi,,pv,spec.capacity.storage,,4,
,a,,pv,metadata.labels.x.y/z,,5,
`)
	for _, c := range []struct {
		v    Volume
		want float64
		ok   bool
	}{
		{Volume{Name: "pvc-1", StorageClass: "fast"}, 1, true},
		{Volume{Name: "q", StorageClass: "Fast"}, 2, true},
		{Volume{Name: "q", StorageClass: "fast", Region: "EU"}, 3, true},
		{Volume{Name: "q", Capacity: "10Gi"}, 4, true},
		{Volume{Labels: map[string]string{"x.y/z": "a"}}, 5, true},
		{Volume{Name: "q"}, 0, false},
	} {
		p, ok := l.volume(&c.v)
		require.Equal(t, c.ok, ok, "%+v", c.v)
		require.Equal(t, c.want, p, "%+v", c.v)
	}
	r := &Resolver{Defaults: defaults(t), List: l, ListAt: listAt}
	p, source, _ := r.Volume(&Volume{Name: "q"})
	require.Equal(t, SourceDefault, source)
	near(t, 0.04/730, p)
	_, source, at := r.Volume(&Volume{Name: "pvc-1"})
	require.Equal(t, SourceList, source)
	require.Equal(t, listAt, at)
}

func TestInstanceTableBadEntries(t *testing.T) {
	tab, problems, err := ParseInstanceTable("types.yaml", strings.NewReader(`
as_of: "2026-10-01"
instances:
  a: {"*": {on_demand: 1, spot: -1}}
  b: {"*": {on_demand: .nan}}
  c: {eu: 5}
  d: {eu: {price: 5}}
`))
	require.NoError(t, err)
	require.Len(t, problems, 4)
	for _, p := range problems {
		require.Equal(t, "types.yaml", p.File)
		require.NotZero(t, p.Line)
		require.NotEmpty(t, p.Column)
	}
	_, ok := tab.price("a", "x", false)
	require.True(t, ok)
	_, ok = tab.price("a", "x", true)
	require.False(t, ok)
	for body, want := range map[string]string{
		"as_of: soon\ninstances: {}":            "as_of",
		"as_of: 2026-01-01\ninstances: {}":      "no entry",
		"as_of: 2026-01-01\ninstance_types: {}": "instance_types",
		"- 1":                                   "types.yaml",
	} {
		_, _, err := ParseInstanceTable("types.yaml", strings.NewReader(body))
		require.ErrorContains(t, err, want)
	}
}
