// SPDX-License-Identifier: Apache-2.0

package validate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	kyaml "sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/kofctl/manifest"
	"github.com/k0rdent/kof/internal/operator/budget"
)

// budgetFiles checks budgets as the operator reads them: a file, or ConfigMaps of such files.
func budgetFiles(env *command.Env) *cobra.Command {
	return fileKind{"budgets", "Budgets by name, or ConfigMaps with them, as the operator reads them", func(_ *cobra.Command, _ string, text []byte) ([]Problem, []string, error) {
		documents, err := manifest.Documents(text)
		if err != nil {
			return []Problem{{Message: fmt.Sprintf("found what is no YAML: %v", err)}}, nil, nil
		}
		if len(documents) == 0 || documents[0].Kind == "" {
			budgets, err := budget.Parse(string(text))
			if err != nil {
				return problemsOf(err), nil, nil
			}
			return nil, []string{fmt.Sprintf("%d budgets", len(budgets))}, nil
		}
		var problems []Problem
		owners := map[string]string{}
		for _, d := range documents {
			found, err := budgetMap(d, owners)
			if err != nil {
				found = []Problem{{Line: d.Line, Message: err.Error()}}
			}
			problems = append(problems, found...)
		}
		return problems, []string{fmt.Sprintf("%d budgets", len(owners))}, nil
	}}.command(env)
}

// budgetMap returns what is wrong with a ConfigMap. owners is as [budget.Claim] has it. An error is about the document as a whole.
func budgetMap(d manifest.Document, owners map[string]string) ([]Problem, error) {
	if d.Kind != "ConfigMap" {
		return nil, fmt.Errorf("kind: found %q; allowed: ConfigMap", d.Kind)
	}
	var c corev1.ConfigMap
	if err := kyaml.UnmarshalStrict(d.Text, &c); err != nil {
		return nil, err
	}
	var problems []Problem
	where := "ConfigMap " + c.Name
	if _, found := c.Labels[budget.Label]; !found {
		problems = append(problems, Problem{Path: where + ": metadata.labels", Message: fmt.Sprintf("found none that the operator looks for; allowed: %s: \"true\" among them", budget.Label)})
	}
	for _, key := range slices.Sorted(maps.Keys(c.Data)) {
		budgets, err := budget.Parse(c.Data[key])
		for _, e := range []error{err, budget.Claim(owners, budgets, where+", key "+key)} {
			if e == nil {
				continue
			}
			for _, p := range problemsOf(e) {
				file := where + ": " + key
				if p.Path != "" {
					file += ": "
				}
				p.Path = file + p.Path
				problems = append(problems, p)
			}
		}
	}
	return problems, nil
}
