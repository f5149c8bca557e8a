// SPDX-License-Identifier: Apache-2.0

// Command runbooks writes the index of docs/runbooks of the alerts of the charts, those of budgets, and the pages themselves, and fails when an alert has no
// page, a page no alert, a page lacks a part, or a link leads nowhere. With -check it changes nothing and fails when the index is stale. To be started
// in the repository's root.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/k0rdent/kof/internal/operator/budget"
)

const (
	alertsDir   = "deploy/charts/kof-mothership/files/alerts"
	runbooksDir = "docs/runbooks"
	indexName   = "README.md"
	remedy      = "run `make generate` and commit what it changes"
)

const head = `# Runbooks

What to do when an alert fires: a page for each. Addresses in the annotation ` + "`runbook_url`" + ` lead here (` + "`alerting.runbooks`" + ` of kof-mothership). How rules are changed,
silenced and added: [rules](../rules.md).

In the pages, ` + "`$CLUSTER`, `$NAMESPACE`, `$NODE`" + ` and so on are the labels of the alert, and ` + "`$AGENT`" + ` is the pod of the agent on that node. ` + "`kubectl`" + ` speaks to the alert's cluster, unless the page
says otherwise; PromQL goes to Promxy, or to the region's own store.

<!-- Written by hack/runbooks of the alerts and the pages: run ` + "`make generate`" + `. -->
`

// alert is one row of the index.
type alert struct{ name, severity string }

// group of alerts, with the comment above it in its file.
type group struct {
	title  string
	alerts []alert
}

func main() {
	check := flag.Bool("check", false, "change nothing, fail when the index is stale")
	flag.Parse()
	if err := run(".", *check); err != nil {
		fmt.Fprintln(os.Stderr, "runbooks:", err)
		os.Exit(1)
	}
}

// run does it for the repository in root.
func run(root string, check bool) error {
	groups, err := readAlerts(filepath.Join(root, alertsDir))
	if err != nil {
		return err
	}
	groups = append(groups, budgets)
	meanings, err := readPages(filepath.Join(root, runbooksDir))
	if err != nil {
		return err
	}
	content, err := index(groups, meanings)
	if err != nil {
		return err
	}
	path := filepath.Join(root, runbooksDir, indexName)
	before, err := os.ReadFile(path)
	if err == nil && bytes.Equal(before, content) {
		return nil
	}
	if check {
		return fmt.Errorf("%s is stale; %s", path, remedy)
	}
	return os.WriteFile(path, content, 0o644)
}

// budgets are the alerts that kof-operator makes.
var budgets = group{"Budgets, of kof-operator", []alert{
	{budget.AlertSpent, "warning, critical"}, {budget.AlertForecast, "warning"}, {budget.AlertNoCosts, "info"},
}}

// readAlerts returns the groups of all files, in the order in which they are written there.
func readAlerts(dir string) ([]group, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var out []group
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(content, &doc); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for name, body := range pairs(doc.Content[0]) {
			g := group{title: title(string(content), name.Value)}
			for key, value := range pairs(body) {
				if key.Value != "rules" {
					continue
				}
				for id, rule := range pairs(value) {
					var r struct {
						Alert  string
						Labels map[string]string
					}
					if err := rule.Decode(&r); err != nil {
						return nil, fmt.Errorf("%s:%d: %w", file, rule.Line, err)
					}
					if r.Alert == "" {
						r.Alert = id.Value
					}
					g.alerts = append(g.alerts, alert{r.Alert, r.Labels["severity"]})
				}
			}
			out = append(out, g)
		}
	}
	return out, nil
}

// title is the beginning of a file's first comment, up to a comma, colon or stop; without a comment, the group's name.
func title(content, name string) string {
	first, _, _ := strings.Cut(content, "\n")
	text, is := strings.CutPrefix(first, "# ")
	if !is {
		return name
	}
	if end := strings.IndexAny(text, ",:."); end > 0 {
		text = text[:end]
	}
	return text
}

// pairs ranges over keys and values of a mapping.
func pairs(m *yaml.Node) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(m.Content); i += 2 {
			if !yield(m.Content[i], m.Content[i+1]) {
				return
			}
		}
	}
}

// parts are what each page has, in this order.
var parts = []string{"Meaning", "Impact", "Diagnosis", "Remedy"}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// readPages returns the first sentence of each page's meaning, by the page's name.
func readPages(dir string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	var errs []error
	for _, file := range files {
		if filepath.Base(file) == indexName {
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		text, name := string(content), strings.TrimSuffix(filepath.Base(file), ".md")
		form := "# " + name + "\n"
		for _, p := range parts {
			form += "(?s:.+?)\n## " + p + "\n\n[^\n]"
		}
		if !regexp.MustCompile("^" + strings.Replace(form, "\n(?s:.+?)\n", "\n\n", 1)).MatchString(text) {
			errs = append(errs, fmt.Errorf("%s: found no title %q, or not all of %s; allowed: a page has each of them, in this order", file, name, strings.Join(parts, ", ")))
			continue
		}
		for _, l := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(dir, l[1])); err != nil {
				errs = append(errs, fmt.Errorf("%s: found a link to %s; allowed: one to what is there", file, l[1]))
			}
		}
		_, meaning, _ := strings.Cut(text, "## Meaning\n\n")
		meaning, _, _ = strings.Cut(meaning, "\n")
		if end := regexp.MustCompile(`\.( |$)`).FindStringIndex(meaning); end != nil {
			meaning = meaning[:end[0]]
		}
		out[name] = meaning
	}
	return out, errors.Join(errs...)
}

// index is the page, if alerts and pages belong to each other.
func index(groups []group, meanings map[string]string) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(head)
	left := maps.Clone(meanings)
	var errs []error
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s\n\n| alert | severity | |\n|---|---|---|\n", g.title)
		for _, a := range g.alerts {
			meaning, found := meanings[a.name]
			if !found {
				errs = append(errs, fmt.Errorf("alert %s: found no page; allowed: one in %s/%s.md", a.name, runbooksDir, a.name))
			}
			delete(left, a.name)
			fmt.Fprintf(&b, "| [%s](%s.md) | %s | %s |\n", a.name, a.name, a.severity, strings.ReplaceAll(meaning, "|", "\\|"))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		errs = append(errs, fmt.Errorf("%s/%s.md: found no alert of this name; allowed: pages of alerts alone", runbooksDir, name))
	}
	return b.Bytes(), errors.Join(errs...)
}
