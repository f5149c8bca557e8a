// SPDX-License-Identifier: Apache-2.0

// Package choice decides which region a cluster belongs to. It only computes: no clock, no API, and the same answer for the same
// input in any order.
package choice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Rule is why a region was chosen.
type Rule string

// The rules, in the order in which they are tried. The first whose condition is met decides, even if it ends in an error.
const (
	Label    Rule = "Label"    // the cluster's label names the region
	Location Rule = "Location" // the cluster is in the region's cloud and location
	Fallback Rule = "Fallback" // the region takes what matches no other
)

// Region is a candidate.
type Region struct {
	Namespace, Object string // of the Region object; Object is also the name of the regional ClusterDeployment
	Name              string // in the region directory; unique among candidates
	Zone              string
	Cloud, Location   string // empty: not found by place
	Fallback          bool
}

func (r Region) String() string { return r.Namespace + "/" + r.Object }

// Cluster is what a region is chosen for.
type Cluster struct {
	Namespace       string
	Region          string // label: name of the regional cluster, or of the region
	RegionNamespace string // label: its namespace
	Cloud, Location string
}

// Reasons of errors, as they stand in conditions.
const (
	ReasonTie        = "Tie"
	ReasonNotFound   = "RegionNotFound"
	ReasonNoRegion   = "NoRegion"
	ReasonZoneChange = "ZoneWouldChange"
	ReasonBadLabels  = "BadLabels"
	// ReasonBadDeployment: the ClusterDeployment can't be read, or the Region of a regional one is refused.
	ReasonBadDeployment = "BadClusterDeployment"
	ReasonRegionStays   = "OtherRegionMatches"
)

// Error is why no region could be chosen.
type Error struct{ Reason, Message string }

func (e *Error) Error() string { return e.Message }

// Try is one rule applied to a cluster.
type Try struct {
	Rule  Rule
	Met   bool     // the rule's condition is met: of the first such rule, Found decides
	Found []Region // that match, in the order of their names
}

// Tries returns all rules in their order. Candidates by place, as fallback and by a label without a namespace are the regions of the
// cluster's own namespace and of the platform's: who may create regions elsewhere can't attract the cluster's data.
func Tries(c Cluster, platform string, regions []Region) []Try {
	own := func(r Region) bool { return r.Namespace == c.Namespace || r.Namespace == platform }
	label := Try{Rule: Label, Met: c.Region != "" || c.RegionNamespace != ""}
	if c.Region != "" {
		label.Found = matching(regions, func(r Region) bool {
			if r.Object != c.Region && r.Name != c.Region {
				return false
			}
			if c.RegionNamespace != "" {
				return r.Namespace == c.RegionNamespace
			}
			return own(r)
		})
	}
	location := Try{Rule: Location}
	if c.Location != "" {
		location.Found = matching(regions, func(r Region) bool { return own(r) && r.Cloud == c.Cloud && r.Location == c.Location })
		location.Met = len(location.Found) > 0
	}
	fallback := Try{Rule: Fallback, Found: matching(regions, func(r Region) bool { return own(r) && r.Fallback })}
	fallback.Met = len(fallback.Found) > 0
	return []Try{label, location, fallback}
}

// Choose returns the region of a cluster and the rule that chose it: the first of [Tries] whose condition is met decides, even if it ends
// in an error, which is an *Error.
func Choose(c Cluster, platform string, regions []Region) (Region, Rule, error) {
	for _, t := range Tries(c, platform, regions) {
		switch {
		case !t.Met:
		case t.Rule == Label && c.Region == "":
			return Region{}, Label, &Error{ReasonBadLabels, "there is a label for the namespace of the regional cluster, but none for its name"}
		case t.Rule == Label && len(t.Found) == 0:
			where := cmp.Or(c.RegionNamespace, c.Namespace+" or "+platform)
			return Region{}, Label, &Error{ReasonNotFound, fmt.Sprintf("the label names the regional cluster %q, and namespace %s has no accepted region of this name", c.Region, where)}
		case t.Rule == Label:
			return only(t.Found, Label, "the label names both; name the namespace in the label kof-regional-cluster-namespace")
		case t.Rule == Location:
			return only(t.Found, Location, "both are in "+c.Cloud+" "+c.Location+"; name one in the label kof-regional-cluster-name")
		default:
			return only(t.Found, Fallback, "both are marked as fallback; name one in the label kof-regional-cluster-name, or unmark one")
		}
	}
	place := "the cluster's place is not known"
	if c.Location != "" {
		place = "there is no region in " + c.Cloud + " " + c.Location
	}
	return Region{}, Fallback, &Error{ReasonNoRegion, "no label names a region, " + place + ", and no region is marked as fallback"}
}

func matching(regions []Region, matches func(Region) bool) []Region {
	var out []Region
	for _, r := range regions {
		if matches(r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b Region) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Object, b.Object))
	})
	return out
}

func only(found []Region, rule Rule, remedy string) (Region, Rule, error) {
	if len(found) == 1 {
		return found[0], rule, nil
	}
	all := make([]string, len(found))
	for i, r := range found {
		all[i] = r.String()
	}
	return Region{}, rule, &Error{ReasonTie, "tie between " + strings.Join(all, " and ") + ": " + remedy}
}
