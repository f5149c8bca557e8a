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
  42: {zone: us, logs: {endpoint: "http://42.example/"}}
tenants:
  acme: {region: east}
  7: {region: west}
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
		{"kof.region that is a number is its text", map[string]any{"kof.region": 1, "kof.tenant": "acme", "cloud.region": "west"}, "1"},
		{"kof.region that is a number, of a known region", map[string]any{"kof.region": 42}, "42"},
		{"kof.region that is zero", map[string]any{"kof.region": 0}, "0"},
		{"kof.region that is a fraction", map[string]any{"kof.region": 1.5}, "1.5"},
		{"kof.region that is false", map[string]any{"kof.region": false}, "false"},
		{"kof.region that is bytes", map[string]any{"kof.region": []byte("west")}, "d2VzdA=="},
		{"kof.region that is a list", map[string]any{"kof.region": []any{"west"}}, `["west"]`},
		{"kof.region that is a map", map[string]any{"kof.region": map[string]any{}}, "{}"},
		{"kof.region without a value is not set", map[string]any{"kof.region": nil, "kof.tenant": "acme"}, "east"},
		{"kof.region of no bytes is not set", map[string]any{"kof.region": []byte{}, "kof.tenant": "acme"}, "east"},
		{"kof.tenant that is a number", map[string]any{"kof.tenant": 7, "cloud.region": "home"}, "west"},
		{"kof.tenant that is empty is not set", map[string]any{"kof.tenant": "", "cloud.region": "west"}, "west"},
		{"cloud.region that is a number", map[string]any{"cloud.region": 42}, "42"},
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
