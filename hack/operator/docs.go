// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// schema is what the reference shows of a CRD's schema.
type schema struct {
	Description string
	Type        string
	Format      string
	Pattern     string
	Enum        []any
	Default     any
	MaxLength   *int
	MaxItems    *int
	Required    []string
	Properties  map[string]schema
	Items       *schema
	Validations []struct{ Message string } `json:"x-kubernetes-validations"`
}

// document returns the reference of KOF's kinds as their CRDs say it.
func document(files map[string][]byte) ([]byte, error) {
	var b strings.Builder
	b.WriteString("# KOF's kinds\n\nGroup `kof.k0rdent.mirantis.com`, version `v1beta1`. Made from the CRDs in `deploy/crds/`. What the operator does with them: [operator](operator.md).\n")
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if filepath.Dir(path) != filepath.FromSlash(crdsDir) {
			continue
		}
		var crd struct {
			Spec struct {
				Names    struct{ Kind string }
				Versions []struct {
					Schema struct {
						OpenAPIV3Schema schema `json:"openAPIV3Schema"`
					}
				}
			}
		}
		if err := yaml.Unmarshal(files[path], &crd); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(crd.Spec.Versions) != 1 {
			return nil, fmt.Errorf("%s: found %d versions; the reference shows one", path, len(crd.Spec.Versions))
		}
		s := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", crd.Spec.Names.Kind, s.Description)
		for _, part := range []string{"spec", "status"} {
			b.WriteString("\n| field | type | what |\n|---|---|---|\n")
			describe(&b, part, s.Properties[part], false)
		}
	}
	return []byte(b.String()), nil
}

func describe(b *strings.Builder, path string, s schema, required bool) {
	kind := s.Type
	if s.Items != nil {
		kind = "list of " + s.Items.Type
	}
	if required {
		kind += ", required"
	}
	what := []string{strings.ReplaceAll(strings.TrimSpace(s.Description), "\n", " ")}
	add := func(ok bool, format string, args ...any) {
		if ok {
			what = append(what, fmt.Sprintf(format, args...))
		}
	}
	add(len(s.Enum) > 0, "One of %v.", s.Enum)
	add(s.Default != nil, "Default: `%v`.", s.Default)
	add(s.Pattern != "", "Pattern: `%s`.", strings.ReplaceAll(s.Pattern, "|", `\|`))
	add(s.MaxLength != nil, "At most %d characters.", deref(s.MaxLength))
	add(s.MaxItems != nil, "At most %d.", deref(s.MaxItems))
	for _, v := range s.Validations {
		add(true, "Checked: %s.", v.Message)
	}
	fmt.Fprintf(b, "| `%s` | %s | %s |\n", path, kind, strings.TrimSpace(strings.Join(what, " ")))
	if path == "status.conditions" {
		return
	}
	if s.Items != nil {
		path, s = path+"[]", *s.Items
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		describe(b, path+"."+name, s.Properties[name], slices.Contains(s.Required, name))
	}
}

func deref(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}
