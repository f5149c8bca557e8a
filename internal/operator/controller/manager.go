// SPDX-License-Identifier: Apache-2.0

package controller

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/k0rdent/kof/internal/operator/output"
)

// Serving is how the operator itself runs.
type Serving struct {
	MetricsAddress string   // "0": none
	HealthAddress  string   // "0": none
	LeaderElection bool     // one of several replicas works
	Namespaces     []string // that are watched; none: all

	SeveralInProcess bool // for tests: other managers are in this process
}

// The Role is needed in the operator's own namespace and in each one with ClusterDeployments; the ClusterRole once.
//
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;create;update,namespace=kof
// +kubebuilder:rbac:groups="",resources=events,verbs=create;patch,namespace=kof

// NewManager returns a manager whose cache holds what the operator needs and no more: of Secrets and ConfigMaps only its own, nothing of
// managed fields, of ClusterDeployments only what package kcm has.
func NewManager(config *rest.Config, o Options, s Serving) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	if err := AddToScheme(scheme); err != nil {
		return nil, err
	}
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{output.LabelManagedBy: output.ManagedBy})}
	// Rules are in ConfigMaps that others make, in the system namespace.
	configMaps := cache.ByObject{Namespaces: map[string]cache.Config{o.SystemNamespace: {}}}
	for _, n := range s.Namespaces {
		if n != o.SystemNamespace {
			configMaps.Namespaces[n] = cache.Config{LabelSelector: ours.Label}
		}
	}
	if len(s.Namespaces) == 0 {
		configMaps.Namespaces[cache.AllNamespaces] = cache.Config{LabelSelector: ours.Label}
	}
	opts := cache.Options{
		ByObject:         map[client.Object]cache.ByObject{&corev1.Secret{}: ours, &corev1.ConfigMap{}: configMaps},
		DefaultTransform: strip,
	}
	if len(s.Namespaces) > 0 {
		opts.DefaultNamespaces = map[string]cache.Config{o.SystemNamespace: {}}
		for _, n := range s.Namespaces {
			opts.DefaultNamespaces[n] = cache.Config{}
		}
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme, Cache: opts,
		Client:                 client.Options{Cache: &client.CacheOptions{Unstructured: true}},
		Controller:             ctrlconfig.Controller{SkipNameValidation: &s.SeveralInProcess},
		Metrics:                metricsserver.Options{BindAddress: s.MetricsAddress},
		HealthProbeBindAddress: s.HealthAddress,
		LeaderElection:         s.LeaderElection, LeaderElectionID: "kof-operator", LeaderElectionNamespace: o.SystemNamespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return nil, err
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, err
	}
	return mgr, mgr.AddReadyzCheck("ping", healthz.Ping)
}

// strip drops what is never looked at.
func strip(object any) (any, error) {
	if o, ok := object.(metav1.Object); ok {
		o.SetManagedFields(nil)
	}
	return object, nil
}
