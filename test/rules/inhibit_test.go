// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// TestAlertmanagerConfig has Alertmanager's own tool read the configuration that the chart gives it by default.
func TestAlertmanagerConfig(t *testing.T) {
	stdout, stderr, err := run(t, "", "helm", "template", "kof-mothership", filepath.Join(root, "deploy", "charts", "kof-mothership"))
	require.NoError(t, err, stderr)
	config := ""
	for _, document := range strings.Split("\n"+stdout, "\n---\n") {
		var object struct{ Data map[string]string }
		require.NoError(t, yaml.Unmarshal([]byte(document), &object))
		config += object.Data["alertmanager.yaml"]
	}
	file := filepath.Join(t.TempDir(), "alertmanager.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o644))
	stdout, stderr, err = run(t, "", "amtool", "check-config", file)
	require.NoError(t, err, "%s%s", stdout, stderr)
	require.Contains(t, stdout, "10 inhibit rules")
	stdout, stderr, err = run(t, "", "amtool", "config", "routes", "test", "--config.file", file, "alertname=NodeNotReady", "cluster=c")
	require.NoError(t, err, "%s%s", stdout, stderr)
	require.Equal(t, "null\n", stdout)
}

// TestInhibitions: what Alertmanager keeps quiet by default are alerts that there are, and both sides have the labels that have to be equal.
func TestInhibitions(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "deploy", "charts", "kof-mothership", "values.yaml"))
	require.NoError(t, err)
	var values struct {
		Alerting struct {
			Alertmanager struct {
				Config struct {
					InhibitRules []struct {
						SourceMatchers []string `yaml:"source_matchers"`
						TargetMatchers []string `yaml:"target_matchers"`
						Equal          []string
					} `yaml:"inhibit_rules"`
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(content, &values))
	labels := map[string]string{} // of each alert: what its expression names in `by`
	for _, g := range parse(t, alerts(t)).Groups {
		for _, r := range g.Rules {
			expr, err := parser.ParseExpr(r.Expr)
			require.NoError(t, err)
			parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
				if a, is := node.(*parser.AggregateExpr); is && !a.Without {
					labels[r.Alert] += " " + strings.Join(a.Grouping, " ") + " "
				}
				return nil
			})
			labels[r.Alert] += " "
		}
	}
	named := regexp.MustCompile(`^alertname=(~)?"?([^"]+)"?$`)
	inhibitions := values.Alerting.Alertmanager.Config.InhibitRules
	require.NotEmpty(t, inhibitions)
	for _, i := range inhibitions {
		for _, matchers := range [][]string{i.SourceMatchers, i.TargetMatchers} {
			require.Len(t, matchers, 1)
			m := named.FindStringSubmatch(matchers[0])
			require.NotNil(t, m, matchers[0])
			pattern := regexp.MustCompile("^(" + m[2] + ")$")
			found := 0
			for name, has := range labels {
				if !pattern.MatchString(name) {
					continue
				}
				found++
				for _, label := range i.Equal {
					require.Contains(t, has, " "+label+" ", "%s: equal: %s", matchers[0], label)
				}
			}
			require.Equal(t, alternatives(m[2]), found, "%s: each of them is an alert", matchers[0])
		}
	}
}

// alternatives counts what a pattern of the form a(b|c) or a|b matches.
func alternatives(pattern string) int { return strings.Count(pattern, "|") + 1 }
