// SPDX-License-Identifier: Apache-2.0

// Package regions tells which Regions count, and what a cluster asks of them. The operator, kofctl and the admission webhook all answer from it,
// so that they agree.
package regions

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/choice"
	"github.com/k0rdent/kof/internal/operator/output"
)

// Set is which Regions count. It isn't changed after it was made.
type Set struct {
	Specs      []v1beta1.RegionSpec // accepted, oldest first
	ByName     map[string]v1beta1.RegionSpec
	Objects    map[string]types.NamespacedName // by the region's name
	Candidates []choice.Region
	Refused    map[types.NamespacedName]Refusal
}

// Refusal is why a Region doesn't count: one of the reasons below, and a message of bounded length.
type Refusal struct{ Reason, Message string }

// Reasons, as they stand in the condition Accepted.
const (
	ReasonAccepted  = "Accepted"
	ReasonNameTaken = "NameTaken"
	ReasonRefused   = "Refused"
	ReasonTooMany   = "TooManyRegions"
)

// Max is how many Regions count: the bound of a ConfigMap, 1 MiB, at some 1.5 KiB a region; the format itself allows 1,000.
const Max = 500

// inDirectory are lines of the directory that is made of Regions, which nobody sees.
var inDirectory = regexp.MustCompile(` \(line \d+\)`)

// maxMessage bounds a message, in bytes.
const maxMessage = 1024

// InOrder returns the Regions that are not being deleted, oldest first.
func InOrder(items []v1beta1.Region) []v1beta1.Region {
	out := slices.DeleteFunc(slices.Clone(items), func(r v1beta1.Region) bool { return r.DeletionTimestamp != nil })
	slices.SortFunc(out, func(a, b v1beta1.Region) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// Accept goes through Regions in their order, so that what is in force stays when something that doesn't go with it is added.
func Accept(items []v1beta1.Region) *Set {
	out := &Set{ByName: map[string]v1beta1.RegionSpec{}, Objects: map[string]types.NamespacedName{}, Refused: map[types.NamespacedName]Refusal{}}
	var first []v1beta1.RegionSpec // of each name
	names := map[string]bool{}
	for _, r := range items {
		if !names[r.Spec.Name] && len(first) < Max {
			names[r.Spec.Name] = true
			first = append(first, r.Spec)
		}
	}
	allGood := output.CheckDirectory(first) == nil
	for _, r := range items {
		id := client.ObjectKeyFromObject(&r)
		if other, taken := out.Objects[r.Spec.Name]; taken {
			out.Refused[id] = Refusal{ReasonNameTaken, fmt.Sprintf("the name %q is that of Region %s, which is older", r.Spec.Name, other)}
			continue
		}
		if len(out.Specs) >= Max {
			out.Refused[id] = Refusal{ReasonTooMany, fmt.Sprintf("there are %d regions already, the most that are allowed", Max)}
			continue
		}
		// All at once if possible: one by one takes time with the square of their number.
		if !allGood {
			if err := output.CheckDirectory(append(slices.Clone(out.Specs), r.Spec)); err != nil {
				out.Refused[id] = Refusal{ReasonRefused, Short(inDirectory.ReplaceAllString(err.Error(), ""))}
				continue
			}
		}
		out.Specs = append(out.Specs, r.Spec)
		out.ByName[r.Spec.Name], out.Objects[r.Spec.Name] = r.Spec, id
		out.Candidates = append(out.Candidates, choice.Region{
			Namespace: r.Namespace, Object: r.Name, Name: r.Spec.Name, Zone: output.Zone(r.Spec),
			Cloud: r.Spec.Cloud, Location: r.Spec.Location, Fallback: r.Spec.Fallback,
		})
	}
	return out
}

// Short bounds a message for a condition or an Event.
func Short(s string) string {
	if len(s) <= maxMessage {
		return s
	}
	return strings.ToValidUTF8(s[:maxMessage], "") + "…"
}

// Needed returns the regions that a cluster's agents have to know: its home, the other one while it is re-homed, and the stand-ins of its home.
func (s *Set) Needed(a v1beta1.RegionAssignmentSpec) []v1beta1.RegionSpec {
	wanted := []string{a.Region}
	if a.Moving != nil {
		wanted = append(wanted, a.Moving.Other)
	}
	wanted = append(wanted, output.StandIns(s.ByName[a.Region], s.ByName)...)
	var out []v1beta1.RegionSpec
	for i, name := range wanted {
		if spec, found := s.ByName[name]; found && !slices.Contains(wanted[:i], name) {
			out = append(out, spec)
		}
	}
	return out
}
