// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/internal/operator/regions"
)

// regionOutputs reconciles Regions: who may write to and read from them, Promxy's group and Grafana's data sources.
type regionOutputs struct{ *reconciler }

// indexRegion finds RegionAssignments by the regions that they name.
const indexRegion = "region"

// +kubebuilder:rbac:groups=kof.k0rdent.mirantis.com,resources=promxyservergroups,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=grafana.integreatly.org,resources=grafanadatasources,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=operator.victoriametrics.com,resources=vmusers,verbs=get;list;watch;create;patch;delete

// Reconcile brings one Region's outputs up to date.
func (r *regionOutputs) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	o := output.Owner{Kind: output.OwnerRegion, Namespace: req.Namespace, Name: req.Name}
	region := &v1beta1.Region{}
	if err := r.client.Get(ctx, req.NamespacedName, region); err != nil {
		if !apierrors.IsNotFound(err) {
			return ctrl.Result{}, err
		}
		return ctrl.Result{}, r.keepOnly(ctx, o, nil)
	}
	if region.DeletionTimestamp != nil {
		return ctrl.Result{}, r.keepOnly(ctx, o, nil)
	}
	w, err := r.world.Load(ctx, r.client)
	if err != nil {
		return ctrl.Result{}, err
	}
	old := region.DeepCopy()
	var after time.Duration
	var published error
	refused, isRefused := w.Refused[req.NamespacedName]
	if isRefused {
		published = r.keepOnly(ctx, o, nil)
		region.Status.Clusters = 0
	} else {
		after, published = r.publish(ctx, region, o, w)
	}
	r.conditions(region, refused, isRefused, published)
	if !equality.Semantic.DeepEqual(old.Status, region.Status) {
		published = errors.Join(published, r.client.Status().Patch(ctx, region, client.MergeFrom(old)))
	}
	return ctrl.Result{RequeueAfter: after}, client.IgnoreNotFound(published)
}

func (r *regionOutputs) publish(ctx context.Context, region *v1beta1.Region, o output.Owner, w *regions.Set) (time.Duration, error) {
	owner := ownedBy(v1beta1.GroupVersion.String(), "Region", region.Name, region.UID)
	users, clusters, err := r.users(ctx, region.Spec, w)
	if err != nil {
		return 0, err
	}
	region.Status.Clusters = int32(clusters)
	reader, after, err := r.login(ctx, o, owner, output.ReaderName(region.Name), region.Spec.Name,
		output.UserName(o, "query"), region.Annotations[kcm.AnnotationRotate])
	if err != nil {
		return 0, err
	}
	// A region that nothing can be asked of, or nothing can be sent to, has no such user: VMUsers have at least one route.
	users = slices.DeleteFunc(users, func(u output.User) bool { return len(u.Targets) == 0 })
	if len(output.ReadTargets(region.Spec)) > 0 {
		users = append(users, output.User{Name: "query", Logins: reader.Valid(), Targets: output.ReadTargets(region.Spec)})
	}

	var objects []*unstructured.Unstructured
	switch {
	case region.Spec.ClusterDeployment != "":
		objects = o.UserBundles(region.Spec.ClusterDeployment, r.AgentNamespace, users)
		for _, u := range objects {
			if size := len(fmt.Sprint(u.Object["data"])); size > output.MaxShardBytes {
				return 0, fmt.Errorf("the users of the region need %d bytes in Secret %s; allowed: %d", size, u.GetName(), output.MaxShardBytes)
			}
		}
	case r.has(vmUserKind):
		objects = o.LocalUsers(users)
	}
	if group := o.ServerGroup(region.Spec); group != nil {
		objects = append(objects, group)
	}
	if r.has(output.DatasourceKind) {
		objects = append(objects, o.Datasources(region.Spec)...)
	}
	keep := map[string]bool{"Secret/" + output.ReaderName(region.Name): true}
	var errs []error
	for _, u := range objects {
		keep[u.GetKind()+"/"+u.GetName()] = true
		_, _, err := r.apply(ctx, u, owner)
		errs = append(errs, err)
	}
	errs = append(errs, r.keepOnly(ctx, o, keep))
	return after, errors.Join(errs...)
}

// users returns who may write to a region, by the assignments: a Secret alone, which others may be able to make, gives no access. Counted
// are the clusters that name the region.
func (r *regionOutputs) users(ctx context.Context, spec v1beta1.RegionSpec, w *regions.Set) ([]output.User, int, error) {
	homes := []string{spec.Name}
	for _, other := range w.Specs {
		if other.Name != spec.Name && slices.Contains(output.StandIns(other, w.ByName), spec.Name) {
			homes = append(homes, other.Name)
		}
	}
	seen := map[types.NamespacedName]bool{}
	var users []output.User
	clusters := 0
	for i, home := range homes {
		var list v1beta1.RegionAssignmentList
		if err := r.client.List(ctx, &list, client.MatchingFields{indexRegion: home}); err != nil {
			return nil, 0, err
		}
		if i == 0 {
			clusters = len(list.Items)
		}
		for _, a := range list.Items {
			key := client.ObjectKeyFromObject(&a)
			if seen[key] {
				continue
			}
			seen[key] = true
			o := clusterOwner(key)
			var secret corev1.Secret
			err := r.client.Get(ctx, types.NamespacedName{Namespace: a.Namespace, Name: output.LoginName(o, spec.Name)}, &secret)
			if client.IgnoreNotFound(err) != nil {
				return nil, 0, err
			}
			state := output.LoginState(secret.Annotations, secret.Data)
			if err != nil || state.Current.Username == "" {
				continue // not made yet
			}
			users = append(users, output.User{Name: output.UserName(o, spec.Name), Logins: state.Valid(), Targets: output.WriteTargets(spec)})
		}
	}
	slices.SortFunc(users, func(a, b output.User) int { return cmp.Compare(a.Name, b.Name) })
	return users, clusters, nil
}

func (r *regionOutputs) conditions(region *v1beta1.Region, refused regions.Refusal, isRefused bool, published error) {
	region.Status.ObservedGeneration = region.Generation
	set := func(kind string, ok bool, reason, message, action string) {
		c := metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: reason, Message: message, ObservedGeneration: region.Generation}
		if !ok {
			c.Status = metav1.ConditionFalse
			if was := meta.FindStatusCondition(region.Status.Conditions, kind); action != "" && (was == nil || was.Reason != reason) {
				r.recorder.Eventf(region, nil, corev1.EventTypeWarning, reason, action, "%s", message)
			}
		}
		meta.SetStatusCondition(&region.Status.Conditions, c)
	}
	if isRefused {
		set(v1beta1.ConditionAccepted, false, refused.Reason, refused.Message, "Accept")
	} else {
		set(v1beta1.ConditionAccepted, true, regions.ReasonAccepted, "", "")
	}
	switch {
	case published != nil:
		set(v1beta1.ConditionPublished, false, "Failed", regions.Short(published.Error()), "Publish")
	case isRefused:
		set(v1beta1.ConditionPublished, false, "NotAccepted", "", "") // said already
	case region.Spec.ClusterDeployment == "" && !r.has(vmUserKind):
		set(v1beta1.ConditionPublished, false, "NoVMUser", "the API server had no kind VMUser when the operator started: users of the region were not made", "Publish")
	default:
		set(v1beta1.ConditionPublished, true, "UpToDate", "", "")
	}
	slices.SortFunc(region.Status.Conditions, byType)
}

func byType(a, b metav1.Condition) int { return cmp.Compare(a.Type, b.Type) }
