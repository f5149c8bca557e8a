// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/controller"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/test/kubeapi/pki"
)

// warnings collects what the API server says beside its answers.
type warnings struct {
	mu    sync.Mutex
	texts []string
}

func (w *warnings) HandleWarningHeader(_ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.texts = append(w.texts, text)
}

func (w *warnings) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := strings.Join(w.texts, "\n")
	w.texts = nil
	return out
}

// TestAdmission has the real API server call the webhooks, by the configuration that the chart renders.
func TestAdmission(t *testing.T) {
	a := newAPI(t)
	dir := t.TempDir()
	ca, err := pki.NewAuthority()
	require.NoError(t, err)
	cert, private, err := ca.Issue(pki.Certificate{Name: "kof-operator", Hosts: []string{"127.0.0.1"}})
	require.NoError(t, err)
	require.NoError(t, pki.WriteFiles(dir, map[string][]byte{"tls.crt": cert, "tls.key": private}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	op := a.startServing(t, controller.Serving{WebhookAddress: address, WebhookCertDir: dir})

	config := webhooks(t)
	for i := range config.Webhooks {
		w := &config.Webhooks[i]
		require.Equal(t, admissionv1.Ignore, *w.FailurePolicy)
		require.EqualValues(t, 5, *w.TimeoutSeconds)
		url := "https://" + address + *w.ClientConfig.Service.Path
		w.ClientConfig = admissionv1.WebhookClientConfig{URL: &url, CABundle: ca.PEM}
		w.NamespaceSelector.MatchExpressions[0].Values = namespaces
		for j := range w.MatchConditions {
			w.MatchConditions[j].Expression = strings.ReplaceAll(w.MatchConditions[j].Expression, "system:serviceaccount:kof:kof-mothership-operator", "kof-operator")
		}
	}
	require.NoError(t, admissionv1.AddToScheme(a.Scheme()))
	require.NoError(t, a.Create(t.Context(), config))

	said := &warnings{}
	user := rest.CopyConfig(a.Config)
	user.WarningHandler = said
	hc, err := rest.HTTPClientFor(user)
	require.NoError(t, err)
	t.Cleanup(hc.CloseIdleConnections)
	c, err := client.New(user, client.Options{Scheme: a.Scheme(), HTTPClient: hc})
	require.NoError(t, err)
	b := &api{a.Cluster}
	cluster := *a.Cluster
	cluster.Client = c
	b.Cluster = &cluster

	region := func(name, regionName, domain string) *v1beta1.Region {
		return &v1beta1.Region{ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: name}, Spec: v1beta1.RegionSpec{Name: regionName, Domain: domain}}
	}
	require.NoError(t, c.Create(t.Context(), region("eu", "eu", "eu.example")))
	op.eventually(t, "refused as soon as the webhooks are in force", func() bool {
		err := c.Create(t.Context(), region("bad", "eu", "other.example"))
		if err == nil {
			require.NoError(t, c.Delete(t.Context(), region("bad", "eu", "other.example")))
			return false
		}
		require.True(t, apierrors.IsForbidden(err), "%v", err)
		return strings.Contains(err.Error(), `NameTaken: the name "eu" is that of Region kcm-system/eu, which is older`)
	})
	require.ErrorContains(t, c.Create(t.Context(), region("bad", "bad", "eu.example")), "endpoints of one zone only")
	require.NoError(t, c.Create(t.Context(), region("us", "us", "us.example")))
	op.eventually(t, "a Region in force would be refused", func() bool {
		err := b.Patch(t.Context(), region("eu", "", ""), client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"domain":"us.example"}}`)), client.DryRunAll)
		return err != nil && strings.Contains(err.Error(), "Region kcm-system/us, which is in force, would be refused")
	})
	said.take()

	// ClusterDeployments: a warning where another object can still come, a refusal where none can.
	key := child("team-a", "shop", "mars").create(t, b)
	require.Contains(t, said.take(), "there is no region in aws mars")
	op.refused(t, key, v1beta1.ConditionAssigned, "NoRegion")
	b.label(t, key, map[string]any{kcm.LabelRegional: "eu"})
	require.Empty(t, said.take())
	op.inRegion(t, key, "eu")
	cd := &kcm.ClusterDeployment{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	patch := func(text string) error {
		return b.Patch(t.Context(), cd, client.RawPatch("application/merge-patch+json", []byte(text)))
	}
	require.ErrorContains(t, patch(`{"spec":{"config":{"clusterAnnotations":{"`+kcm.AnnotationCollectors+`":"- bad"}}}}`), "found what is not a YAML mapping")
	require.NoError(t, patch(`{"metadata":{"labels":{"`+kcm.LabelRegional+`":"us"}}}`))
	require.Contains(t, said.take(), `from zone "eu" to zone "us"`)
	require.NoError(t, patch(`{"metadata":{"labels":{"other":"x"}}}`))
	require.Empty(t, said.take(), "nothing of ours")
	r := regional("team-a", "eu", "eu-west-1")
	r.name, r.labels = "another", map[string]string{kcm.LabelName: "eu"}
	err = c.Create(t.Context(), r.object())
	require.ErrorContains(t, err, "NameTaken")

	// Without an operator, everything is let through.
	op.stop()
	require.NoError(t, patch(`{"spec":{"config":{"clusterAnnotations":{"`+kcm.AnnotationCollectors+`":"- bad"}}}}`))
	require.NoError(t, c.Create(t.Context(), region("bad", "eu", "other.example")))

	// Old TLS is refused, and who comes later is still checked.
	op = a.startServing(t, controller.Serving{WebhookAddress: address, WebhookCertDir: dir})
	op.eventually(t, "serving again", func() bool {
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // only whether it answers
		if err == nil {
			err = conn.Close()
		}
		return err == nil
	})
	_, err = tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}) //nolint:gosec // what must not work
	require.Error(t, err)
	require.NoError(t, patch(`{"metadata":{"finalizers":["test/kept"]}}`), "what is wrong already can be finalized")
	require.NoError(t, patch(`{"metadata":{"finalizers":null}}`))
	b.wipe(t)
}

// webhooks reads the chart's configuration.
func webhooks(t *testing.T) *admissionv1.ValidatingWebhookConfiguration {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "charts", "kof-mothership", "examples", "everything", "rendered.yaml"))
	require.NoError(t, err)
	for _, document := range strings.Split(string(text), "\n---\n") {
		if strings.Contains(document, "\nkind: ValidatingWebhookConfiguration\n") {
			out := &admissionv1.ValidatingWebhookConfiguration{}
			require.NoError(t, yaml.UnmarshalStrict([]byte(document), out))
			return out
		}
	}
	require.Fail(t, "no ValidatingWebhookConfiguration in the chart's example")
	return nil
}
