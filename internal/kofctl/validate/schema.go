// SPDX-License-Identifier: Apache-2.0

package validate

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/k0rdent/kof/internal/region"
)

// checker checks values against a JSON schema and says where in a text each problem is.
type checker struct {
	compiled *jsonschema.Schema
	raw      any // the schema itself, for the keys that are allowed
}

const schemaURL = "schema.json"

func newChecker(text []byte) (*checker, error) {
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaURL, raw); err != nil {
		return nil, err
	}
	compiled, err := c.Compile(schemaURL)
	return &checker{compiled, raw}, err
}

// check returns the problems of a value. Lines are those of the node, where it has what the value has.
func (c *checker) check(value any, node *yaml.Node) ([]Problem, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	plain, err := jsonschema.UnmarshalJSON(bytes.NewReader(text)) // numbers as the schema's library takes them
	if err != nil {
		return nil, err
	}
	var failed *jsonschema.ValidationError
	if err := c.compiled.Validate(plain); !errors.As(err, &failed) {
		return nil, err
	}
	var out []Problem
	c.leaves(failed, node, &out)
	slices.SortFunc(out, func(a, b Problem) int {
		return cmp.Or(a.Line-b.Line, cmp.Compare(a.Path, b.Path), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(out), nil
}

// leaves collects what has no cause of its own.
func (c *checker) leaves(e *jsonschema.ValidationError, node *yaml.Node, out *[]Problem) {
	if len(e.Causes) > 0 {
		if _, names := e.ErrorKind.(*kind.PropertyNames); !names {
			for _, cause := range e.Causes {
				c.leaves(cause, node, out)
			}
			return
		}
	}
	at := e.InstanceLocation
	add := func(path []string, format string, args ...any) {
		*out = append(*out, Problem{Path: pathOf(path), Line: lineOf(node, path), Message: fmt.Sprintf(format, args...)})
	}
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		known := c.keys(e.SchemaURL)
		for _, name := range k.Properties {
			add(append(slices.Clone(at), name), "found an unknown key; allowed: %s%s", strings.Join(known, ", "), region.Nearest(name, known))
		}
	case *kind.Type:
		add(at, "found %s; allowed: %s", k.Got, strings.Join(k.Want, ", "))
	case *kind.Enum:
		add(at, "found %s; allowed: %s", shown(k.Got), list(k.Want))
	case *kind.Pattern:
		add(at, "found %s; allowed: what matches %s", shown(k.Got), k.Want)
	case *kind.Required:
		for _, name := range k.Missing {
			add(append(slices.Clone(at), name), "missing; allowed: a value")
		}
	case *kind.PropertyNames:
		add(append(under(e.SchemaURL), k.Property), "found a key that can't be one; allowed: %s", c.names(e))
	default:
		add(at, "%s", e.ErrorKind.LocalizedString(message.NewPrinter(language.English)))
	}
}

// under returns where a schema's values are: for keys, the library says no location. Below what isn't named in the schema, nothing.
func under(address string) []string {
	_, pointer, _ := strings.Cut(address, "#/")
	parts := strings.Split(strings.TrimSuffix(pointer, "propertyNames"), "/")
	var out []string
	for i := 0; i+1 < len(parts); i += 2 {
		if parts[i] != "properties" {
			return nil
		}
		out = append(out, parts[i+1])
	}
	return out
}

// names says what keys have to be.
func (c *checker) names(e *jsonschema.ValidationError) string {
	for _, cause := range e.Causes {
		for ; len(cause.Causes) > 0; cause = cause.Causes[0] {
		}
		if p, is := cause.ErrorKind.(*kind.Pattern); is {
			return "what matches " + p.Want
		}
	}
	return "see the chart's README"
}

// keys are those that the schema at an address knows.
func (c *checker) keys(address string) []string {
	_, pointer, _ := strings.Cut(address, "#")
	at := c.raw
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		object, is := at.(map[string]any)
		if part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part); is && part != "" {
			at = object[part]
		}
	}
	object, _ := at.(map[string]any)
	properties, _ := object["properties"].(map[string]any)
	if len(properties) == 0 {
		return []string{"none"}
	}
	return slices.Sorted(maps.Keys(properties))
}

const maxShown = 80

func shown(v any) string {
	text, _ := json.Marshal(v) // it came from JSON
	if len(text) > maxShown {
		return strings.ToValidUTF8(string(text[:maxShown]), "") + "…"
	}
	return string(text)
}

func list(values []any) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = shown(v)
	}
	return strings.Join(out, ", ")
}

func pathOf(parts []string) string {
	var b strings.Builder
	for _, p := range parts {
		_, err := strconv.Atoi(p)
		switch {
		case err == nil:
			b.WriteString("[" + p + "]")
		case strings.ContainsAny(p, ".[]\" :"):
			b.WriteString("[" + strconv.Quote(p) + "]")
		default:
			if b.Len() > 0 {
				b.WriteString(".")
			}
			b.WriteString(p)
		}
	}
	return b.String()
}

// lineOf returns the line of the deepest part of a path that the text has, 0 if it has none.
func lineOf(n *yaml.Node, path []string) int {
	line := 0
	for _, p := range path {
		if n == nil {
			return line
		}
		var next *yaml.Node
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == p {
					line, next = n.Content[i].Line, n.Content[i+1]
				}
			}
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(p); err == nil && i < len(n.Content) {
				line, next = n.Content[i].Line, n.Content[i]
			}
		}
		n = next
	}
	return line
}
