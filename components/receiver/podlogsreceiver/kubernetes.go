// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// metadataWatch knows the annotations of the node's pods and the labels of all namespaces, from two watches of metadata.
type metadataWatch struct {
	pods, namespaces cache.SharedIndexInformer
}

func watchMetadata(cfg KubernetesConfig) (*metadataWatch, error) {
	var config *rest.Config
	var err error
	if cfg.Kubeconfig == "" {
		config, err = rest.InClusterConfig()
	} else {
		config, err = clientcmd.BuildConfigFromFlags("", cfg.Kubeconfig)
	}
	if err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	config.UserAgent = "kof-pod-logs"
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	informer := func(resource string, tweak func(*metav1.ListOptions)) cache.SharedIndexInformer {
		return metadatainformer.NewFilteredMetadataInformer(client, schema.GroupVersionResource{Version: "v1", Resource: resource},
			metav1.NamespaceAll, 0, cache.Indexers{}, tweak).Informer()
	}
	w := &metadataWatch{
		pods: informer("pods", func(o *metav1.ListOptions) {
			o.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", cfg.Node).String()
		}),
		namespaces: informer("namespaces", nil),
	}
	for _, i := range []cache.SharedIndexInformer{w.pods, w.namespaces} {
		if err := i.SetTransform(strip); err != nil {
			return nil, fmt.Errorf("kubernetes: %w", err)
		}
	}
	return w, nil
}

// strip drops what no selector looks at.
func strip(obj any) (any, error) {
	if m, ok := obj.(*metav1.PartialObjectMetadata); ok {
		m.ManagedFields, m.OwnerReferences, m.Finalizers = nil, nil, nil
	}
	return obj, nil
}

func (w *metadataWatch) run(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.namespaces.RunWithContext(ctx)
	}()
	w.pods.RunWithContext(ctx)
	<-done
}

// configUID is the annotation with the UID of a static pod's file, which its log directory has instead of the pod's UID.
const configUID = "kubernetes.io/config.hash"

func (w *metadataWatch) lookup(id podID) (annotations, namespaceLabels map[string]string, known bool) {
	pod, ok := get(w.pods, id.namespace+"/"+id.pod)
	if !ok || string(pod.UID) != id.uid && pod.Annotations[configUID] != id.uid {
		return nil, nil, false
	}
	namespace, ok := get(w.namespaces, id.namespace)
	if !ok {
		return nil, nil, false
	}
	return pod.Annotations, namespace.Labels, true
}

func get(i cache.SharedIndexInformer, key string) (*metav1.PartialObjectMetadata, bool) {
	obj, ok, err := i.GetStore().GetByKey(key)
	if err != nil || !ok {
		return nil, false
	}
	m, ok := obj.(*metav1.PartialObjectMetadata)
	return m, ok
}
