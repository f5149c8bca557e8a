// SPDX-License-Identifier: Apache-2.0

package command

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/kcm"
)

// requestTimeout bounds one request to the API server.
const requestTimeout = 30 * time.Second

// Client returns a client of the management cluster for KOF's kinds, ClusterDeployments and Kubernetes' core, and a function that closes its connections.
// It makes no request yet.
func (e *Env) Client() (client.Reader, func(), error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = e.Kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: e.Context}).ClientConfig()
	if err != nil {
		return nil, nil, fmt.Errorf("kubeconfig: %w", err)
	}
	config.Timeout = requestTimeout
	config.UserAgent = "kofctl"
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{v1beta1.AddToScheme, kcm.AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, nil, err
		}
	}
	h, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, nil, err
	}
	c, err := client.New(config, client.Options{Scheme: scheme, HTTPClient: h})
	if err != nil {
		return nil, nil, err
	}
	return c, h.CloseIdleConnections, nil
}

// In are the list options for the namespace that was asked for.
func (e *Env) In() []client.ListOption {
	if e.Namespace == "" {
		return nil
	}
	return []client.ListOption{client.InNamespace(e.Namespace)}
}
