// SPDX-License-Identifier: Apache-2.0

// Package rules merges alerting and recording rules of the whole platform with what single clusters change about them, into files in
// Prometheus' format. No rule is lost to another of the same name: what tells them apart is the group, the name and all labels.
package rules

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxFileBytes bounds one file.
const MaxFileBytes = 512 << 10

// Source is one ConfigMap.
type Source struct {
	Name    string
	Cluster string            // that the rules are for; "": all
	Files   map[string]string // in Prometheus' format

	// AlertsOnly refuses recording rules: vmalert reads no rule at all as long as there is one and it has nowhere to write what it gives.
	AlertsOnly bool

	Problems map[string]error // files that there should be, but couldn't be made; as with a bad one, what was before stays
}

// Rule is one of a file. In a cluster's file, what is left out is that of the rule it changes, and disabled switches that off for the cluster.
type Rule struct {
	Record        string            `yaml:"record,omitempty"`
	Alert         string            `yaml:"alert,omitempty"`
	Expr          string            `yaml:"expr,omitempty"`
	For           string            `yaml:"for,omitempty"`
	KeepFiringFor string            `yaml:"keep_firing_for,omitempty"`
	Labels        map[string]string `yaml:"labels,omitempty"`
	Annotations   map[string]string `yaml:"annotations,omitempty"`
	Disabled      bool              `yaml:"disabled,omitempty"`

	except []string // clusters that have a rule of their own in its place
}

func (r Rule) name() string { return cmp.Or(r.Alert, r.Record) }

// Group of rules that are evaluated one after the other.
type Group struct {
	Name        string            `yaml:"name"`
	Interval    string            `yaml:"interval,omitempty"`
	QueryOffset string            `yaml:"query_offset,omitempty"`
	Limit       int               `yaml:"limit,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Rules       []Rule            `yaml:"rules"`
}

type file struct {
	Groups []*Group `yaml:"groups"`
}

// Result of a merge.
type Result struct {
	Files    map[string]string  // by "source.file"
	Problems map[string][]error // by source; a file with a problem is as in previous, or left out
}

// merge is [Merge] without its bound.
func merge(sources []Source, previous map[string]string) Result {
	out := Result{Files: map[string]string{}, Problems: map[string][]error{}}
	sources = slices.Clone(sources)
	slices.SortFunc(sources, func(a, b Source) int { return cmp.Compare(a.Name, b.Name) })
	bad := func(s Source, name string, err error) {
		out.Problems[s.Name] = append(out.Problems[s.Name], fmt.Errorf("%s: %w", name, err))
		if old, found := previous[key(s.Name, name)]; found && (!s.AlertsOnly || alertsOnly(old) == nil) {
			out.Files[key(s.Name, name)] = old
		}
	}
	parsed := map[string]*file{}
	var groups []*Group // of all clusters
	for _, s := range sources {
		for _, name := range slices.Sorted(maps.Keys(s.Problems)) {
			bad(s, name, s.Problems[name])
		}
		for _, name := range slices.Sorted(maps.Keys(s.Files)) {
			f, err := parse(s.Files[name], s.Cluster != "")
			if err == nil && s.AlertsOnly {
				err = f.alertsOnly()
			}
			if err == nil && s.Cluster == "" {
				err = check(f)
			}
			if err != nil {
				bad(s, name, err)
				continue
			}
			parsed[key(s.Name, name)] = f
			if s.Cluster == "" {
				groups = append(groups, f.Groups...)
			}
		}
	}
	for _, s := range sources {
		if s.Cluster == "" {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(s.Files)) {
			f := parsed[key(s.Name, name)]
			if f == nil {
				continue
			}
			changed, err := change(f, s.Cluster, groups)
			if err != nil {
				bad(s, name, err)
				delete(parsed, key(s.Name, name))
				continue
			}
			for _, rule := range changed {
				rule.except = append(rule.except, s.Cluster)
			}
		}
	}
	for _, s := range sources {
		for _, name := range slices.Sorted(maps.Keys(s.Files)) {
			f := parsed[key(s.Name, name)]
			if f == nil {
				continue
			}
			text, err := write(f)
			if err != nil {
				bad(s, name, err)
				continue
			}
			if text != "" {
				out.Files[key(s.Name, name)] = text
			}
		}
	}
	return out
}

func key(source, name string) string { return source + "." + name }

func parse(text string, partial bool) (*file, error) {
	if len(text) > MaxFileBytes {
		return nil, fmt.Errorf("found %d bytes; allowed: at most %d", len(text), MaxFileBytes)
	}
	d := yaml.NewDecoder(strings.NewReader(text))
	d.KnownFields(true)
	var f file
	if err := d.Decode(&f); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	seen := map[string]bool{}
	for _, g := range f.Groups {
		if g == nil || g.Name == "" || seen[g.Name] {
			return nil, errors.New("found a group without a name, or two of one name; allowed: each name once in a file")
		}
		seen[g.Name] = true
		for _, r := range g.Rules {
			if (r.Alert == "") == (r.Record == "") {
				return nil, fmt.Errorf("group %q: found a rule with both or neither of alert and record; allowed: exactly one", g.Name)
			}
			if r.Disabled && !partial {
				return nil, fmt.Errorf("group %q: rule %q: found disabled; allowed: in a cluster's file only", g.Name, r.name())
			}
		}
	}
	return &f, nil
}

// alertsOnly is an error for a file with a recording rule.
func (f *file) alertsOnly() error {
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			if r.Record != "" {
				return fmt.Errorf("group %q: rule %q: found a recording rule; allowed: alerts, as vmalert has nowhere to write (alerting.vmalert.remoteWrite of kof-mothership)", g.Name, r.name())
			}
		}
	}
	return nil
}

func alertsOnly(text string) error {
	f, err := parse(text, true)
	if err != nil {
		return err
	}
	return f.alertsOnly()
}

// write gives a file as text, "" if it has no rule. Rules leave out the clusters that have their own.
func write(f *file) (string, error) {
	var out file
	for _, g := range f.Groups {
		group := *g
		group.Rules = nil
		for _, r := range g.Rules {
			if len(r.except) > 0 {
				expr, err := Except(r.Expr, r.except)
				if err != nil {
					return "", err
				}
				r.Expr = expr
			}
			group.Rules = append(group.Rules, r)
		}
		if len(group.Rules) > 0 {
			out.Groups = append(out.Groups, &group)
		}
	}
	if len(out.Groups) == 0 {
		return "", nil
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	err := errors.Join(e.Encode(out), e.Close())
	return b.String(), err
}
