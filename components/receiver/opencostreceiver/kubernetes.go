// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"fmt"
	"maps"

	"go.uber.org/zap"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/k0rdent/kof/internal/cost"
)

func newKubernetesClient(c KubernetesConfig) (kubernetes.Interface, error) {
	var config *rest.Config
	var err error
	if c.Kubeconfig == "" {
		config, err = rest.InClusterConfig()
	} else {
		config, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	}
	if err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	config.UserAgent = "kof-opencost"
	// Half the bytes and a tenth of the CPU of JSON.
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	return client, nil
}

// watchNode tells every change of one node until the context ends. It asks the API server for that node only.
func watchNode(ctx context.Context, client kubernetes.Interface, name string, set func(*cost.Node), logger *zap.Logger) {
	lw := cache.NewListWatchFromClient(client.CoreV1().RESTClient(), "nodes", metav1.NamespaceAll,
		fields.OneTermEqualSelector(metav1.ObjectNameField, name))
	tell := func(obj any) {
		if n, ok := obj.(*corev1.Node); ok {
			set(costNode(n))
		}
	}
	_, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.ToListWatcherWithWatchListSemantics(lw, client),
		ObjectType:    &corev1.Node{},
		Transform:     stripNode,
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc: tell,
			UpdateFunc: func(old, obj any) {
				a, okA := old.(*corev1.Node)
				b, okB := obj.(*corev1.Node)
				// The kubelet's heartbeats change the status only.
				if !okA || !okB || !sameNode(a, b) {
					tell(obj)
				}
			},
			DeleteFunc: func(any) {
				logger.Warn("The node is gone from the API server: its last prices stay in force", zap.String("node", name))
			},
		},
	})
	controller.RunWithContext(ctx)
}

func sameNode(a, b *corev1.Node) bool {
	return a.UID == b.UID && a.Spec.ProviderID == b.Spec.ProviderID && maps.Equal(a.Labels, b.Labels) &&
		maps.Equal(a.Annotations, b.Annotations) && maps.EqualFunc(a.Status.Capacity, b.Status.Capacity, equalQuantity)
}

// costNode takes from a node what its price depends on.
func costNode(n *corev1.Node) *cost.Node {
	out := &cost.Node{
		Name: n.Name, UID: string(n.UID), ProviderID: n.Spec.ProviderID, Labels: n.Labels, Annotations: n.Annotations,
		Cores: n.Status.Capacity.Cpu().AsApproximateFloat64(), MemoryBytes: n.Status.Capacity.Memory().AsApproximateFloat64(),
		Extended: map[string]float64{},
	}
	for name, q := range n.Status.Capacity {
		switch name {
		case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourcePods, corev1.ResourceEphemeralStorage:
		default:
			out.Extended[string(name)] = q.AsApproximateFloat64()
		}
	}
	return out
}
