// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/k0rdent/kof/test/kubeapi"
)

// operator is whose CRDs the Instrumentation is checked against.
const operator = "github.com/open-telemetry/opentelemetry-operator@v0.140.0"

// TestKubernetesTakesExamples has the real kube-apiserver check every object, unknown fields included, without storing it.
func TestKubernetesTakesExamples(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	api := newAPI(t, kubeapi.StartT(t))
	for _, namespace := range []string{"kof", "kcm-system"} {
		require.NoError(t, api.create(t, parse(t, []byte("{apiVersion: v1, kind: Namespace, metadata: {name: "+namespace+"}}")), false))
	}
	api.installCRDs(t)

	eachExample(t, func(t *testing.T, o options) {
		all := objects(t, render(t, o))
		api.takes(t, all)
		for chart, installed := range releasesOf(t, all) {
			t.Run(chart, func(t *testing.T) { api.takes(t, installed) })
		}
	})
	t.Run("instrumentation with settings per language", func(t *testing.T) {
		const values = `
kof:
  instrumentation:
    enabled: true
    sampler: {type: parentbased_traceidratio, argument: "0.25"}
    resourceAttributes: {deployment.environment.name: test}
    env: {OTEL_METRIC_EXPORT_INTERVAL: 30000}
    java: {image: "registry.example/java:1", env: {A: b}, resources: {limits: {memory: 64Mi}}}
    nodejs: {env: {A: b}, resources: {limits: {memory: 64Mi}}}
    python: {env: {A: b}, resources: {limits: {memory: 64Mi}}}
    dotnet: {env: {A: b}, resources: {limits: {memory: 64Mi}}}
    go: {env: {OTEL_GO_AUTO_TARGET_EXE: /app}, resources: {limits: {memory: 64Mi}}}
`
		o := find(t, objects(t, render(t, options{values: values})), "Instrumentation", release)
		require.NoError(t, api.create(t, o.Object, true))
		require.Equal(t, "http://$(OTEL_NODE_IP):4318", mapAt(t, o.Object, "spec", "exporter")["endpoint"])
		for _, language := range []string{"java", "nodejs", "python", "dotnet", "go"} {
			require.Contains(t, mapAt(t, o.Object, "spec"), language)
		}

		// That the check can fail.
		bad := o.DeepCopy()
		require.NoError(t, unstructured.SetNestedField(bad.Object, "x", "spec", "java", "imag"))
		require.ErrorContains(t, api.create(t, bad.Object, true), "spec.java.imag")
		bad = o.DeepCopy()
		require.NoError(t, unstructured.SetNestedField(bad.Object, "sometimes", "spec", "sampler", "type"))
		require.ErrorContains(t, api.create(t, bad.Object, true), "spec.sampler.type")
	})
}

// TestSeedCommandInstalls runs the command of the README on a cluster without the operator, then with it, and a second time in
// another namespace.
func TestSeedCommandInstalls(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	plane := kubeapi.StartT(t)
	api := newAPI(t, plane)
	install := func(namespace string, more ...string) string {
		t.Helper()
		args := append([]string{
			"upgrade", "--install", "kof-collectors", collectors, "--set", "kof.instrumentation.enabled=true", "-n", namespace, "--create-namespace",
			"--kubeconfig", plane.Kubeconfig,
		}, more...)
		out, errs, err := helm(t, "", args...)
		require.NoError(t, err, errs)
		return out
	}
	notes := install("kof")
	require.Contains(t, notes, "NOT DONE: kof.instrumentation.enabled is true, but this cluster doesn't know the kind Instrumentation")
	require.Contains(t, notes, "metrics  http://kof-storage-vmauth.kof.svc:8427/vm/insert/0/prometheus/api/v1/write")

	api.installCRD(t)
	require.NotContains(t, install("kof"), "NOT DONE")
	mapping, err := api.mapper.RESTMapping(instrumentation.GroupKind(), instrumentation.Version)
	require.NoError(t, err)
	_, err = api.dynamic.Resource(mapping.Resource).Namespace("kof").Get(t.Context(), "kof-collectors", metav1.GetOptions{})
	require.NoError(t, err)

	install("acme", "--set", "otlp.hostPort.grpc=14317,otlp.hostPort.http=14318")
	for _, namespace := range []string{"acme", "kof"} {
		_, errs, err := helm(t, "", "uninstall", "kof-collectors", "-n", namespace, "--kubeconfig", plane.Kubeconfig)
		require.NoError(t, err, errs)
	}
}

// api is a client for whatever kinds a control plane knows.
type api struct {
	mapper  *restmapper.DeferredDiscoveryRESTMapper
	dynamic *dynamic.DynamicClient
}

func newAPI(t *testing.T, plane *kubeapi.ControlPlane) *api {
	t.Helper()
	config := rest.CopyConfig(plane.Config)
	config.QPS = -1 // no limit
	client, err := rest.HTTPClientFor(config)
	require.NoError(t, err)
	t.Cleanup(client.CloseIdleConnections)
	a := &api{}
	kinds, err := discovery.NewDiscoveryClientForConfigAndClient(config, client)
	require.NoError(t, err)
	a.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(kinds))
	a.dynamic, err = dynamic.NewForConfigAndClient(config, client)
	require.NoError(t, err)
	return a
}

var instrumentation = schema.GroupVersionKind{Group: "opentelemetry.io", Version: "v1alpha1", Kind: "Instrumentation"}

// takes has the control plane check objects, and shows everything that is wrong with them.
func (a *api) takes(t *testing.T, all []*unstructured.Unstructured) {
	t.Helper()
	for _, o := range all {
		assert.NoError(t, a.create(t, o.Object, true), "%s/%s", o.GetKind(), o.GetName())
	}
}

// installCRD makes the operator's kind Instrumentation known.
func (a *api) installCRD(t *testing.T) {
	t.Helper()
	crd, err := os.ReadFile(filepath.Join(moduleDir(t, operator), "config", "crd", "bases", "opentelemetry.io_instrumentations.yaml"))
	require.NoError(t, err)
	require.NoError(t, a.create(t, parse(t, crd), false))
	require.Eventually(t, func() bool { return a.knows(instrumentation) }, time.Minute, 100*time.Millisecond)
}

// knows says whether the control plane has a kind by now.
func (a *api) knows(kind schema.GroupVersionKind) bool {
	a.mapper.Reset()
	_, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	return err == nil
}

// create makes an object, or asks what would happen. Unknown and repeated fields are errors.
func (a *api) create(t *testing.T, object map[string]any, dryRun bool) error {
	t.Helper()
	o := &unstructured.Unstructured{Object: object}
	kind := o.GroupVersionKind()
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	require.NoError(t, err)
	opts := metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}
	if dryRun {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	resource := a.dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		_, err = resource.Namespace(o.GetNamespace()).Create(ctx, o, opts)
	} else {
		require.Empty(t, o.GetNamespace(), "%s/%s is of no namespace", o.GetKind(), o.GetName())
		_, err = resource.Create(ctx, o, opts)
	}
	return err
}

// list returns the objects of a kind in a namespace.
func (a *api) list(t *testing.T, group, version, kind, namespace string) []unstructured.Unstructured {
	t.Helper()
	mapping, err := a.mapper.RESTMapping(schema.GroupKind{Group: group, Kind: kind}, version)
	require.NoError(t, err)
	all, err := a.dynamic.Resource(mapping.Resource).Namespace(namespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	return all.Items
}

// moduleDir returns where the go command keeps a module, fetching and verifying it first.
func moduleDir(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", module).Output()
	require.NoError(t, err, "%s", out)
	var found struct{ Dir string }
	require.NoError(t, json.Unmarshal(out, &found))
	return found.Dir
}
