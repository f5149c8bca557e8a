// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/output"
)

// fieldOwner is the operator's name in server-side apply.
const fieldOwner = client.FieldOwner(output.ManagedBy)

// annotationApplied is the hash of what was applied last. With it, an object that still says what it should isn't written again.
const annotationApplied = "kof.k0rdent.mirantis.com/applied"

// errNotOurs is of an object of an output's name that the operator didn't make.
var errNotOurs = errors.New("an object of this name is there that the operator did not make; delete or rename it")

// writer applies and deletes outputs.
type writer struct {
	client client.Client // reads from the cache
	direct client.Reader // reads from the API server
	kinds  map[string]bool
}

// has tells whether the API server had a kind when the operator started.
func (w *writer) has(kind string) bool { return w.kinds[kind] }

// live returns what the cache holds of an object, as nested maps; nil: nothing.
func (w *writer) live(ctx context.Context, u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	var object client.Object = &unstructured.Unstructured{}
	if typed, err := w.client.Scheme().New(u.GroupVersionKind()); err == nil {
		object = typed.(client.Object)
	} else {
		object.GetObjectKind().SetGroupVersionKind(u.GroupVersionKind())
	}
	if err := w.client.Get(ctx, client.ObjectKeyFromObject(u), object); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	if found, ok := object.(*unstructured.Unstructured); ok {
		return found, nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	return &unstructured.Unstructured{Object: content}, err
}

// apply has the API server hold what u says, and writes only if it doesn't. It returns the UID and whether it wrote.
func (w *writer) apply(ctx context.Context, u *unstructured.Unstructured, owner *metav1.OwnerReference) (types.UID, bool, error) {
	if owner != nil {
		u.SetOwnerReferences([]metav1.OwnerReference{*owner})
	}
	version := u.GetResourceVersion() // of an update that has to be of what was read: no part of what is wanted
	u.SetResourceVersion("")
	hash, err := hashOf(u)
	if err != nil {
		return "", false, err
	}
	live, err := w.live(ctx, u)
	if err != nil {
		return "", false, err
	}
	if live == nil {
		// The cache has no objects of others: one of them may have the name.
		there := &metav1.PartialObjectMetadata{}
		there.SetGroupVersionKind(u.GroupVersionKind())
		err := w.direct.Get(ctx, client.ObjectKeyFromObject(u), there)
		if client.IgnoreNotFound(err) != nil {
			return "", false, err
		}
		if err == nil && there.Labels[output.LabelManagedBy] != output.ManagedBy {
			return "", false, fmt.Errorf("%s %s: %w", u.GetKind(), client.ObjectKeyFromObject(u), errNotOurs)
		}
	} else {
		if live.GetLabels()[output.LabelManagedBy] != output.ManagedBy {
			return "", false, fmt.Errorf("%s %s: %w", u.GetKind(), client.ObjectKeyFromObject(u), errNotOurs)
		}
		if live.GetAnnotations()[annotationApplied] == hash && within(u.Object, live.Object) {
			return live.GetUID(), false, nil
		}
	}
	annotations := u.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[annotationApplied] = hash
	u.SetAnnotations(annotations)
	u.SetResourceVersion(version)
	if err := w.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), fieldOwner, client.ForceOwnership); err != nil {
		return "", false, fmt.Errorf("%s %s: %w", u.GetKind(), client.ObjectKeyFromObject(u), err)
	}
	return u.GetUID(), true, nil
}

// delete removes an object if it is still the one that was seen.
func (w *writer) delete(ctx context.Context, object client.Object) error {
	uid := object.GetUID()
	err := w.client.Delete(ctx, object, client.Preconditions{UID: &uid}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if apierrors.IsConflict(err) {
		return nil // another object of the name by now
	}
	return client.IgnoreNotFound(err)
}

func hashOf(u *unstructured.Unstructured) (string, error) {
	text, err := json.Marshal(u.Object) // sorts keys
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// within tells whether everything that is wanted is there. Whatever else is there is of others: defaults, other owners' fields.
func within(wanted, there any) bool {
	switch w := wanted.(type) {
	case map[string]any:
		t, ok := there.(map[string]any)
		if !ok {
			return len(w) == 0 && there == nil
		}
		for k, v := range w {
			if !within(v, t[k]) {
				return false
			}
		}
		return true
	case []any:
		t, ok := there.([]any)
		if !ok || len(w) != len(t) {
			return len(w) == 0 && there == nil
		}
		for i := range w {
			if !within(w[i], t[i]) {
				return false
			}
		}
		return true
	case int, int32, int64, float64:
		return fmt.Sprint(w) == fmt.Sprint(there)
	case bool:
		t, _ := there.(bool) // left out: false
		return w == t
	case string:
		t, _ := there.(string) // left out: ""
		return w == t
	}
	return reflect.DeepEqual(wanted, there)
}
