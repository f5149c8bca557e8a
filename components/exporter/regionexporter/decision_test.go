// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/k0rdent/kof/internal/region"
)

func TestDecide(t *testing.T) {
	dir, err := region.Parse([]byte(`
regions:
  home: {zone: eu, logs: {endpoint: "http://home.example/"}}
  east: {zone: us, logs: {endpoint: "http://east.example/"}}
  west: {zone: us, logs: {endpoint: "http://west.example/"}}
tenants:
  acme: {region: east}
`))
	require.NoError(t, err)
	for _, test := range []struct {
		name  string
		attrs map[string]any
		want  string
	}{
		{"nothing", nil, "home"},
		{"kof.region", map[string]any{"kof.region": "west"}, "west"},
		{"kof.region above all", map[string]any{"kof.region": "west", "kof.tenant": "acme", "cloud.region": "home"}, "west"},
		{"kof.region that is unknown goes nowhere else", map[string]any{"kof.region": "north", "kof.tenant": "acme", "cloud.region": "west"}, "north"},
		{"kof.region in other letters is another region", map[string]any{"kof.region": "West"}, "West"},
		{"kof.region with spaces is another region", map[string]any{"kof.region": " west"}, " west"},
		{"kof.region that is empty is not set", map[string]any{"kof.region": "", "kof.tenant": "acme"}, "east"},
		{"kof.tenant", map[string]any{"kof.tenant": "acme"}, "east"},
		{"kof.tenant above cloud.region", map[string]any{"kof.tenant": "acme", "cloud.region": "west"}, "east"},
		{"kof.tenant without a region", map[string]any{"kof.tenant": "nobody", "cloud.region": "west"}, "west"},
		{"kof.tenant without a region and no more", map[string]any{"kof.tenant": "nobody"}, "home"},
		{"cloud.region", map[string]any{"cloud.region": "west"}, "west"},
		{"cloud.region that is unknown", map[string]any{"cloud.region": "us-east-1"}, "home"},
		{"other attributes", map[string]any{"region": "west", "tenant": "acme", "kof.region.name": "west"}, "home"},
	} {
		t.Run(test.name, func(t *testing.T) {
			attrs := pcommon.NewMap()
			require.NoError(t, attrs.FromRaw(test.attrs))
			require.Equal(t, test.want, decide(dir, "home", attrs))
		})
	}
}

func TestDecideWithoutTenants(t *testing.T) {
	dir, err := region.Parse([]byte(`regions: {home: {zone: eu, logs: {endpoint: "http://home.example/"}}}`))
	require.NoError(t, err)
	attrs := pcommon.NewMap()
	attrs.PutStr(attrTenant, "acme")
	require.Equal(t, "home", decide(dir, "home", attrs))
}
