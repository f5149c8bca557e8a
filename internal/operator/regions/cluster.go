// SPDX-License-Identifier: Apache-2.0

package regions

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/choice"
	"github.com/k0rdent/kof/internal/operator/kcm"
)

// Wanted returns what a cluster's labels and place ask for. A regional cluster sends to itself.
func Wanted(cd *kcm.ClusterDeployment, config kcm.Config) choice.Cluster {
	out := choice.Cluster{Namespace: cd.Namespace, Region: cd.Labels[kcm.LabelRegional], RegionNamespace: cd.Labels[kcm.LabelRegionalNamespace]}
	out.Cloud, out.Location = cd.Place(config)
	if cd.Labels[kcm.LabelRole] == kcm.RoleRegional {
		out.Region, out.RegionNamespace = cd.Name, cd.Namespace
	}
	return out
}

// SpecOf is the Region of a regional cluster, as far as it follows from its ClusterDeployment.
func SpecOf(cd *kcm.ClusterDeployment, config kcm.Config) v1beta1.RegionSpec {
	cloud, location := cd.Place(config)
	return v1beta1.RegionSpec{
		Name: cd.TelemetryName(), ClusterDeployment: cd.Name, Cloud: cloud, Location: location,
		Domain: config.Annotations[kcm.AnnotationDomain], Zone: config.Annotations[kcm.AnnotationZone],
	}
}

// State reads the state of a plan from where it is kept.
func State(s v1beta1.RegionAssignmentSpec) choice.State {
	out := choice.State{Region: s.Region, Zone: s.Zone, Rule: choice.Rule(s.Rule)}
	if s.Since != nil {
		out.Since = s.Since.Time
	}
	if m := s.Moving; m != nil {
		out.Phase, out.Other, out.OtherRule, out.PhaseSince = m.Phase, m.Other, choice.Rule(m.Rule), m.Since.Time
	}
	return out
}

// Assignment is how the state of a plan is kept.
func Assignment(name string, s choice.State) v1beta1.RegionAssignmentSpec {
	out := v1beta1.RegionAssignmentSpec{ClusterName: name, Region: s.Region, Zone: s.Zone, Rule: string(s.Rule)}
	if !s.Since.IsZero() {
		out.Since = &metav1.Time{Time: s.Since}
	}
	if s.Phase != "" {
		out.Moving = &v1beta1.Moving{Phase: s.Phase, Other: s.Other, Rule: string(s.OtherRule), Since: metav1.NewTime(s.PhaseSince)}
	}
	return out
}
