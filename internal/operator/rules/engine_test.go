// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/toolcache"
)

// TestEngine: what the real vmalert refuses of Prometheus' rules is refused here, and what it takes isn't.
func TestEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("runs vmalert")
	}
	vmalert, err := toolcache.Binary(t.Context(), "vmalert", os.Stderr)
	require.NoError(t, err)
	for name, tt := range map[string]struct{ text, refused string }{
		"everything": {`groups:
  - name: g
    interval: 1m
    limit: 5
    labels: {team: platform}
    rules:
      - {alert: A, expr: "up == 0", for: 1d12h, keep_firing_for: 1w, labels: {severity: "{{ if gt $value 1.0 }}a{{ end }}"}, annotations: {
          a: "{{ $labels.x | toUpper }} {{ query \"up\" | first | value | humanize1024 }} {{ $externalURL }} the tableLink {{ \"tmpl\" }} {{ .Value | humanizePercentage }}"}}
      - {record: "a:b", expr: "sum by (cluster) (rate(x[5m] @ end() offset 1h))"}
`, ""},
		"name in quotes": {`groups: [{name: g, rules: [{alert: A, expr: '{"http.requests", a="b"} > 1'}]}]`, ""},
		"query_offset":   {`groups: [{name: g, query_offset: 1m, rules: [{alert: A, expr: up}]}]`, "found query_offset"},
		"limit":          {`groups: [{name: g, limit: -1, rules: [{alert: A, expr: up}]}]`, "limit: found -1"},
		"tableLink":      {`groups: [{name: g, rules: [{alert: A, expr: up, annotations: {x: '{{ tableLink "up" }}'}}]}]`, "x: found the template function tableLink"},
		"toDuration":     {`groups: [{name: g, rules: [{alert: A, expr: up, labels: {x: '{{ $value | toDuration }}'}}]}]`, "function toDuration"},
		"urlQueryEscape": {`groups: [{name: g, rules: [{alert: A, expr: up, labels: {x: '{{ "a"|urlQueryEscape }}'}}]}]`, "function urlQueryEscape"},
		"graphLink":      {`groups: [{name: g, rules: [{alert: A, expr: up, labels: {x: '{{graphLink "a"}}'}}]}]`, "function graphLink"},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "limit" { // which Prometheus takes for no limit
				_, errs := rulefmt.Parse([]byte(tt.text), false, model.UTF8Validation)
				require.NoError(t, errors.Join(errs...), "Prometheus takes it")
			}
			got := Merge([]Source{{Name: "s", Files: map[string]string{"f.yaml": tt.text}}}, nil)
			file := filepath.Join(t.TempDir(), "rules.yaml")
			if tt.refused != "" {
				require.ErrorContains(t, errors.Join(got.Problems["s"]...), tt.refused)
				require.NoError(t, os.WriteFile(file, []byte(tt.text), 0o600))
			} else {
				require.Empty(t, got.Problems)
				require.NoError(t, os.WriteFile(file, []byte(got.Files["s.f.yaml"]), 0o600))
			}
			out, err := exec.CommandContext(t.Context(), vmalert, "-dryRun", "-rule="+file).CombinedOutput()
			require.Equal(t, tt.refused == "", err == nil, "%s", out)
		})
	}
}
