// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"fmt"

	"go.uber.org/zap"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

type configMapSource struct {
	cfg    ConfigMapConfig
	client kubernetes.Interface
}

// newConfigMapSource uses the kubeconfig, or without one the Pod's ServiceAccount.
func newConfigMapSource(cfg ConfigMapConfig) (*configMapSource, error) {
	rest, err := clientcmd.BuildConfigFromFlags("", cfg.Kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("directory::config_map: %w", err)
	}
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return nil, fmt.Errorf("directory::config_map: %w", err)
	}
	return &configMapSource{cfg: cfg, client: client}, nil
}

func (c *configMapSource) name() string {
	return fmt.Sprintf("ConfigMap %s/%s, key %s", c.cfg.Namespace, c.cfg.Name, c.cfg.Key)
}

func (c *configMapSource) read(ctx context.Context) ([]byte, error) {
	cm, err := c.client.CoreV1().ConfigMaps(c.cfg.Namespace).Get(ctx, c.cfg.Name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name(), err)
	}
	text, ok := cm.Data[c.cfg.Key]
	if !ok {
		return nil, fmt.Errorf("%s: the ConfigMap has no such key", c.name())
	}
	return []byte(text), nil
}

// watch follows this one object; the ServiceAccount needs get, list and watch on it alone.
func (c *configMapSource) watch(ctx context.Context, _ *zap.Logger, changed func()) {
	factory := informers.NewSharedInformerFactoryWithOptions(c.client, 0, informers.WithNamespace(c.cfg.Namespace),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) {
			o.FieldSelector = fields.OneTermEqualSelector(metav1.ObjectNameField, c.cfg.Name).String()
		}))
	events := make(chan struct{}, 1)
	notify := func() {
		select {
		case events <- struct{}{}:
		default:
		}
	}
	_, err := factory.Core().V1().ConfigMaps().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
		DeleteFunc: func(any) { notify() },
	})
	if err != nil {
		return // only an informer that was stopped refuses a handler
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	for {
		select {
		case <-ctx.Done():
			return
		case <-events:
			changed()
		}
	}
}
