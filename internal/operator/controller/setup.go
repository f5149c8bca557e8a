// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/internal/operator/regions"
)

// settle is how long a Region waits after a change of one of its clusters: a thousand clusters at once are a few writes then.
const settle = time.Second

// AddToScheme makes every kind that is read typed known to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, v1beta1.AddToScheme, kcm.AddToScheme} {
		if err := add(s); err != nil {
			return err
		}
	}
	return nil
}

// Setup adds the controllers to a manager. Kinds of other operators that aren't installed are left out until the next start.
func Setup(ctx context.Context, mgr ctrl.Manager, o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	r := &reconciler{
		Options: o, world: &regions.Cache{}, recorder: mgr.GetEventRecorder(output.ManagedBy),
		writer: writer{client: mgr.GetClient(), direct: mgr.GetAPIReader(), kinds: map[string]bool{}},
	}
	optional := map[string]schema.GroupVersionKind{}
	for kind, version := range map[string]string{
		output.DatasourceKind: output.GrafanaVersion, vmUserKind: vmUserVersion, serviceKind: kcm.GroupVersion.String(),
	} {
		gvk := schema.FromAPIVersionAndKind(version, kind)
		_, err := mgr.GetRESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
		if err != nil && !meta.IsNoMatchError(err) {
			return err
		}
		if r.kinds[kind] = err == nil; r.kinds[kind] {
			optional[kind] = gvk
		} else {
			mgr.GetLogger().Info("kind is not installed; what needs it is left out", "kind", gvk.String())
		}
	}
	err := mgr.GetFieldIndexer().IndexField(ctx, &v1beta1.RegionAssignment{}, indexRegion, func(object client.Object) []string {
		spec := object.(*v1beta1.RegionAssignment).Spec
		out := []string{spec.Region}
		if spec.Moving != nil {
			out = append(out, spec.Moving.Other)
		}
		return out
	})
	if err != nil {
		return err
	}
	if err := r.setupClusters(mgr); err != nil {
		return err
	}
	if err := r.setupRegions(mgr, optional); err != nil {
		return err
	}
	if err := r.setupPlatform(mgr, optional); err != nil {
		return err
	}
	return mgr.Add(manager.RunnableFunc(func(ctx context.Context) error {
		counted := states{mgr.GetClient(), o}
		if err := metrics.Registry.Register(counted); err != nil {
			return err
		}
		<-ctx.Done()
		metrics.Registry.Unregister(counted)
		return nil
	}))
}

func (r *reconciler) setupClusters(mgr ctrl.Manager) error {
	byAssignment := handler.EnqueueRequestForOwner(mgr.GetScheme(), mgr.GetRESTMapper(), &v1beta1.RegionAssignment{})
	byCluster := handler.EnqueueRequestForOwner(mgr.GetScheme(), mgr.GetRESTMapper(), &kcm.ClusterDeployment{})
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	return ctrl.NewControllerManagedBy(mgr).Named("clusters").
		For(&kcm.ClusterDeployment{}, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{},
			predicate.LabelChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&v1beta1.RegionAssignment{}, &handler.EnqueueRequestForObject{}, changed).
		Watches(&v1beta1.Region{}, byCluster, changed).
		Watches(&v1beta1.Region{}, delayed(r.allClusters), changed).
		Watches(&corev1.Secret{}, byAssignment).
		Watches(&corev1.ConfigMap{}, byAssignment).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.Workers}).
		Complete(&clusters{r})
}

func (r *reconciler) setupRegions(mgr ctrl.Manager, optional map[string]schema.GroupVersionKind) error {
	byRegion := handler.EnqueueRequestForOwner(mgr.GetScheme(), mgr.GetRESTMapper(), &v1beta1.Region{})
	changed := builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))
	b := ctrl.NewControllerManagedBy(mgr).Named("regions").
		For(&v1beta1.Region{}, changed).
		Watches(&v1beta1.Region{}, delayed(r.allRegions), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Secret{}, byRegion).
		Watches(&v1beta1.PromxyServerGroup{}, byRegion, changed).
		Watches(&corev1.Secret{}, delayed(r.regionOfLogin)).
		Watches(&v1beta1.RegionAssignment{}, delayed(r.regionsOfAssignment), changed)
	for _, kind := range []string{output.DatasourceKind, vmUserKind} {
		if gvk, installed := optional[kind]; installed {
			b = b.Watches(unstructuredOf(gvk), byRegion, changed)
		}
	}
	return b.Complete(&regionOutputs{r})
}

func (r *reconciler) setupPlatform(mgr ctrl.Manager, optional map[string]schema.GroupVersionKind) error {
	once := delayed(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: "platform"}}}
	})
	ours := builder.WithPredicates(predicate.NewPredicateFuncs(func(o client.Object) bool {
		part := o.GetLabels()[output.LabelPart]
		_, rules := o.GetLabels()[LabelRules]
		_, budgets := o.GetLabels()[LabelBudgets]
		return rules || budgets || part == output.PartRules || part == output.PartPromxy || part == output.PartDirectory ||
			part == output.PartLogin && o.GetLabels()[output.LabelOwnerKind] == output.OwnerRegion
	}))
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	b := ctrl.NewControllerManagedBy(mgr).Named("platform").
		Watches(&v1beta1.Region{}, once, changed).
		Watches(&v1beta1.PromxyServerGroup{}, once, changed).
		Watches(&corev1.Secret{}, once, ours).
		Watches(&corev1.ConfigMap{}, once, ours).
		WatchesRawSource(start{})
	if gvk, installed := optional[serviceKind]; installed {
		b = b.Watches(unstructuredOf(gvk), once, changed, builder.WithPredicates(predicate.NewPredicateFuncs(func(o client.Object) bool {
			return o.GetLabels()[output.LabelManagedBy] == output.ManagedBy
		})))
	}
	return b.Complete(&platform{r})
}

// start makes the one request of the platform, so that its outputs are there before the first Region is.
type start struct{}

func (start) Start(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Name: "platform"}})
	return nil
}

func (r *reconciler) allClusters(ctx context.Context, _ client.Object) []reconcile.Request {
	return requests(ctx, r.client, &kcm.ClusterDeploymentList{}, client.HasLabels{kcm.LabelRole})
}

// allRegions: one that comes or goes changes which others count.
func (r *reconciler) allRegions(ctx context.Context, _ client.Object) []reconcile.Request {
	return requests(ctx, r.client, &v1beta1.RegionList{})
}

func requests(ctx context.Context, c client.Client, list client.ObjectList, opts ...client.ListOption) []reconcile.Request {
	var out []reconcile.Request
	if err := c.List(ctx, list, append(opts, client.UnsafeDisableDeepCopy)...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "what a change concerns could not be listed")
		return nil
	}
	_ = meta.EachListItem(list, func(o runtime.Object) error {
		out = append(out, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(o.(client.Object))})
		return nil
	})
	return out
}

func (r *reconciler) regionOfLogin(ctx context.Context, o client.Object) []reconcile.Request {
	if o.GetLabels()[output.LabelPart] != output.PartLogin || o.GetLabels()[output.LabelOwnerKind] != output.OwnerCluster {
		return nil
	}
	return r.regionsNamed(ctx, o.GetLabels()[output.LabelRegion])
}

func (r *reconciler) regionsOfAssignment(ctx context.Context, o client.Object) []reconcile.Request {
	spec := o.(*v1beta1.RegionAssignment).Spec
	out := r.regionsNamed(ctx, spec.Region)
	if spec.Moving != nil {
		out = append(out, r.regionsNamed(ctx, spec.Moving.Other)...)
	}
	return out
}

func (r *reconciler) regionsNamed(ctx context.Context, name string) []reconcile.Request {
	w, err := r.world.Load(ctx, r.client)
	if err != nil {
		return nil
	}
	if key, found := w.Objects[name]; found {
		return []reconcile.Request{{NamespacedName: key}}
	}
	return nil
}

// delayed maps an event to requests, and lets what comes at once become one reconciliation.
func delayed(of func(context.Context, client.Object) []reconcile.Request) handler.Funcs {
	add := func(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], objects ...client.Object) {
		for _, o := range objects {
			for _, request := range of(ctx, o) {
				q.AddAfter(request, settle)
			}
		}
	}
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, q, e.Object)
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, q, e.ObjectOld, e.ObjectNew)
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			add(ctx, q, e.Object)
		},
	}
}

func unstructuredOf(gvk schema.GroupVersionKind) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	return u
}
