// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func equalQuantity(a, b resource.Quantity) bool { return a.Cmp(b) == 0 }

// stripNode keeps what prices depend on: a node's list of images and its managed fields are many times that.
func stripNode(obj any) (any, error) {
	n, ok := obj.(*corev1.Node)
	if !ok {
		return obj, nil
	}
	annotations := map[string]string{}
	for k, v := range n.Annotations {
		if keepAnnotation(k) {
			annotations[k] = v
		}
	}
	meta := slim(&n.ObjectMeta)
	meta.Labels, meta.Annotations = n.Labels, annotations
	*n = corev1.Node{
		ObjectMeta: meta, Spec: corev1.NodeSpec{ProviderID: n.Spec.ProviderID},
		Status: corev1.NodeStatus{Capacity: n.Status.Capacity},
	}
	return n, nil
}

// keepAnnotation leaves out what controllers write for themselves at every heartbeat or that is long.
func keepAnnotation(key string) bool {
	return !strings.HasPrefix(key, "kubectl.kubernetes.io/") && !strings.HasSuffix(key, ".cloud.google.com/gke-state") &&
		!strings.HasPrefix(key, "csi.volume.kubernetes.io/")
}

// slim is the part of an object's metadata that watches need.
func slim(m *metav1.ObjectMeta) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: m.Name, Namespace: m.Namespace, UID: m.UID, ResourceVersion: m.ResourceVersion}
}
