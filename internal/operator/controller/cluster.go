// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/credential"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/internal/operator/regions"
)

// reconciler is what the three kinds of reconciliation share.
type reconciler struct {
	Options
	writer
	world    *regions.Cache
	recorder events.EventRecorder
}

// clusters reconciles ClusterDeployments: the Region of a regional one, the RegionAssignment and its outputs of both roles.
type clusters struct{ *reconciler }

// +kubebuilder:rbac:groups=k0rdent.mirantis.com,resources=clusterdeployments,verbs=get;list;watch
// +kubebuilder:rbac:groups=kof.k0rdent.mirantis.com,resources=regions;regionassignments,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups=kof.k0rdent.mirantis.com,resources=regions/status;regionassignments/status;promxyservergroups/status,verbs=patch
// +kubebuilder:rbac:groups="",resources=secrets;configmaps,verbs=get;list;watch;create;patch;delete,namespace=kof
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings one ClusterDeployment's outputs up to date. What is being deleted still sends until it is gone.
func (r *clusters) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	var cd kcm.ClusterDeployment
	if err := r.client.Get(ctx, req.NamespacedName, &cd); err != nil {
		if !apierrors.IsNotFound(err) {
			return ctrl.Result{}, err
		}
		return ctrl.Result{}, errors.Join(r.dropRegion(ctx, req.NamespacedName), r.dropAssignment(ctx, req.NamespacedName))
	}
	role := cd.Labels[kcm.LabelRole]
	config, configErr := cd.Config()
	var regionErr error
	switch {
	case role != kcm.RoleRegional:
		regionErr = r.dropRegion(ctx, req.NamespacedName)
	case configErr == nil:
		regionErr = r.region(ctx, &cd, config)
	}
	if role != kcm.RoleRegional && role != kcm.RoleChild {
		return ctrl.Result{}, errors.Join(regionErr, r.dropAssignment(ctx, req.NamespacedName))
	}
	after, err := r.assignment(ctx, &cd, config, errors.Join(configErr, unusable(regionErr)))
	return ctrl.Result{RequeueAfter: after}, errors.Join(again(regionErr), err)
}

// region writes the Region of a regional cluster.
func (r *clusters) region(ctx context.Context, cd *kcm.ClusterDeployment, config kcm.Config) error {
	wanted := regions.SpecOf(cd, config)
	spec, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&wanted)
	if err != nil {
		return err
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetGroupVersionKind(v1beta1.GroupVersion.WithKind("Region"))
	u.SetNamespace(cd.Namespace)
	u.SetName(cd.Name)
	u.SetLabels(map[string]string{output.LabelManagedBy: output.ManagedBy})
	_, _, err = r.apply(ctx, u, ownedBy(kcm.GroupVersion.String(), "ClusterDeployment", cd.Name, cd.UID))
	return err
}

// dropRegion deletes the Region of what is no regional cluster any more. One written by hand stays.
func (r *clusters) dropRegion(ctx context.Context, key types.NamespacedName) error {
	var region v1beta1.Region
	if err := r.client.Get(ctx, key, &region); err != nil {
		return client.IgnoreNotFound(err)
	}
	if region.Labels[output.LabelManagedBy] != output.ManagedBy || region.DeletionTimestamp != nil {
		return nil
	}
	return r.delete(ctx, &region)
}

// dropAssignment deletes everything of what sends no more.
func (r *clusters) dropAssignment(ctx context.Context, key types.NamespacedName) error {
	if err := r.keepOnly(ctx, clusterOwner(key), nil); err != nil {
		return err
	}
	var a v1beta1.RegionAssignment
	if err := r.client.Get(ctx, key, &a); err != nil {
		return client.IgnoreNotFound(err)
	}
	return r.delete(ctx, &a)
}

// publish writes the outputs of a cluster that has a region.
func (r *clusters) publish(ctx context.Context, cd *kcm.ClusterDeployment, config kcm.Config, a *v1beta1.RegionAssignment, w *regions.Set) (time.Duration, error) {
	o := clusterOwner(client.ObjectKeyFromObject(cd))
	owner := ownedBy(v1beta1.GroupVersion.String(), "RegionAssignment", a.Name, a.UID)
	c := output.Cluster{
		Owner: o, TelemetryName: a.Spec.ClusterName, Tenant: cd.Labels[kcm.LabelTenant], Region: a.Spec.Region, Regions: w.Needed(a.Spec),
		Logins: map[string]credential.Login{}, Values: config.Annotations[kcm.AnnotationCollectors],
	}
	var after time.Duration
	keep := map[string]bool{}
	for _, region := range c.Regions {
		name := output.LoginName(o, region.Name)
		s, next, err := r.login(ctx, o, owner, name, region.Name, output.UserName(o, region.Name), cd.Annotations[kcm.AnnotationRotate])
		if err != nil {
			return 0, err
		}
		c.Logins[region.Name] = s.Current
		keep["Secret/"+name] = true
		after = sooner(after, next)
	}
	objects, err := output.ClusterObjects(c, r.AgentNamespace)
	if err != nil {
		return after, &valuesError{kcm.AnnotationCollectors, err}
	}
	if cd.Labels[kcm.LabelRole] == kcm.RoleRegional {
		storage, err := o.StorageValues(cd.Name, config.Annotations[kcm.AnnotationStorageClass], config.Annotations[kcm.AnnotationCertEmail],
			config.Annotations[kcm.AnnotationDomain], config.Annotations[kcm.AnnotationStorage])
		if err != nil {
			return after, &valuesError{kcm.AnnotationStorage, err}
		}
		objects = append(objects, storage)
	}
	for _, u := range objects {
		if _, _, err := r.apply(ctx, u, owner); err != nil {
			return after, err
		}
		keep[u.GetKind()+"/"+u.GetName()] = true
	}
	return after, r.keepOnly(ctx, o, keep)
}

// valuesError is of an annotation with values that can't be used. What was published before stays.
type valuesError struct {
	annotation string
	err        error
}

func (e *valuesError) Error() string {
	return "spec.config.clusterAnnotations[" + e.annotation + "]: " + e.err.Error()
}

func clusterOwner(key types.NamespacedName) output.Owner {
	return output.Owner{Kind: output.OwnerCluster, Namespace: key.Namespace, Name: key.Name}
}

func ownedBy(version, kind, name string, uid types.UID) *metav1.OwnerReference {
	yes := true
	return &metav1.OwnerReference{APIVersion: version, Kind: kind, Name: name, UID: uid, Controller: &yes}
}

// unusable returns an error that only a person can mend: it goes into a condition; again returns any other, to be tried again.
func unusable(err error) error {
	if apierrors.IsInvalid(err) || errors.Is(err, errNotOurs) {
		return err
	}
	return nil
}

func again(err error) error {
	if unusable(err) != nil {
		return nil
	}
	return err
}

// sooner returns the shorter of two durations, where 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
