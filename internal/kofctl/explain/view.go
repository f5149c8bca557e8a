// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"strings"
	"time"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/choice"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/internal/operator/regions"
)

// View is where a cluster's telemetry goes with a set of Regions.
type View struct {
	Region string    `json:"region"` // home; "": none
	Zone   string    `json:"zone,omitempty"`
	Rule   string    `json:"rule,omitempty"` // that the home was chosen by
	Since  time.Time `json:"since,omitzero"`
	// Known tells whether the home is a Region that counts. Otherwise agents hold what they collect.
	Known bool `json:"known"`

	Rules []Rule `json:"rules"`
	// Next is what the operator does next: an event of docs/operator.md and the region that it leads to; empty: nothing.
	Next     string `json:"next,omitempty"`
	NextIsTo string `json:"next_region,omitempty"`
	// Why the home is not what labels and place ask for, or why there is none: a reason of docs/operator.md and its message.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`

	Endpoints []Endpoint `json:"endpoints"`
}

// Rule is one of the rules, in their order, with what it found for the cluster.
type Rule struct {
	Rule    string   `json:"rule"`
	Asks    string   `json:"asks"`
	Found   []string `json:"found"`   // Regions as namespace/name
	Decides bool     `json:"decides"` // the first whose condition is met
}

// Endpoint is one that agents of the cluster send to.
type Endpoint struct {
	Region string `json:"region"`
	// Use: home, failover (only while the home fails), or moving (the other region of a re-homing).
	Use     string `json:"use"`
	Zone    string `json:"zone"`
	Metrics string `json:"metrics,omitempty"`
	Logs    string `json:"logs,omitempty"`
	Traces  string `json:"traces,omitempty"`
}

// forever has no step of a re-homing end by its time while it is looked at.
var forever = choice.Timing{Prepare: 1 << 62, Drain: 1 << 62}

// view returns where the cluster's telemetry goes with these Regions.
func (w *world) view(items []v1beta1.Region) View {
	set := regions.Accept(items)
	chosen, rule, failed := w.choose(set)
	state := regions.State(w.assignment.Spec)
	var err error
	if failed != nil {
		err = failed
	}
	step := choice.Plan(state, chosen, rule, err, set.Candidates, w.now, forever)
	v := View{Region: state.Region, Zone: state.Zone, Rule: string(state.Rule), Since: state.Since.UTC(), Rules: w.rules(set)}
	if step.Event != "" {
		v.Next, v.NextIsTo = step.Event, step.State.Region
		if step.State.Phase == choice.Preparing {
			v.NextIsTo = step.State.Other
		}
	}
	if step.Pending != nil {
		v.Reason, v.Message = step.Pending.Reason, step.Pending.Message
	}
	_, v.Known = set.ByName[v.Region]
	if v.Region != "" && !v.Known && v.Next == "" {
		v.Message = strings.TrimPrefix(v.Message+fmt.Sprintf("; region %q is gone, and agents hold what they collect", v.Region), "; ")
	}
	v.Endpoints = endpoints(set, regions.Assignment(w.cd.TelemetryName(), step.State))
	return v
}

// served tells whether the cluster's data has somewhere to go, or will have after the operator's next step.
func (v View) served() bool { return v.Known || v.Next != "" }

func (w *world) rules(set *regions.Set) []Rule {
	config, _ := w.cd.Config() // a bad one is said in Message
	c := regions.Wanted(&w.cd, config)
	asks := map[choice.Rule]string{choice.Label: "no label", choice.Location: "place not known", choice.Fallback: "a Region with fallback: true"}
	if c.Region != "" || c.RegionNamespace != "" {
		asks[choice.Label] = strings.TrimPrefix(c.RegionNamespace+"/"+c.Region, "/")
	}
	if c.Location != "" {
		asks[choice.Location] = c.Cloud + " " + c.Location
	}
	var out []Rule
	decided := false
	for _, t := range choice.Tries(c, w.system, set.Candidates) {
		r := Rule{Rule: string(t.Rule), Asks: asks[t.Rule], Found: []string{}, Decides: t.Met && !decided}
		decided = decided || t.Met
		for _, f := range t.Found {
			r.Found = append(r.Found, f.String())
		}
		out = append(out, r)
	}
	return out
}

func endpoints(set *regions.Set, a v1beta1.RegionAssignmentSpec) []Endpoint {
	out := []Endpoint{}
	for _, spec := range set.Needed(a) {
		e := output.EndpointsOf(spec)
		use := "failover"
		switch {
		case spec.Name == a.Region:
			use = "home"
		case a.Moving != nil && spec.Name == a.Moving.Other:
			use = "moving"
		}
		out = append(out, Endpoint{Region: spec.Name, Use: use, Zone: output.Zone(spec), Metrics: e.Metrics, Logs: e.Logs, Traces: e.Traces})
	}
	return out
}
