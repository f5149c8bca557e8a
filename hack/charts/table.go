// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	tableBegin = "<!-- values: begin, generated from values.yaml -->\n"
	tableEnd   = "<!-- values: end -->"
	// maxDefault is how many characters of a default the table shows.
	maxDefault = 80
)

// withTable puts the table of the values between the two marks of a README.
func withTable(readme, values []byte) ([]byte, error) {
	begin, end := bytes.Index(readme, []byte(tableBegin)), bytes.Index(readme, []byte(tableEnd))
	if begin < 0 || end < begin {
		return nil, fmt.Errorf("README.md: no lines %q and %q", strings.TrimSpace(tableBegin), tableEnd)
	}
	table, err := table(values)
	if err != nil {
		return nil, err
	}
	out := append([]byte{}, readme[:begin]...)
	out = append(out, tableBegin...)
	out = append(out, table...)
	return append(out, readme[end:]...), nil
}

// table is a row per value: path, default, comment. Every key has to have a comment, its own or that of the map it is in, if that map
// is written in one line.
func table(values []byte) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(values, &doc); err != nil {
		return nil, fmt.Errorf("values.yaml: %w", err)
	}
	if len(doc.Content) == 0 {
		return nil, errors.New("values.yaml: empty")
	}
	var rows bytes.Buffer
	rows.WriteString("| value | default | |\n|---|---|---|\n")
	if err := addRows(&rows, "", doc.Content[0]); err != nil {
		return nil, err
	}
	return rows.Bytes(), nil
}

func addRows(rows *bytes.Buffer, prefix string, m *yaml.Node) error {
	var errs []error
	for i := 0; i+1 < len(m.Content); i += 2 {
		key, value := m.Content[i], m.Content[i+1]
		path := prefix + key.Value
		comment := commentOf(key)
		// A map whose keys are explained one by one; others are values as a whole.
		nested := value.Kind == yaml.MappingNode && len(value.Content) > 0 && value.Content[0].HeadComment != ""
		if comment == "" && !nested {
			errs = append(errs, fmt.Errorf("values.yaml:%d: %s has no comment", key.Line, path))
		}
		if nested {
			if comment != "" {
				fmt.Fprintf(rows, "| **`%s`** | | %s |\n", path, comment)
			}
			errs = append(errs, addRows(rows, path+".", value))
			continue
		}
		fmt.Fprintf(rows, "| `%s` | %s | %s |\n", path, defaultOf(value), comment)
	}
	return errors.Join(errs...)
}

// commentOf returns the comment above a key as one line of a table.
func commentOf(key *yaml.Node) string {
	var words []string
	for line := range strings.Lines(key.HeadComment) {
		words = append(words, strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "#"))...)
	}
	return strings.ReplaceAll(strings.Join(words, " "), "|", "\\|")
}

func defaultOf(value *yaml.Node) string {
	flow := *value
	flow.Content = append([]*yaml.Node{}, value.Content...)
	flow.Style |= yaml.FlowStyle
	flow.HeadComment, flow.LineComment, flow.FootComment = "", "", ""
	if value.Kind != yaml.ScalarNode {
		inFlow(&flow)
	}
	text, err := yaml.Marshal(&flow)
	if err != nil {
		return ""
	}
	s := strings.Join(strings.Fields(string(text)), " ")
	if len(s) > maxDefault {
		s = s[:maxDefault] + "…"
	}
	return "`" + strings.ReplaceAll(s, "|", "\\|") + "`"
}

func inFlow(n *yaml.Node) {
	for i, c := range n.Content {
		inner := *c
		inner.HeadComment, inner.LineComment, inner.FootComment = "", "", ""
		if inner.Kind != yaml.ScalarNode {
			inner.Style |= yaml.FlowStyle
			inner.Content = append([]*yaml.Node{}, inner.Content...)
			inFlow(&inner)
		}
		n.Content[i] = &inner
	}
}
