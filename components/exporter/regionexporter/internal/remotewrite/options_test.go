// SPDX-License-Identifier: Apache-2.0

package remotewrite

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOptions(t *testing.T) {
	tooMany := map[string]string{}
	for i := range MaxResourceLabels + 1 {
		tooMany[fmt.Sprintf("a%02d", i)] = fmt.Sprintf("l%02d", i)
	}
	tests := []struct {
		name string
		opts Options
		want []string // parts of the error; none: valid
	}{
		{"zero", Options{}, nil},
		{"all", Options{ResourceLabels: map[string]string{"cloud.region": "region", "a": "_b"}, TargetInfo: true, MaxLabels: 64}, nil},
		{"too few labels", Options{MaxLabels: 15}, []string{"max_labels: 15", "16 to 256"}},
		{"too many labels", Options{MaxLabels: 257}, []string{"max_labels: 257"}},
		{"too many entries", Options{ResourceLabels: tooMany}, []string{"resource_labels: 33 entries", "at most 32"}},
		{
			"all problems at once", Options{MaxLabels: -1, ResourceLabels: map[string]string{"x": "a-b", "y": "", "": "z"}},
			[]string{"max_labels: -1", `resource_labels::x: "a-b"`, `resource_labels::y: ""`, "key is empty"},
		},
		{"internal", Options{ResourceLabels: map[string]string{"x": "__name__"}}, []string{"not begin with __"}},
		{"built in", Options{ResourceLabels: map[string]string{"x": "tenant"}}, []string{`resource_labels::x: label "tenant" is taken: built in`}},
		{"reserved", Options{ResourceLabels: map[string]string{"x": "le"}}, []string{`label "le" is taken: reserved`}},
		{"twice", Options{ResourceLabels: map[string]string{"x": "z", "y": "z"}}, []string{`resource_labels::y: label "z" is taken: given to x`}},
		{"long", Options{ResourceLabels: map[string]string{"x": strings.Repeat("z", 257)}}, []string{"257 bytes is too long"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := NewEncoder(tt.opts)
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			require.Nil(t, e)
			for _, part := range tt.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestReasons(t *testing.T) {
	seen := map[string]bool{}
	for r := range NumReasons {
		require.Regexp(t, `^[a-z_]+$`, r.String())
		require.False(t, seen[r.String()])
		seen[r.String()] = true
	}
	require.Equal(t, "unknown", NumReasons.String())
}
