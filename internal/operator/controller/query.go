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
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/output"
	"github.com/k0rdent/kof/internal/operator/regions"
)

// platform reconciles what is there once: the region directory, Promxy's configuration, the rules, the data source of Promxy and the MultiClusterServices.
type platform struct{ *reconciler }

// resync is how often Secrets that others keep are looked at: only single ones may be read, so that they can't be watched.
const resync = 5 * time.Minute

// +kubebuilder:rbac:groups=k0rdent.mirantis.com,resources=multiclusterservices,verbs=get;list;watch;create;patch

// Reconcile brings all of it up to date; the request says nothing.
func (r *platform) Reconcile(ctx context.Context, _ ctrl.Request) (ctrl.Result, error) {
	var errs []error
	w, err := r.world.Load(ctx, r.client)
	if err != nil {
		return ctrl.Result{}, err
	}
	errs = append(errs, r.directory(ctx, w), r.promxy(ctx), r.rules(ctx))
	if r.has(output.DatasourceKind) {
		_, _, err := r.apply(ctx, output.MetricsDatasource(r.SystemNamespace, r.PromxyURL), nil)
		errs = append(errs, err)
	}
	if r.has(serviceKind) {
		for _, u := range output.Services(r.CollectorsTemplate, r.StorageTemplate, r.AgentNamespace) {
			_, _, err := r.apply(ctx, u, nil)
			errs = append(errs, err)
		}
	}
	return ctrl.Result{RequeueAfter: resync}, errors.Join(errs...)
}

// directory keeps the directory for collectors on the management cluster. None of no region: agents would refuse an empty one.
func (r *platform) directory(ctx context.Context, w *regions.Set) error {
	u := output.DirectoryConfigMap(r.SystemNamespace, w.Specs)
	if len(w.Specs) > 0 {
		_, _, err := r.apply(ctx, u, nil)
		return err
	}
	var old corev1.ConfigMap
	err := r.client.Get(ctx, client.ObjectKeyFromObject(u), &old)
	if err != nil || old.DeletionTimestamp != nil {
		return client.IgnoreNotFound(err)
	}
	return r.delete(ctx, &old)
}

// promxy keeps Promxy's configuration. A group that can't be used is left out and says so itself.
func (r *platform) promxy(ctx context.Context) error {
	var list v1beta1.PromxyServerGroupList
	if err := r.client.List(ctx, &list); err != nil {
		return err
	}
	items := slices.DeleteFunc(list.Items, func(g v1beta1.PromxyServerGroup) bool { return g.DeletionTimestamp != nil })
	slices.SortFunc(items, func(a, b v1beta1.PromxyServerGroup) int {
		return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	var groups []output.Group
	var errs []error
	named := map[string]string{}
	problems := make([]*badGroup, len(items))
	for i, g := range items {
		id := client.ObjectKeyFromObject(&g).String()
		group, err := r.group(ctx, &g)
		if other, taken := named[g.Spec.ClusterName]; err == nil && taken {
			err = &badGroup{"NameTaken", fmt.Sprintf("the cluster name %q is that of %s, which is older", g.Spec.ClusterName, other)}
		}
		var bad *badGroup
		switch {
		case errors.As(err, &bad):
			problems[i] = bad
		case err != nil:
			return err // as long as it isn't known which groups there are, nothing is changed
		default:
			named[g.Spec.ClusterName] = id
			groups = append(groups, group)
		}
	}
	_, wrote, err := r.apply(ctx, output.PromxySecret(r.SystemNamespace, groups), nil)
	if err != nil {
		return err
	}
	if wrote {
		promxyWrites.Inc()
	}
	for i := range items {
		errs = append(errs, r.groupStatus(ctx, &items[i], problems[i]))
	}
	return errors.Join(errs...)
}

type badGroup struct{ reason, message string }

func (b *badGroup) Error() string { return b.message }

func (r *platform) group(ctx context.Context, g *v1beta1.PromxyServerGroup) (output.Group, error) {
	out := output.Group{Spec: g.Spec, Identity: client.ObjectKeyFromObject(g).String()}
	h := g.Spec.HTTPClient
	if h == nil {
		return out, nil
	}
	if b := h.BasicAuth; b != nil {
		texts, err := r.secret(ctx, g.Namespace, b.SecretName, cmp.Or(b.UsernameKey, "username"), cmp.Or(b.PasswordKey, "password"))
		if err != nil {
			return out, err
		}
		out.Login = &output.Login{Username: texts[0], Password: texts[1]}
	}
	if h.TLS != nil && h.TLS.CASecret != nil {
		texts, err := r.secret(ctx, g.Namespace, h.TLS.CASecret.Name, cmp.Or(h.TLS.CASecret.Key, "ca.crt"))
		if err != nil {
			return out, err
		}
		out.CA = texts[0]
	}
	return out, nil
}

// secret reads keys of a Secret. Those of the operator are in the cache, those of others are not.
func (r *platform) secret(ctx context.Context, namespace, name string, keys ...string) ([]string, error) {
	id := types.NamespacedName{Namespace: namespace, Name: name}
	var s corev1.Secret
	err := r.client.Get(ctx, id, &s)
	if apierrors.IsNotFound(err) {
		err = r.direct.Get(ctx, id, &s)
	}
	if apierrors.IsNotFound(err) {
		return nil, &badGroup{"SecretNotFound", fmt.Sprintf("there is no Secret %s", id)}
	}
	if err != nil {
		return nil, err
	}
	out := make([]string, len(keys))
	for i, key := range keys {
		if out[i] = string(s.Data[key]); out[i] == "" {
			return nil, &badGroup{"SecretIncomplete", fmt.Sprintf("Secret %s has no key %q, or nothing in it", id, key)}
		}
	}
	return out, nil
}

func (r *platform) groupStatus(ctx context.Context, g *v1beta1.PromxyServerGroup, bad *badGroup) error {
	old := g.DeepCopy()
	c := metav1.Condition{Type: v1beta1.ConditionPublished, Status: metav1.ConditionTrue, Reason: "UpToDate", ObservedGeneration: g.Generation}
	if bad != nil {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, bad.reason, bad.message
		if was := meta.FindStatusCondition(g.Status.Conditions, c.Type); was == nil || was.Reason != bad.reason {
			r.recorder.Eventf(g, nil, corev1.EventTypeWarning, bad.reason, "Publish", "%s", bad.message)
		}
	}
	g.Status.ObservedGeneration = g.Generation
	meta.SetStatusCondition(&g.Status.Conditions, c)
	if equality.Semantic.DeepEqual(old.Status, g.Status) {
		return nil
	}
	return client.IgnoreNotFound(r.client.Status().Patch(ctx, g, client.MergeFrom(old)))
}
