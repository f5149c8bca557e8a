// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
)

// change makes a cluster's file whole: each rule gets what it leaves out from the one it changes, and is for the cluster alone. It returns the
// rules that were changed.
func change(f *file, cluster string, groups []*Group) ([]*Rule, error) {
	var changed []*Rule
	var errs []error
	for _, g := range f.Groups {
		var kept []Rule
		for _, r := range g.Rules {
			base, err := find(g.Name, r, groups)
			if err == nil && base != nil {
				_, err = Except(base.Expr, []string{cluster})
			}
			switch {
			case err != nil:
				errs = append(errs, fmt.Errorf("group %q: rule %q: %w", g.Name, r.name(), err))
				continue
			case base == nil && (r.Expr == "" || r.Disabled):
				errs = append(errs, fmt.Errorf("group %q: rule %q: found no rule of all clusters that it changes; allowed: a rule with an expr", g.Name, r.name()))
				continue
			case base != nil:
				changed = append(changed, base)
				r = r.over(*base)
			}
			if r.Disabled {
				continue
			}
			expr, err := Scope(r.Expr, cluster)
			if err != nil {
				errs = append(errs, fmt.Errorf("group %q: rule %q: %w", g.Name, r.name(), err))
				continue
			}
			r.Expr = expr
			kept = append(kept, r)
		}
		g.Rules = kept
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return changed, check(f)
}

// find returns the one rule of all clusters of the group's name, the rule's name, and all its labels.
func find(group string, r Rule, groups []*Group) (*Rule, error) {
	var found []*Rule
	for _, g := range groups {
		if g.Name != group {
			continue
		}
		for i := range g.Rules {
			if b := &g.Rules[i]; b.Alert == r.Alert && b.Record == r.Record && has(b.Labels, r.Labels) {
				found = append(found, b)
			}
		}
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("found %d rules that it could change; allowed: labels that only one of them has", len(found))
}

func has(labels, wanted map[string]string) bool {
	for k, v := range wanted {
		if labels[k] != v {
			return false
		}
	}
	return true
}

func (r Rule) over(base Rule) Rule {
	r.Expr = cmp.Or(r.Expr, base.Expr)
	r.For = cmp.Or(r.For, base.For)
	r.KeepFiringFor = cmp.Or(r.KeepFiringFor, base.KeepFiringFor)
	r.Labels = merged(base.Labels, r.Labels)
	r.Annotations = merged(base.Annotations, r.Annotations)
	return r
}

func merged(base, over map[string]string) map[string]string {
	if len(base) == 0 && len(over) == 0 {
		return nil
	}
	out := maps.Clone(base)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, over)
	return out
}
