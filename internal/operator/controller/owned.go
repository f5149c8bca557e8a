// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/credential"
	"github.com/k0rdent/kof/internal/operator/output"
)

const (
	vmUserVersion, vmUserKind = "operator.victoriametrics.com/v1beta1", "VMUser"
	serviceKind               = "MultiClusterService"
)

// keepOnly deletes the outputs of an owner but those named in keep, as kind/name.
func (w *writer) keepOnly(ctx context.Context, o output.Owner, keep map[string]bool) error {
	lists := map[string]client.ObjectList{"Secret": &corev1.SecretList{}, "ConfigMap": &corev1.ConfigMapList{}}
	if o.Kind == output.OwnerRegion {
		lists["PromxyServerGroup"] = &v1beta1.PromxyServerGroupList{}
		for kind, version := range map[string]string{output.DatasourceKind: output.GrafanaVersion, vmUserKind: vmUserVersion} {
			if w.has(kind) {
				list := &unstructured.UnstructuredList{}
				list.SetAPIVersion(version)
				list.SetKind(kind + "List")
				lists[kind] = list
			}
		}
	}
	var errs []error
	for kind, list := range lists {
		if err := w.client.List(ctx, list, client.InNamespace(o.Namespace), client.MatchingLabels(o.Labels())); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, apimeta.EachListItem(list, func(item runtime.Object) error {
			object := item.(client.Object)
			if keep[kind+"/"+object.GetName()] || object.GetDeletionTimestamp() != nil {
				return nil
			}
			return w.delete(ctx, object)
		}))
	}
	return errors.Join(errs...)
}

// login returns the state of a login after its next step, written if it changed, and when to look again.
func (r *reconciler) login(ctx context.Context, o output.Owner, owner *metav1.OwnerReference, name, region, user, request string) (credential.State, time.Duration, error) {
	key := types.NamespacedName{Namespace: o.Namespace, Name: name}
	now := r.now()
	step := func(reader client.Reader) (credential.State, *corev1.Secret, bool, time.Duration, error) {
		var secret corev1.Secret
		err := reader.Get(ctx, key, &secret)
		if client.IgnoreNotFound(err) != nil {
			return credential.State{}, nil, false, 0, err
		}
		s, changed, after := credential.Step(output.LoginState(secret.Annotations, secret.Data), user, request, now, r.Rotation)
		return s, &secret, changed, after, nil
	}
	s, secret, changed, after, err := step(r.client)
	if err == nil && changed {
		// The cache may be older than what was written last: a step from it could make a login anew.
		s, secret, changed, after, err = step(r.direct)
	}
	if err != nil {
		return s, 0, err
	}
	u := o.LoginSecret(name, region, s)
	if changed {
		u.SetResourceVersion(secret.ResourceVersion)
	}
	if _, wrote, err := r.apply(ctx, u, owner); err != nil {
		return s, 0, err
	} else if wrote && changed {
		rotations.WithLabelValues(s.Phase).Inc()
	}
	return s, after, nil
}
