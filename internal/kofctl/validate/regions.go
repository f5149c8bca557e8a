// SPDX-License-Identifier: Apache-2.0

package validate

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/controller-runtime/pkg/client"
	kyaml "sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/deploy"
	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/kofctl/manifest"
	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/regions"
)

// manifests checks Regions: each against its CRD's schema, all together as the operator accepts them.
func manifests(env *command.Env) *cobra.Command {
	return fileKind{"regions", "Manifests of Regions, each by itself and all together", func(_ *cobra.Command, _ string, text []byte) ([]Problem, []string, error) {
		documents, err := manifest.Documents(text)
		if err != nil {
			return []Problem{{Message: yamlProblem(err)}}, nil, nil
		}
		if len(documents) == 0 {
			return []Problem{{Message: "found nothing; allowed: manifests of Regions"}}, nil, nil
		}
		checker, err := regionChecker()
		if err != nil {
			return nil, nil, err
		}
		var problems []Problem
		var items []v1beta1.Region
		lines := map[client.ObjectKey]int{}
		for _, d := range documents {
			found, r, err := checkRegion(checker, d)
			if err != nil {
				return nil, nil, err
			}
			problems = append(problems, found...)
			if len(found) > 0 {
				continue
			}
			key := client.ObjectKeyFromObject(&r)
			if line, twice := lines[key]; twice {
				problems = append(problems, Problem{Line: d.Line, Path: "metadata.name", Message: fmt.Sprintf("found Region %s a second time, first in line %d; allowed: each once", key, line)})
				continue
			}
			lines[key] = d.Line
			items = append(items, r)
		}
		for key, refused := range regions.Accept(items).Refused {
			problems = append(problems, Problem{Line: lines[key], Message: fmt.Sprintf("Region %s would be refused (%s): %s", key, refused.Reason, strings.ReplaceAll(refused.Message, "\n", "; "))})
		}
		slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
		return problems, []string{fmt.Sprintf("%d Regions; `kofctl explain CLUSTER --with FILE` checks them beside those that are in force", len(documents))}, nil
	}}.command(env)
}

// regionChecker takes the CRD's schema, which is one of JSON but for the rules in CEL: that a name and a zone can't change, which needs the object
// before, and that there is an endpoint, which the directory is checked for.
func regionChecker() (*checker, error) {
	files, err := fs.Glob(deploy.Files, "crds/*_regions.yaml")
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("the CRD of Region is missing: %w", err)
	}
	text, err := deploy.Files.ReadFile(files[0])
	if err != nil {
		return nil, err
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Schema struct {
					OpenAPIV3Schema map[string]any `json:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := kyaml.Unmarshal(text, &crd); err != nil {
		return nil, err
	}
	schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	closed(schema)
	delete(schema["properties"].(map[string]any), "metadata")
	schema["additionalProperties"] = true
	if text, err = json.Marshal(schema); err != nil {
		return nil, err
	}
	return newChecker(text)
}

// closed has a structural schema refuse unknown keys, where the API server drops them.
func closed(schema map[string]any) {
	properties, _ := schema["properties"].(map[string]any)
	for _, p := range properties {
		if below, is := p.(map[string]any); is {
			closed(below)
		}
	}
	if len(properties) > 0 {
		schema["additionalProperties"] = false
	}
}

func checkRegion(checker *checker, d manifest.Document) ([]Problem, v1beta1.Region, error) {
	at := func(problems ...Problem) []Problem {
		for i := range problems {
			problems[i].Line = d.Line + max(0, problems[i].Line-1)
		}
		return problems
	}
	if d.Kind != "Region" {
		return at(Problem{Path: "kind", Message: fmt.Sprintf("found %q; allowed: Region", d.Kind)}), v1beta1.Region{}, nil
	}
	var value any
	var node yaml.Node
	if err := yaml.Unmarshal(d.Text, &node); err != nil {
		return nil, v1beta1.Region{}, err
	}
	if err := kyaml.UnmarshalStrict(d.Text, &value); err != nil {
		return at(Problem{Message: yamlProblem(err)}), v1beta1.Region{}, nil
	}
	problems, err := checker.check(value, node.Content[0])
	if err != nil || len(problems) > 0 {
		return at(problems...), v1beta1.Region{}, err
	}
	r, err := d.Region()
	if err != nil {
		return at(Problem{Message: err.Error()}), r, nil
	}
	return nil, r, nil
}
