// SPDX-License-Identifier: Apache-2.0

package validate

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	kyaml "sigs.k8s.io/yaml"

	corev1 "k8s.io/api/core/v1"

	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/kofctl/manifest"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/rules"
)

// basePrefix tells sources of --base from those that are checked.
const basePrefix = "base/"

// ruleFiles checks rules as the operator merges them: a file in Prometheus' format, or a ConfigMap of such files.
func ruleFiles(env *command.Env) *cobra.Command {
	var cluster string
	var bases []string
	c := fileKind{"rules", "Rules in Prometheus' format, or ConfigMaps with them, as the operator merges them", func(c *cobra.Command, file string, text []byte) ([]Problem, []string, error) {
		sources, err := sourcesOf(file, text, cluster)
		if err != nil {
			return []Problem{{Message: err.Error()}}, nil, nil
		}
		paths := map[string]string{} // of what is checked, by its name
		for _, s := range sources {
			paths[s.Name] = "ConfigMap " + s.Name
			if _, bare := s.Files[""]; bare {
				paths[s.Name] = ""
			}
		}
		for _, base := range bases {
			text, err := manifest.Read(base, c.InOrStdin())
			if err != nil {
				return nil, nil, err
			}
			more, err := sourcesOf(base, text, "")
			if err != nil {
				return nil, nil, fmt.Errorf("--base %s: %w", base, err)
			}
			for i := range more {
				more[i].Name = basePrefix + more[i].Name
			}
			sources = append(sources, more...)
		}
		got := rules.Merge(sources, nil)
		var problems []Problem
		for _, source := range slices.Sorted(maps.Keys(got.Problems)) {
			if _, checked := paths[source]; !checked {
				return nil, nil, fmt.Errorf("--base: %s: %s", strings.TrimPrefix(source, basePrefix), strings.TrimPrefix(got.Problems[source][0].Error(), ": "))
			}
			for _, err := range got.Problems[source] {
				for line := range strings.Lines(err.Error()) {
					if p, is := ruleProblem(strings.TrimPrefix(strings.TrimSpace(line), ": ")); is {
						p.Path = strings.TrimSuffix(strings.TrimPrefix(paths[source]+": "+p.Path, ": "), ": ")
						problems = append(problems, p)
					}
				}
			}
		}
		return problems, nil, nil
	}}.command(env)
	c.Flags().StringVar(&cluster, "cluster", "", "the file is one cluster's, and changes rules of --base")
	c.Flags().StringArrayVar(&bases, "base", nil, "file with rules for all clusters that a cluster's file changes (may be repeated)")
	return c
}

// unknownKey is how the YAML library says it.
var unknownKey = regexp.MustCompile(`line (\d+): field (\S+) not found in type `)

// ruleProblem reads a line of a problem, which may be a mere heading.
func ruleProblem(text string) (Problem, bool) {
	if strings.HasSuffix(text, "unmarshal errors:") {
		return Problem{}, false
	}
	if m := unknownKey.FindStringSubmatch(text); m != nil {
		line, _ := strconv.Atoi(m[1]) // digits
		return Problem{Path: m[2], Line: line, Message: "found an unknown key; allowed: those of Prometheus' rules, and disabled in a cluster's file"}, true
	}
	return Problem{Message: text}, true
}

// sourcesOf reads a file of rules, or ConfigMaps whose label may name a cluster.
func sourcesOf(path string, text []byte, cluster string) ([]rules.Source, error) {
	documents, err := manifest.Documents(text)
	if err != nil {
		return nil, fmt.Errorf("found what is no YAML: %w", err)
	}
	if len(documents) == 0 {
		return nil, fmt.Errorf("found nothing; allowed: groups of rules, or ConfigMaps with them")
	}
	if documents[0].Kind == "" {
		return []rules.Source{{Name: filepath.Base(path), Cluster: cluster, Files: map[string]string{"": string(text)}}}, nil
	}
	var out []rules.Source
	for _, d := range documents {
		if d.Kind != "ConfigMap" {
			return nil, fmt.Errorf("document in line %d: kind: found %q; allowed: ConfigMap", d.Line, d.Kind)
		}
		var c corev1.ConfigMap
		if err := kyaml.UnmarshalStrict(d.Text, &c); err != nil {
			return nil, fmt.Errorf("document in line %d: %w", d.Line, err)
		}
		out = append(out, rules.Source{Name: c.Name, Cluster: cmp.Or(cluster, c.Labels[kcm.LabelName]), Files: c.Data})
	}
	return out, nil
}
