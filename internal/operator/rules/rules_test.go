// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/stretchr/testify/require"
)

const defaults = `
groups:
  - name: nodes
    interval: 1m
    rules:
      - record: node:cpu:rate5m
        expr: sum by (cluster, node) (rate(node_cpu_seconds_total[5m]))
      - alert: DiskFull
        expr: node_free < 0.1 and on (cluster, node) up == 1
        for: 10m
        labels: {severity: warning}
        annotations: {summary: "{{ $labels.node }} is filling"}
      - alert: DiskFull
        expr: node_free < 0.02
        labels: {severity: critical}
      - alert: Always
        expr: vector(1)
`

func merge1(t *testing.T, previous map[string]string, sources ...Source) Result {
	t.Helper()
	got := Merge(sources, previous)
	for name, text := range got.Files {
		_, errs := rulefmt.Parse([]byte(text), false, model.UTF8Validation)
		require.NoError(t, errors.Join(errs...), name)
	}
	return got
}

func of(cluster, text string) Source {
	return Source{Name: "c-" + cluster, Cluster: cluster, Files: map[string]string{"rules.yaml": text}}
}

func TestNothingIsLost(t *testing.T) {
	got := merge1(t, nil, Source{Name: "a", Files: map[string]string{"x.yaml": defaults, "y.yaml": defaults}}, Source{Name: "b", Files: map[string]string{"x.yaml": defaults}})
	require.Empty(t, got.Problems)
	require.Len(t, got.Files, 3)
	for _, text := range got.Files {
		require.Equal(t, 2, strings.Count(text, "alert: DiskFull"))
		require.Contains(t, text, "severity: warning")
		require.Contains(t, text, "severity: critical")
	}
}

func TestChangesOfClusters(t *testing.T) {
	all := Source{Name: "all", Files: map[string]string{"rules.yaml": defaults}}
	got := merge1(t, nil, all,
		of("shop", `groups: [{name: nodes, rules: [{alert: DiskFull, for: 1h, labels: {severity: warning}}, {alert: Own, expr: absent(up)}]}]`),
		of("b.c", `groups: [{name: nodes, rules: [{alert: DiskFull, disabled: true, labels: {severity: warning}}]}]`))
	require.Empty(t, got.Problems)
	require.Equal(t, `groups:
  - name: nodes
    rules:
      - alert: DiskFull
        expr: node_free{cluster="shop"} < 0.1 and on (cluster, node) up{cluster="shop"} == 1
        for: 1h
        labels:
          severity: warning
        annotations:
          summary: '{{ $labels.node }} is filling'
      - alert: Own
        expr: absent(up{cluster="shop"})
`, got.Files["c-shop.rules.yaml"])
	require.NotContains(t, got.Files, "c-b.c.rules.yaml")
	require.Contains(t, got.Files["all.rules.yaml"], `expr: node_free{cluster!~"b\\.c|shop"} < 0.1 and on (cluster, node) up{cluster!~"b\\.c|shop"} == 1`)
	require.Contains(t, got.Files["all.rules.yaml"], "expr: node_free < 0.02\n", "the other severity is as it was")
	require.Equal(t, got, merge1(t, nil, of("b.c", `groups: [{name: nodes, rules: [{alert: DiskFull, disabled: true, labels: {severity: warning}}]}]`), all,
		of("shop", `groups: [{name: nodes, rules: [{alert: DiskFull, for: 1h, labels: {severity: warning}}, {alert: Own, expr: absent(up)}]}]`)), "in any order")
}

func TestBadFiles(t *testing.T) {
	all := Source{Name: "all", Files: map[string]string{"rules.yaml": defaults}}
	good := merge1(t, nil, all)
	for name, tt := range map[string]struct {
		source Source
		want   string
	}{
		"not YAML":         {Source{Name: "bad", Files: map[string]string{"x": "groups: ["}}, "yaml"},
		"unknown key":      {Source{Name: "bad", Files: map[string]string{"x": "group: []"}}, "field group not found"},
		"bad expression":   {Source{Name: "bad", Files: map[string]string{"x": "groups: [{name: a, rules: [{alert: A, expr: 'sum('}]}]"}}, "could not parse expression"},
		"no name":          {Source{Name: "bad", Files: map[string]string{"x": "groups: [{rules: []}]"}}, "group without a name"},
		"neither":          {Source{Name: "bad", Files: map[string]string{"x": "groups: [{name: a, rules: [{expr: up}]}]"}}, "both or neither"},
		"disabled for all": {Source{Name: "bad", Files: map[string]string{"x": "groups: [{name: a, rules: [{alert: A, expr: up, disabled: true}]}]"}}, "found disabled"},
		"too large":        {Source{Name: "bad", Files: map[string]string{"x": strings.Repeat("#", MaxFileBytes+1)}}, "allowed: at most 524288"},
		"ambiguous":        {of("bad", "groups: [{name: nodes, rules: [{alert: DiskFull, for: 1h}]}]"), "found 2 rules"},
		"changes nothing":  {of("bad", "groups: [{name: nodes, rules: [{alert: Other, for: 1h}]}]"), "no rule of all clusters"},
		"without series":   {of("bad", "groups: [{name: nodes, rules: [{alert: Always, for: 1h}]}]"), "without series"},
		"no duration":      {of("bad", "groups: [{name: nodes, rules: [{alert: DiskFull, for: soon, labels: {severity: critical}}]}]"), "not a valid duration"},
	} {
		t.Run(name, func(t *testing.T) {
			got := merge1(t, nil, all, tt.source)
			require.Len(t, got.Problems, 1)
			require.ErrorContains(t, errors.Join(got.Problems[tt.source.Name]...), tt.want)
			require.Equal(t, good.Files, got.Files, "the others are as without it")
		})
	}
	got := merge1(t, good.Files, Source{Name: "all", Files: map[string]string{"rules.yaml": "groups: ["}})
	require.Equal(t, good.Files, got.Files, "a mistake silences no alert")
	require.Empty(t, merge1(t, good.Files).Files, "what is deleted goes")
}

// TestAlertsOnly: where vmalert has nowhere to write, a file with a recording rule is refused, and what it was before stays only without one.
func TestAlertsOnly(t *testing.T) {
	const alert, record = "groups: [{name: g, rules: [{alert: A, expr: up == 0}]}]", "groups: [{name: g, rules: [{record: r, expr: up}]}]"
	source := func(text string, only bool) Source {
		return Source{Name: "own", Files: map[string]string{"r.yaml": text}, AlertsOnly: only}
	}
	good := merge1(t, nil, source(alert, true))
	require.Empty(t, good.Problems)
	got := merge1(t, good.Files, source(record, true))
	require.ErrorContains(t, errors.Join(got.Problems["own"]...), `rule "r": found a recording rule; allowed: alerts`)
	require.Equal(t, good.Files, got.Files, "what was before stays")
	recording := merge1(t, nil, source(record, false))
	require.Len(t, recording.Files, 1)
	require.Empty(t, merge1(t, recording.Files, source(record, true)).Files, "but not what would stop vmalert")
}
