// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const (
	root     = "../.."
	filesDir = root + "/deploy/charts/kof-dashboards/files/dashboards"

	metricsType = "prometheus"
	logsType    = "victoriametrics-logs-datasource"
)

// The parts of Grafana's model that are looked at.
type (
	dashboard struct {
		Path        string `yaml:"-"` // below the folder of dashboards
		UID         string
		Title       string
		Description string
		Panels      []panel
		Templating  struct{ List []variable }
	}
	panel struct {
		ID              int
		Type, Title     string
		Description     string
		GridPos         struct{ X, Y, W, H int } `yaml:"gridPos"`
		Targets         []target
		FieldConfig     fieldConfig `yaml:"fieldConfig"`
		Transformations []struct {
			ID      string
			Options struct {
				IndexByName  map[string]int    `yaml:"indexByName"`
				RenameByName map[string]string `yaml:"renameByName"`
			}
		}
	}
	fieldConfig struct {
		Defaults  struct{ Unit string }
		Overrides []struct {
			Matcher    struct{ Options string }
			Properties []struct {
				ID    string
				Value any
			}
		}
	}
	target struct {
		RefID        string `yaml:"refId"`
		Expr         string
		LegendFormat string `yaml:"legendFormat"`
		QueryType    string `yaml:"queryType"`
		Instant      bool
		Datasource   struct{ Type string }
	}
	variable struct {
		Name, Type string
		AllValue   string `yaml:"allValue"`
		Datasource struct{ Type string }
		Query      any
	}
)

// load reads all dashboards.
func load(t *testing.T) []dashboard {
	t.Helper()
	var out []dashboard
	require.NoError(t, filepath.WalkDir(filesDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		var d dashboard
		require.NoError(t, yaml.Unmarshal(content, &d), path)
		d.Path, err = filepath.Rel(filesDir, path)
		out = append(out, d)
		return err
	}))
	require.NotEmpty(t, out)
	return out
}

// columns returns the labels that are columns of a table, in order.
func (p panel) columns() []string {
	for _, t := range p.Transformations {
		if t.ID != "organize" {
			continue
		}
		at := t.Options.IndexByName
		var out []string
		for name := range at {
			if !strings.HasPrefix(name, "Value") {
				out = append(out, name)
			}
		}
		slices.SortFunc(out, func(a, b string) int { return at[a] - at[b] })
		return out
	}
	return nil
}

// unitOf returns the unit of a column of a table.
func (p panel) unitOf(column string) string {
	for _, o := range p.FieldConfig.Overrides {
		if o.Matcher.Options != column {
			continue
		}
		for _, property := range o.Properties {
			if unit, ok := property.Value.(string); ok && property.ID == "unit" {
				return unit
			}
		}
	}
	return ""
}

// query returns what a variable asks: a selector with the label whose values it lists, of metrics; or a filter and a field, of logs.
func (v variable) query() (query, label string) {
	switch q := v.Query.(type) {
	case string:
		inside := strings.TrimSuffix(strings.TrimPrefix(q, "label_values("), ")")
		at := strings.LastIndex(inside, ", ")
		if at < 0 {
			return "", ""
		}
		return inside[:at], inside[at+2:]
	case map[string]any:
		return q["query"].(string), q["field"].(string)
	}
	return "", ""
}
