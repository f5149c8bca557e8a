// SPDX-License-Identifier: Apache-2.0

// Package guide reads the commands of the pages under docs/, so that tests run what readers are told to run.
package guide

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Page is a page's shell commands by the heading that they stand under, one block after the other.
type Page map[string]string

// ReadT reads a page such as install.md of the repository in root.
func ReadT(t testing.TB, root, page string) Page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", page))
	if err != nil {
		t.Fatal(err)
	}
	return parse(string(text))
}

func parse(text string) Page {
	p := Page{}
	heading, indent, inBlock, isShell := "", "", false, false
	for line := range strings.Lines(text) {
		rest := strings.TrimLeft(line, " ")
		switch {
		case strings.HasPrefix(rest, "```"):
			inBlock = !inBlock
			isShell = inBlock && strings.TrimSpace(rest) == "```sh"
			indent = line[:len(line)-len(rest)] // of a list
		case isShell:
			p[heading] += strings.TrimPrefix(line, indent)
		case !inBlock && strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	return p
}

// CommandsT returns the commands under the headings, in that order, and fails the test if there are none under one of them.
func (p Page) CommandsT(t testing.TB, headings ...string) string {
	t.Helper()
	commands, err := p.commands(headings)
	if err != nil {
		t.Fatal(err)
	}
	return commands
}

func (p Page) commands(headings []string) (string, error) {
	var out string
	for _, h := range headings {
		if p[h] == "" {
			return "", fmt.Errorf("no commands under the heading %q", h)
		}
		out += p[h]
	}
	return out, nil
}
