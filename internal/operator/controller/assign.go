// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/choice"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/internal/operator/regions"
)

// maxHistory is how many decisions a status keeps.
const maxHistory = 10

// assignment decides where a cluster sends, keeps that, and publishes what follows. bad is why its ClusterDeployment can't be used.
func (r *clusters) assignment(ctx context.Context, cd *kcm.ClusterDeployment, config kcm.Config, bad error) (time.Duration, error) {
	w, err := r.world.Load(ctx, r.client)
	if err != nil {
		return 0, err
	}
	chosen, rule, failed := choice.Choose(regions.Wanted(cd, config), r.SystemNamespace, w.Candidates)
	if bad != nil {
		failed = &choice.Error{Reason: choice.ReasonBadDeployment, Message: regions.Short(bad.Error())}
	}
	now := r.now().Truncate(time.Second) // as the API keeps it
	plan := func(reader client.Reader) (*v1beta1.RegionAssignment, choice.Step, v1beta1.RegionAssignmentSpec, error) {
		a := &v1beta1.RegionAssignment{}
		if err := reader.Get(ctx, client.ObjectKeyFromObject(cd), a); client.IgnoreNotFound(err) != nil {
			return nil, choice.Step{}, a.Spec, err
		}
		step := choice.Plan(regions.State(a.Spec), chosen, rule, failed, w.Candidates, now, r.Rehoming)
		return a, step, regions.Assignment(cd.TelemetryName(), step.State), nil
	}
	a, step, spec, err := plan(r.client)
	changed := err == nil && (a.UID == "" || !equality.Semantic.DeepEqual(a.Spec, spec))
	if changed {
		a, step, spec, err = plan(r.direct) // the cache may be older than the last decision
	}
	if err != nil {
		return 0, err
	}
	version, old := a.ResourceVersion, a.DeepCopy()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&spec)
	if err != nil {
		return 0, err
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": content}}
	u.SetGroupVersionKind(v1beta1.GroupVersion.WithKind("RegionAssignment"))
	u.SetNamespace(cd.Namespace)
	u.SetName(cd.Name)
	u.SetLabels(map[string]string{output.LabelManagedBy: output.ManagedBy})
	if changed {
		u.SetResourceVersion(version)
	}
	uid, wrote, err := r.apply(ctx, u, ownedBy(kcm.GroupVersion.String(), "ClusterDeployment", cd.Name, cd.UID))
	if err != nil {
		return 0, err
	}
	if a.UID == "" || wrote {
		a.Name, a.Namespace, a.UID, a.Generation = cd.Name, cd.Namespace, uid, max(a.Generation, u.GetGeneration())
		old.Name, old.Namespace, old.UID = a.Name, a.Namespace, uid
	}
	a.Spec = spec
	if step.Event != "" {
		r.tell(cd, a, step, now)
	}
	after := step.After
	var published error
	_, known := w.ByName[spec.Region]
	if spec.Region != "" && known {
		var next time.Duration
		next, published = r.publish(ctx, cd, config, a, w)
		after = sooner(after, next)
	}
	r.conditions(cd, a, step.Pending, known, published)
	if !equality.Semantic.DeepEqual(old.Status, a.Status) {
		if err := r.client.Status().Patch(ctx, a, client.MergeFrom(old)); err != nil {
			return 0, errors.Join(published, err)
		}
	}
	var values *valuesError
	if errors.As(published, &values) {
		published = nil // said in a condition; only a person can mend it
	}
	return after, published
}

// tell puts a decision into the history and into Kubernetes Events.
func (r *clusters) tell(cd *kcm.ClusterDeployment, a *v1beta1.RegionAssignment, step choice.Step, now time.Time) {
	d := v1beta1.Decision{Time: metav1.NewTime(now), Event: step.Event, Region: a.Spec.Region, Rule: a.Spec.Rule}
	if a.Spec.Moving != nil {
		d.Other = a.Spec.Moving.Other
	}
	a.Status.History = append([]v1beta1.Decision{d}, a.Status.History...)
	a.Status.History = a.Status.History[:min(len(a.Status.History), maxHistory)]
	decisions.WithLabelValues(step.Event).Inc()
	message := fmt.Sprintf("region %q by rule %s", d.Region, d.Rule)
	if d.Other != "" {
		message += fmt.Sprintf(", %s: %q", a.Spec.Moving.Phase, d.Other)
	}
	r.recorder.Eventf(cd, a, corev1.EventTypeNormal, step.Event, "Assign", "%s", message)
}

func (r *clusters) conditions(cd *kcm.ClusterDeployment, a *v1beta1.RegionAssignment, pending *choice.Error, known bool, published error) {
	a.Status.ObservedGeneration = a.Generation
	set := func(kind string, ok bool, reason, message string) {
		status := metav1.ConditionFalse
		if ok {
			status = metav1.ConditionTrue
		}
		was := meta.FindStatusCondition(a.Status.Conditions, kind)
		if !ok && (was == nil || was.Reason != reason) {
			kindOf := corev1.EventTypeWarning
			if reason == choice.Preparing || reason == choice.Draining {
				kindOf = corev1.EventTypeNormal
			}
			r.recorder.Eventf(cd, a, kindOf, reason, "Assign", "%s", regions.Short(message))
		}
		meta.SetStatusCondition(&a.Status.Conditions, metav1.Condition{Type: kind, Status: status, Reason: reason, Message: message, ObservedGeneration: a.Generation})
	}
	switch {
	case a.Spec.Region == "" && pending != nil:
		set(v1beta1.ConditionAssigned, false, pending.Reason, pending.Message)
	case a.Spec.Region != "" && !known:
		set(v1beta1.ConditionAssigned, false, "RegionGone", fmt.Sprintf("region %q is gone; the agents hold what they collect, until the region is back or the label kof-regional-cluster-name names another", a.Spec.Region))
	case a.Spec.Region != "":
		set(v1beta1.ConditionAssigned, true, a.Spec.Rule, fmt.Sprintf("region %q by rule %s", a.Spec.Region, a.Spec.Rule))
	}
	switch {
	case a.Spec.Moving != nil:
		set(v1beta1.ConditionSettled, false, a.Spec.Moving.Phase, fmt.Sprintf("%s; the other region is %q", a.Spec.Moving.Phase, a.Spec.Moving.Other))
	case pending != nil:
		set(v1beta1.ConditionSettled, false, pending.Reason, pending.Message)
	default:
		set(v1beta1.ConditionSettled, true, "AsAsked", "the region is the one that labels and place ask for")
	}
	var values *valuesError
	if errors.As(published, &values) {
		set(v1beta1.ConditionValuesValid, false, "BadValues", regions.Short(values.Error()))
	} else if published == nil {
		set(v1beta1.ConditionValuesValid, true, "Read", "")
	}
	switch {
	case !known:
		set(v1beta1.ConditionPublished, false, "NoRegion", "what was published before, if anything, stays")
	case published != nil:
		set(v1beta1.ConditionPublished, false, "Failed", regions.Short(published.Error()))
	default:
		set(v1beta1.ConditionPublished, true, "UpToDate", "")
	}
	slices.SortFunc(a.Status.Conditions, byType)
}
