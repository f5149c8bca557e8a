// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// builtIn are the variables that Grafana itself fills in.
var builtIn = regexp.MustCompile(`\$\{?__[a-z_]+`)

// everything is what a query asks of the last hour when every variable is "All", or all values are chosen where there is no "All".
func everything(d dashboard, expr string) string { return filled(d, expr, time.Hour, all) }

func all(v variable) string { return cmp.Or(v.AllValue, ".*") }

// filled is what a query asks of a time that ends now, with a value for each variable.
func filled(d dashboard, expr string, of time.Duration, value func(variable) string) string {
	seconds := strconv.Itoa(int(of.Seconds()))
	expr = strings.NewReplacer("$__rate_interval", "1m", "$__range_s", seconds, "$__range", seconds+"s", "$__interval", "1m",
		"${__from:date:seconds}", strconv.FormatInt(time.Now().Add(-of).Round(time.Second).Unix(), 10)).Replace(expr)
	for _, v := range d.Templating.List {
		value := value(v)
		if v.Type == "textbox" {
			value = v.Query.(string)
		}
		expr = strings.NewReplacer("${"+v.Name+":doublequote}", value, "$"+v.Name+`"`, value+`"`, "$"+v.Name+" ", value+" ").Replace(expr)
		if strings.HasSuffix(expr, "$"+v.Name) {
			expr = strings.TrimSuffix(expr, "$"+v.Name) + value
		}
	}
	return expr
}

func TestDashboardsAreWhole(t *testing.T) {
	all := load(t)
	uids, titles := map[string]string{}, map[string]string{}
	for _, d := range all {
		require.Empty(t, uids[d.UID], "%s: uid %q", d.Path, d.UID)
		require.Empty(t, titles[d.Title], "%s: title %q", d.Path, d.Title)
		uids[d.UID], titles[d.Title] = d.Path, d.Path
	}
	for _, d := range all {
		t.Run(d.Path, func(t *testing.T) {
			assert.Regexp(t, `^[a-z0-9-]{1,40}$`, d.UID)
			assert.Regexp(t, `\?$`, d.Description, "the question that it answers")
			ids, names := map[int]bool{}, map[string]bool{}
			grid := map[[2]int]string{}
			for _, p := range d.Panels {
				assert.False(t, ids[p.ID], "%s: id", p.Title)
				assert.False(t, names[p.Type+p.Title], "%s: title of two panels of a kind", p.Title)
				ids[p.ID], names[p.Type+p.Title] = true, true
				assert.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
				for x := range p.GridPos.W {
					for y := range p.GridPos.H {
						at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
						require.Empty(t, grid[at], "%s is over %s", p.Title, grid[at])
						grid[at] = p.Title
					}
				}
				for _, o := range p.FieldConfig.Overrides {
					for _, property := range o.Properties {
						links, _ := property.Value.([]any)
						for _, l := range links {
							to := strings.TrimPrefix(l.(map[string]any)["url"].(string), "/d/")
							to, _, _ = strings.Cut(to, "?")
							assert.Contains(t, uids, to, "%s: link", p.Title)
						}
					}
				}
			}
		})
	}
}

// Every panel says in what its numbers are, and uses each variable; each variable is used.
func TestUnitsAndVariables(t *testing.T) {
	for _, d := range load(t) {
		t.Run(d.Path, func(t *testing.T) {
			var texts []string
			for _, p := range d.Panels {
				switch p.Type {
				case "row", "logs":
				case "table":
					for _, column := range p.titles() {
						assert.NotEmpty(t, p.unitOf(column), "%s: unit of %s", p.Title, column)
					}
				default:
					assert.NotEmpty(t, p.FieldConfig.Defaults.Unit, "%s: unit", p.Title)
				}
				assert.Equal(t, p.Type == "row", len(p.Targets) == 0, "%s: queries", p.Title)
				for _, q := range p.Targets {
					texts = append(texts, q.Expr, q.Datasource.Type)
				}
			}
			names := map[string]bool{}
			for _, v := range d.Templating.List {
				names[v.Name] = true
				query, _ := v.query()
				texts = append(texts, query)
			}
			all := strings.Join(texts, "\n")
			for name := range names {
				switch name {
				case "metrics":
					assert.Contains(t, all, metricsType)
				case "logs":
					assert.Contains(t, all, logsType)
				default:
					assert.Regexp(t, `\$\{?`+name+`\b`, all, "variable %s is used", name)
				}
			}
			for _, found := range regexp.MustCompile(`\$\{?([a-z_]+)`).FindAllStringSubmatch(builtIn.ReplaceAllString(all, ""), -1) {
				assert.Contains(t, names, found[1], "variable that is used")
			}
		})
	}
}

// titles returns the names of the columns of numbers.
func (p panel) titles() []string {
	for _, t := range p.Transformations {
		if t.ID == "organize" {
			return slices.Sorted(maps.Values(t.Options.RenameByName))
		}
	}
	return nil
}

// Every query is PromQL, and what is chosen at the top filters every one of its selectors.
func TestQueriesFollowChoices(t *testing.T) {
	for _, d := range load(t) {
		filters := map[string]string{} // label by variable
		for _, v := range d.Templating.List {
			if v.Datasource.Type == metricsType {
				_, filters[v.Name] = v.query()
			}
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if q.Datasource.Type != metricsType {
					continue
				}
				t.Run(d.Path+"/"+p.Title+"/"+q.RefID, func(t *testing.T) {
					expr, err := parser.ParseExpr(everything(d, q.Expr))
					require.NoError(t, err, q.Expr)
					selectors := 0
					parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
						s, ok := node.(*parser.VectorSelector)
						if !ok {
							return nil
						}
						selectors++
						assert.True(t, slices.ContainsFunc(s.LabelMatchers, func(m *matcher) bool {
							return m.Name == "__name__" && !m.Matches("anything")
						}), "%s reads the series of all metrics", s)
						// Region and cluster always; the others where the metric has them.
						for _, name := range []string{"region", "cluster"} {
							if label := filters[name]; label != "" {
								assert.True(t, slices.ContainsFunc(s.LabelMatchers, func(m *matcher) bool { return m.Name == label }), "%s without $%s", s, name)
							}
						}
						return nil
					})
					require.Positive(t, selectors)
				})
			}
		}
	}
}

// What legends and columns name are labels that the query's result has.
func TestLegendsAreLabels(t *testing.T) {
	for _, d := range load(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if q.Datasource.Type != metricsType {
					continue
				}
				t.Run(d.Path+"/"+p.Title+"/"+q.RefID, func(t *testing.T) {
					expr, err := parser.ParseExpr(everything(d, q.Expr))
					require.NoError(t, err)
					have, known := labelsOf(expr)
					require.True(t, known, "the result's labels don't follow from the query; aggregate it")
					want := legendLabels(q.LegendFormat)
					if p.Type == "table" {
						want = p.columns()
						require.ElementsMatch(t, want, slices.Collect(maps.Keys(have)), "columns of a table are all labels, and no others: else lines don't join")
					}
					for _, label := range want {
						require.Contains(t, have, label)
					}
				})
			}
		}
	}
}

func legendLabels(legend string) []string {
	var out []string
	for _, found := range regexp.MustCompile(`{{\s*([^}\s]+)\s*}}`).FindAllStringSubmatch(legend, -1) {
		out = append(out, found[1])
	}
	return out
}
