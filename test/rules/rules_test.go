// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// alwaysFires are the alerts that are never silent, each with why.
var alwaysFires = map[string]string{"Watchdog": "says that alerting works"}

// testFile is a file of Prometheus' unit tests, as far as the check of their completeness looks at it.
type testFile struct {
	Tests []struct {
		AlertRuleTest []struct {
			Alertname string
			ExpAlerts []any `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
		PromqlExprTest []struct {
			Expr       string
			ExpSamples []any `yaml:"exp_samples"`
		} `yaml:"promql_expr_test"`
	}
}

func TestRules(t *testing.T) {
	dir := t.TempDir()
	writeGroups(t, filepath.Join(dir, "alerts"), alerts(t))
	writeGroups(t, filepath.Join(dir, "rules"), recorded(t))
	for _, kind := range []string{"alerts", "rules"} {
		files, err := filepath.Glob(filepath.Join(dir, kind, "*.yaml"))
		require.NoError(t, err)
		stdout, stderr, err := run(t, dir, "promtool", append([]string{"check", "rules", "--lint=none"}, files...)...)
		require.NoError(t, err, "%s%s", stdout, stderr)
	}
	tests, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	for _, file := range tests {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(file)), content, 0o644))
			stdout, stderr, err := run(t, dir, "promtool", "test", "rules", filepath.Base(file))
			require.NoError(t, err, "%s%s", stdout, stderr)
		})
	}
}

// read parses files of tests.
func read(t *testing.T, files ...string) []testFile {
	t.Helper()
	require.NotEmpty(t, files)
	out := make([]testFile, len(files))
	for i, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(content, &out[i]), file)
	}
	return out
}

// tested returns the alerts that tests see firing, and those that they see silent.
func tested(t *testing.T, files ...string) (fires, silent map[string]bool) {
	t.Helper()
	fires, silent = map[string]bool{}, map[string]bool{}
	for _, f := range read(t, files...) {
		for _, test := range f.Tests {
			for _, a := range test.AlertRuleTest {
				if len(a.ExpAlerts) > 0 {
					fires[a.Alertname] = true
				} else {
					silent[a.Alertname] = true
				}
			}
		}
	}
	return fires, silent
}

// computed returns the recorded series that tests see with values.
func computed(t *testing.T, files ...string) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, f := range read(t, files...) {
		for _, test := range f.Tests {
			for _, p := range test.PromqlExprTest {
				if len(p.ExpSamples) > 0 {
					for _, name := range metricName.FindAllString(p.Expr, -1) {
						out[name] = true
					}
				}
			}
		}
	}
	return out
}

// TestEachRuleIsTested wants every alert to be seen firing and silent, and every recorded series with values.
func TestEachRuleIsTested(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	fires, silent := tested(t, files...)
	series := computed(t, files...)
	var missing []string
	known := map[string]bool{}
	for _, g := range parse(t, alerts(t)).Groups {
		for _, r := range g.Rules {
			require.False(t, known[r.Alert], "%s is there twice: one name, one meaning, one page", r.Alert)
			known[r.Alert] = true
			if !fires[r.Alert] {
				missing = append(missing, r.Alert+" is never seen firing")
			}
			if !silent[r.Alert] && alwaysFires[r.Alert] == "" {
				missing = append(missing, r.Alert+" is never seen silent")
			}
		}
	}
	for _, g := range parse(t, recorded(t)).Groups {
		for _, r := range g.Rules {
			if !series[r.Record] {
				missing = append(missing, r.Record+" is never computed")
			}
		}
	}
	require.Empty(t, missing, "testdata has to show it")
	for _, name := range slices.Sorted(maps.Keys(fires)) {
		require.True(t, known[name], "a test speaks of %s, which is no rule", name)
	}
}

var metricName = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*`)

// TestShape: what someone who is woken up needs, and what a region needs that computes the alerts itself.
func TestShape(t *testing.T) {
	for _, g := range parse(t, alerts(t)).Groups {
		for _, r := range g.Rules {
			require.Contains(t, []string{"critical", "warning", "info", "none"}, r.Labels["severity"], r.Alert)
			require.NotEmpty(t, r.Annotations["summary"], r.Alert)
			if g.Name != "kof-platform" {
				require.NotContains(t, r.Expr, "promxyCluster", "%s: Promxy alone gives this label", r.Alert)
			}
		}
	}
}

// TestRegionsCanAlert: with somewhere to send them, a region computes the same alerts as the management cluster, but for those that need it.
func TestRegionsCanAlert(t *testing.T) {
	text := render(t, "kof-storage", "form=standalone", "rules.alerts.notifier=http://alertmanager:9093", "rules.alerts.runbooks=")
	file := filepath.Join(t.TempDir(), "rules.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	stdout, stderr, err := run(t, "", "promtool", "check", "rules", "--lint=none", file)
	require.NoError(t, err, "%s%s", stdout, stderr)
	of := func(text string) map[string]group {
		out := map[string]group{}
		for _, g := range parse(t, text).Groups {
			if !strings.HasPrefix(g.Name, "kof-record-") {
				out[g.Name] = g
			}
		}
		return out
	}
	want := of(alerts(t))
	delete(want, "kof-platform")
	delete(want, "kof-finops")
	require.Equal(t, want, of(text))
}
