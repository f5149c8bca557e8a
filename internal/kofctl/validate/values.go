// SPDX-License-Identifier: Apache-2.0

package validate

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
	kyaml "sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/deploy"
	"github.com/k0rdent/kof/internal/kofctl/command"
)

// values checks them as Helm does: over the chart's defaults, against its schema.
func values(env *command.Env) *cobra.Command {
	var chart string
	c := fileKind{"values", "Values of a chart, against its schema", func(c *cobra.Command, _ string, text []byte) ([]Problem, []string, error) {
		charts, err := charts()
		if err != nil {
			return nil, nil, err
		}
		if !slices.Contains(charts, chart) {
			return nil, nil, command.Usage(fmt.Errorf("--chart: found %q; allowed: %s", chart, strings.Join(charts, ", ")))
		}
		problems, err := checkValues(chart, text)
		notes := []string{"by the schema of " + chart + " alone: `helm template` with the chart also checks what one value asks of another"}
		return problems, notes, err
	}}.command(env)
	c.Flags().StringVar(&chart, "chart", "kof-collectors", "the chart that the values are of")
	return c
}

func charts() ([]string, error) {
	files, err := fs.Glob(deploy.Files, "charts/*/values.schema.json")
	for i, f := range files {
		files[i] = path.Base(path.Dir(f))
	}
	return files, err
}

func checkValues(chart string, text []byte) ([]Problem, error) {
	schema, err := deploy.Files.ReadFile("charts/" + chart + "/values.schema.json")
	if err != nil {
		return nil, err
	}
	defaults, err := deploy.Files.ReadFile("charts/" + chart + "/values.yaml")
	if err != nil {
		return nil, err
	}
	checker, err := newChecker(schema)
	if err != nil {
		return nil, err
	}
	var base map[string]any
	if err := kyaml.Unmarshal(defaults, &base); err != nil {
		return nil, err
	}
	var given any
	if err := kyaml.UnmarshalStrict(text, &given); err != nil {
		return []Problem{{Message: yamlProblem(err)}}, nil
	}
	over, is := given.(map[string]any)
	if given != nil && !is {
		return []Problem{{Message: "found what is no mapping; allowed: Helm values, as region: eu-west-1"}}, nil
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return []Problem{{Message: yamlProblem(err)}}, nil
	}
	var root *yaml.Node
	if len(document.Content) > 0 {
		root = document.Content[0]
	}
	return checker.check(coalesce(base, over), root)
}

// coalesce lays values over defaults as Helm does: mappings key by key, null removes, everything else replaces.
func coalesce(base, over map[string]any) map[string]any {
	if base == nil {
		base = map[string]any{}
	}
	for k, v := range over {
		below, isMap := v.(map[string]any)
		old, wasMap := base[k].(map[string]any)
		switch {
		case v == nil:
			delete(base, k)
		case isMap && wasMap:
			base[k] = coalesce(old, below)
		case isMap:
			base[k] = coalesce(nil, below)
		default:
			base[k] = v
		}
	}
	return base
}

func yamlProblem(err error) string {
	text := strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\n", " "), "error converting YAML to JSON: ")
	return "found what is no YAML: " + text
}
