// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"

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
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/k0rdent/kof/internal/operator/admission"
	"github.com/k0rdent/kof/internal/operator/output"
)

// Serving is how the operator itself runs.
type Serving struct {
	MetricsAddress string   // "0": none
	HealthAddress  string   // "0": none
	LeaderElection bool     // one of several replicas works
	Namespaces     []string // that are watched; none: all
	WebhookAddress string   // of the admission webhooks; "0": none
	WebhookCertDir string   // with tls.crt and tls.key, which are read anew when they change

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
	server, err := s.webhooks()
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		WebhookServer: server,
		Scheme:        scheme, Cache: opts,
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
	if server != nil {
		// Every replica answers, from its own cache.
		admission.Register(mgr.GetWebhookServer(), scheme, mgr.GetClient(), o.SystemNamespace)
	}
	return mgr, mgr.AddReadyzCheck("ping", healthz.Ping)
}

// Validate returns all problems, joined.
func (s Serving) Validate() error {
	_, err := s.webhooks()
	return err
}

// webhooks returns the server of the admission webhooks, nil if there are to be none.
func (s Serving) webhooks() (webhook.Server, error) {
	if s.WebhookAddress == "" || s.WebhookAddress == "0" {
		return nil, nil
	}
	host, text, err := net.SplitHostPort(s.WebhookAddress)
	port, portErr := strconv.Atoi(text)
	if err := errors.Join(err, portErr); err != nil {
		return nil, fmt.Errorf(`--webhook-bind-address: found %q; allowed: [HOST]:PORT, or "0" for none`, s.WebhookAddress)
	}
	return webhook.NewServer(webhook.Options{Host: host, Port: port, CertDir: s.WebhookCertDir, TLSOpts: []func(*tls.Config){
		func(c *tls.Config) { c.MinVersion = tls.VersionTLS12 },
	}}), nil
}

// strip drops what is never looked at.
func strip(object any) (any, error) {
	if o, ok := object.(metav1.Object); ok {
		o.SetManagedFields(nil)
	}
	return object, nil
}
