// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write docs/operator-api.md")

const docs = "../../../../docs/operator-api.md"

type crdSchema struct {
	Description string
	Type        string
	Format      string
	Pattern     string
	Enum        []any
	Default     any
	MaxLength   *int
	MaxItems    *int
	Required    []string
	Properties  map[string]crdSchema
	Items       *crdSchema
	Validations []struct{ Message string } `json:"x-kubernetes-validations"`
}

// TestDocs keeps the reference of KOF's kinds as the CRDs say it. go test ./internal/operator/api/v1beta1 -update
func TestDocs(t *testing.T) {
	files, err := filepath.Glob("../../../../deploy/crds/*_*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 3)
	var b strings.Builder
	b.WriteString("# KOF's kinds\n\nGroup `kof.k0rdent.mirantis.com`, version `v1beta1`. Made from the CRDs in `deploy/crds/`. What the operator does with them: [operator](operator.md).\n")
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		var crd struct {
			Spec struct {
				Names    struct{ Kind string }
				Versions []struct {
					Schema struct {
						OpenAPIV3Schema crdSchema `json:"openAPIV3Schema"`
					}
				}
			}
		}
		require.NoError(t, yaml.Unmarshal(text, &crd))
		s := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", crd.Spec.Names.Kind, s.Description)
		for _, part := range []string{"spec", "status"} {
			b.WriteString("\n| field | type | what |\n|---|---|---|\n")
			describe(&b, part, s.Properties[part], false)
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(docs, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(docs)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}

func describe(b *strings.Builder, path string, s crdSchema, required bool) {
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
