// SPDX-License-Identifier: Apache-2.0

package validate

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/k0rdent/kof/internal/kofctl/output"
)

// Report is what was found of a file.
type Report struct {
	Kind     string    `json:"kind"` // directory, regions, values, config, rules or budgets
	File     string    `json:"file"`
	Valid    bool      `json:"valid"`
	Problems []Problem `json:"problems,omitempty"`
	Notes    []string  `json:"notes,omitempty"` // what was looked at, and what was not
}

// Problem is one reason to refuse a file.
type Problem struct {
	Path    string `json:"path,omitempty"` // of the key; "": of the file as a whole
	Line    int    `json:"line,omitempty"` // 0: not known
	Message string `json:"message"`        // what was found, and what is allowed
}

// Tables shows the problems, one a line, as compilers do.
func (r *Report) Tables() []output.Table {
	var t output.Table
	for _, p := range r.Problems {
		where := r.File + ":"
		if p.Line > 0 {
			where += strconv.Itoa(p.Line) + ":"
		}
		if p.Path != "" {
			where += " " + p.Path + ":"
		}
		t.Notes = append(t.Notes, where+" "+p.Message)
	}
	if r.Valid {
		t.Notes = append(t.Notes, fmt.Sprintf("%s: valid", r.File))
	}
	for _, n := range r.Notes {
		t.Notes = append(t.Notes, "  "+n)
	}
	return []output.Table{t}
}

// located is a problem as package region writes it.
var located = regexp.MustCompile(`^((?:[^\s:\[]|\["(?:[^"\\]|\\.)*"\]|\[\d+\])+): (.*?)(?: \(line (\d+)\))?$`)

// problemsOf splits a joined error, whose members may say path and line.
func problemsOf(err error) []Problem {
	var joined interface{ Unwrap() []error }
	if many, is := err.(interface{ Unwrap() []error }); is {
		joined = many
	}
	if joined == nil {
		return []Problem{problemOf(err.Error())}
	}
	var out []Problem
	for _, e := range joined.Unwrap() {
		out = append(out, problemsOf(e)...)
	}
	return out
}

func problemOf(text string) Problem {
	m := located.FindStringSubmatch(strings.ReplaceAll(text, "\n", " "))
	if m == nil {
		return Problem{Message: text}
	}
	line, _ := strconv.Atoi(m[3]) // "" is no line
	return Problem{Path: m[1], Message: m[2], Line: line}
}
