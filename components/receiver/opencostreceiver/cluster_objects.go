// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// objects are the cluster's objects that costs depend on, stripped to what is needed of them.
type objects struct {
	nodes, pods, volumes, claims, services, namespaces cache.Store

	controllers []cache.Controller
	wg          sync.WaitGroup
}

func newObjects(client kubernetes.Interface, c *Config) *objects {
	o := &objects{}
	get := client.CoreV1().RESTClient()
	watch := func(resource string, example runtime.Object, strip cache.TransformFunc) cache.Store {
		return o.watch(cache.NewListWatchFromClient(get, resource, metav1.NamespaceAll, fields.Everything()), client, example, strip)
	}
	pods, nodes := allow(c.Labels.Pods), allow(c.Labels.Nodes)
	o.nodes = watch("nodes", &corev1.Node{}, stripClusterNode(nodes))
	o.volumes = watch("persistentvolumes", &corev1.PersistentVolume{}, stripVolume)
	o.claims = watch("persistentvolumeclaims", &corev1.PersistentVolumeClaim{}, stripClaim)
	o.services = watch("services", &corev1.Service{}, stripService)
	o.namespaces = watch("namespaces", &corev1.Namespace{}, stripNamespace(allow(c.Labels.Namespaces)))
	o.pods = watch("pods", &corev1.Pod{}, stripPod(pods))
	return o
}

// pageSize bounds what a list of one page takes before it is stripped.
const pageSize = 500

// watch makes a store that follows a resource. A list, which old servers are asked for instead of a stream, is read in
// pages and stripped page by page: the whole objects are never in memory together.
func (o *objects) watch(lw cache.ListerWatcher, client any, example runtime.Object, strip cache.TransformFunc) cache.Store {
	paged := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.ResourceVersion, options.ResourceVersionMatch, options.Limit = "", "", pageSize
			list, err := cache.ToListerWatcherWithContext(lw).ListWithContext(ctx, options)
			if err != nil {
				return nil, err
			}
			return list, meta.EachListItem(list, func(obj runtime.Object) error {
				_, err := strip(obj)
				return err
			})
		},
		WatchFuncWithContext: cache.ToListerWatcherWithContext(lw).WatchWithContext,
	}
	store, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.ToListWatcherWithWatchListSemantics(paged, client), ObjectType: example, Transform: strip,
		Handler: cache.ResourceEventHandlerFuncs{},
	})
	o.controllers = append(o.controllers, controller)
	return store
}

func (o *objects) start(ctx context.Context) {
	for _, c := range o.controllers {
		o.wg.Go(func() { c.RunWithContext(ctx) })
	}
}

// synced tells whether all stores are filled.
func (o *objects) synced() bool {
	for _, c := range o.controllers {
		if !c.HasSynced() {
			return false
		}
	}
	return true
}
