// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/choice"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/internal/operator/regions"
)

// asked is all of a ClusterDeployment that the operator goes by.
type asked struct {
	Role, Name, Tenant string
	Choice             choice.Cluster
	Annotations        map[string]string
	Bad                string
}

func askedOf(cd *kcm.ClusterDeployment) asked {
	config, err := cd.Config()
	out := asked{
		Role: cd.Labels[kcm.LabelRole], Name: cd.TelemetryName(), Tenant: cd.Labels[kcm.LabelTenant],
		Choice: regions.Wanted(cd, config), Annotations: config.Annotations,
	}
	if err != nil {
		out.Bad = err.Error()
	}
	return out
}

// Cluster returns what would be wrong with a ClusterDeployment, and what would be so until another object changes. old is nil of a new one.
// What changes nothing that the operator goes by is fine, so that nobody is kept from mending or deleting it. assigned is where the cluster is.
// set is which of the Regions count: hundreds take a while to check, so that it isn't done for each cluster.
func Cluster(set *regions.Set, items []v1beta1.Region, platform string, old, wanted *kcm.ClusterDeployment, assigned v1beta1.RegionAssignmentSpec) (warnings []string, err error) {
	is := askedOf(wanted)
	if wanted.DeletionTimestamp != nil || is.Role == "" || old != nil && reflect.DeepEqual(askedOf(old), is) {
		return nil, nil
	}
	if is.Role != kcm.RoleChild && is.Role != kcm.RoleRegional {
		return []string{fmt.Sprintf("label %s: found %q, which KOF takes for none; allowed: %s, %s", kcm.LabelRole, is.Role, kcm.RoleChild, kcm.RoleRegional)}, nil
	}
	if is.Bad != "" {
		return nil, errors.New(is.Bad)
	}
	var errs []error
	for _, key := range []string{kcm.AnnotationCollectors, kcm.AnnotationStorage} {
		if _, err := output.MergeValues(is.Annotations[key], nil); err != nil {
			errs = append(errs, fmt.Errorf("spec.config.clusterAnnotations[%s]: %w", key, err))
		}
	}
	if is.Role == kcm.RoleRegional {
		warning, err := regional(items, wanted)
		if warning != "" {
			warnings = append(warnings, warning)
		}
		return warnings, errors.Join(append(errs, err)...)
	}
	chosen, rule, failed := choice.Choose(is.Choice, platform, set.Candidates)
	var why *choice.Error
	switch {
	case errors.As(failed, &why) && why.Reason == choice.ReasonBadLabels:
		return nil, errors.Join(append(errs, failed)...)
	case failed != nil:
		warnings = append(warnings, failed.Error())
	default:
		step := choice.Plan(regions.State(assigned), chosen, rule, nil, set.Candidates, time.Now(), choice.Timing{Prepare: time.Hour, Drain: time.Hour})
		if step.Pending != nil {
			warnings = append(warnings, step.Pending.Message)
		}
		if step.Event == choice.EventPreparing && assigned.Zone != chosen.Zone {
			warnings = append(warnings, fmt.Sprintf("the cluster's data goes from zone %q to zone %q from the re-homing on", assigned.Zone, chosen.Zone))
		}
	}
	return warnings, errors.Join(errs...)
}

// regional checks the Region that a regional cluster would have.
func regional(items []v1beta1.Region, cd *kcm.ClusterDeployment) (warning string, err error) {
	config, err := cd.Config()
	if err != nil {
		return "", err
	}
	spec := regions.SpecOf(cd, config)
	region := v1beta1.Region{Spec: spec}
	region.Namespace, region.Name = cd.Namespace, cd.Name
	var old *v1beta1.Region
	for i := range items {
		if client.ObjectKeyFromObject(&items[i]) == client.ObjectKeyFromObject(cd) {
			old = &items[i]
		}
	}
	if old == nil {
		if spec.Domain == "" {
			return fmt.Sprintf("spec.config.clusterAnnotations[%s]: missing; without it the cluster is no region", kcm.AnnotationDomain), nil
		}
		return "", Region(items, nil, region)
	}
	if old.Spec.Name != spec.Name {
		return "", fmt.Errorf("the region's name: found %q; allowed: %q, which can't change (label %s, or the ClusterDeployment's name)", spec.Name, old.Spec.Name, kcm.LabelName)
	}
	if spec.Zone != "" && spec.Zone != old.Spec.Zone || spec.Zone == "" && old.Spec.Zone != "" {
		return "", fmt.Errorf("spec.config.clusterAnnotations[%s]: found %q; allowed: %q, which can't change: make a region of another name", kcm.AnnotationZone, output.Zone(spec), output.Zone(old.Spec))
	}
	// What others set of it stays.
	region.Spec.Endpoints, region.Spec.Failover, region.Spec.Fallback = old.Spec.Endpoints, old.Spec.Failover, old.Spec.Fallback
	return "", Region(items, old, region)
}
