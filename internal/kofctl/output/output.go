// SPDX-License-Identifier: Apache-2.0

// Package output writes what commands found: tables for people, JSON for programs.
package output

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Formats that can be asked for.
var Formats = []string{"table", "json"}

// Known tells whether a format can be asked for.
func Known(format string) bool { return slices.Contains(Formats, format) }

// Result is what a command found. As JSON it is itself, by its json tags, which are part of the command's contract; people get tables.
type Result interface{ Tables() []Table }

// Table is one table.
type Table struct {
	Title   string // above it; "": none
	Columns []string
	Rows    [][]string // as many cells as there are columns; "" is shown as "-"
	Empty   string     // in place of a table without rows
	Notes   []string   // below it, one a line
}

// Write writes a result in one of [Formats].
func Write(w io.Writer, format string, r Result) error {
	if format == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(r)
	}
	var b strings.Builder
	for i, t := range r.Tables() {
		if i > 0 {
			b.WriteString("\n")
		}
		if err := t.write(&b); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t Table) write(w io.Writer) error {
	if t.Title != "" {
		fmt.Fprintln(w, t.Title)
	}
	if len(t.Rows) == 0 && t.Empty != "" {
		fmt.Fprintln(w, t.Empty)
	}
	if len(t.Rows) > 0 {
		tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		if len(t.Columns) > 0 {
			fmt.Fprintln(tab, strings.ToUpper(strings.Join(t.Columns, "\t")))
		}
		for _, row := range t.Rows {
			cells := make([]string, len(row))
			for i, c := range row {
				cells[i] = cell(c)
			}
			fmt.Fprintln(tab, strings.Join(cells, "\t"))
		}
		if err := tab.Flush(); err != nil {
			return err
		}
	}
	for _, n := range t.Notes {
		fmt.Fprintln(w, n)
	}
	return nil
}

// cell keeps a row a row, whatever is in a message.
func cell(s string) string {
	if s == "" {
		return "-"
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
}
