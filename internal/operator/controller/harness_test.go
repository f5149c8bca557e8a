// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/controller"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/test/kubeapi"
)

const (
	system = "kcm-system"
	wait   = 60 * time.Second
	tick   = 50 * time.Millisecond
)

// namespaces of the tests.
var namespaces = []string{system, "team-a", "team-b"}

// foreign are the CRDs of others: module, folder in it, files.
var foreign = []struct{ module, file string }{
	{"github.com/K0rdent/kcm@v1.10.0", "templates/provider/kcm/templates/crds/k0rdent.mirantis.com_clusterdeployments.yaml"},
	{"github.com/K0rdent/kcm@v1.10.0", "templates/provider/kcm/templates/crds/k0rdent.mirantis.com_multiclusterservices.yaml"},
	{"github.com/grafana/grafana-operator/v5@v5.24.0", "config/crd/bases/grafana.integreatly.org_grafanadatasources.yaml"},
}

// api is a control plane with every CRD.
type api struct {
	client.Client
	cp           *kubeapi.ControlPlane
	operatorUser *rest.Config
}

func newAPI(t *testing.T) *api {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	ctrl.SetLogger(logr.Discard())
	cp := kubeapi.StartT(t)
	config := rest.CopyConfig(cp.Config)
	config.QPS = -1 // no limit
	scheme := runtime.NewScheme()
	require.NoError(t, controller.AddToScheme(scheme))
	hc, err := rest.HTTPClientFor(config)
	require.NoError(t, err)
	t.Cleanup(hc.CloseIdleConnections)
	c, err := client.New(config, client.Options{Scheme: scheme, HTTPClient: hc})
	require.NoError(t, err)
	a := &api{Client: c, cp: cp}
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "deploy", "crds", "*_*.yaml"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	files = append(files, filepath.Join("testdata", "vmuser-crd.yaml"))
	for _, f := range foreign {
		files = append(files, filepath.Join(moduleDir(t, f.module), f.file))
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		u := &unstructured.Unstructured{}
		require.NoError(t, yaml.Unmarshal(text, &u.Object))
		require.NoError(t, c.Create(t.Context(), u), f)
		require.Eventually(t, func() bool {
			require.NoError(t, c.Get(t.Context(), client.ObjectKeyFromObject(u), u))
			conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
			for _, c := range conditions {
				if m := c.(map[string]any); m["type"] == "Established" && m["status"] == "True" {
					return true
				}
			}
			return false
		}, wait, tick, f)
	}
	for _, n := range namespaces {
		require.NoError(t, c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n}}))
	}
	a.operatorUser = a.grant(t)
	return a
}

// grant gives a user the rights of the generated roles, and returns a configuration of it.
func (a *api) grant(t *testing.T) *rest.Config {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "crds", "rbac", "role.yaml"))
	require.NoError(t, err)
	require.NotContains(t, string(text), "*")
	scheme := a.Scheme()
	require.NoError(t, rbacv1.AddToScheme(scheme))
	subjects := []rbacv1.Subject{{Kind: "User", Name: "kof-operator", APIGroup: rbacv1.GroupName}}
	for _, document := range strings.Split(string(text), "---\n")[1:] {
		u := &unstructured.Unstructured{}
		require.NoError(t, yaml.Unmarshal([]byte(document), &u.Object))
		ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: u.GetKind(), Name: u.GetName()}
		if u.GetKind() == "ClusterRole" {
			require.NoError(t, a.Create(t.Context(), u))
			require.NoError(t, a.Create(t.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "kof-operator"}, RoleRef: ref, Subjects: subjects}))
			continue
		}
		for _, n := range namespaces {
			role := u.DeepCopy()
			role.SetNamespace(n)
			require.NoError(t, a.Create(t.Context(), role))
			require.NoError(t, a.Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: n, Name: "kof-operator"}, RoleRef: ref, Subjects: subjects}))
		}
	}
	config, _, err := a.cp.User("kof-operator")
	require.NoError(t, err)
	return config
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

// operator is a running one with a clock that can be set on.
type operator struct {
	*api
	ahead  atomic.Int64
	writes atomic.Int64 // requests that aren't reads
	stop   func()
}

// counted counts an operator's writes.
type counted struct {
	http.RoundTripper
	writes *atomic.Int64
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		c.writes.Add(1)
	}
	return c.RoundTripper.RoundTrip(r)
}

func (a *api) options() controller.Options {
	o := controller.Default()
	o.SystemNamespace, o.CollectorsTemplate, o.StorageTemplate = system, "kof-collectors-1-0-0", "kof-storage-1-0-0"
	return o
}

// start runs an operator until the end of the test, or of stop.
func (a *api) start(t *testing.T) *operator {
	t.Helper()
	return a.startServing(t, controller.Serving{})
}

func (a *api) startServing(t *testing.T, s controller.Serving) *operator {
	t.Helper()
	op := &operator{api: a}
	o := a.options()
	o.Now = func() time.Time { return time.Now().Add(time.Duration(op.ahead.Load())) }
	config := rest.CopyConfig(a.operatorUser)
	config.QPS = -1
	config.Wrap(func(rt http.RoundTripper) http.RoundTripper { return counted{rt, &op.writes} })
	s.MetricsAddress, s.HealthAddress, s.SeveralInProcess, s.Namespaces = "0", "0", true, namespaces
	mgr, err := controller.NewManager(config, o, s)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	require.NoError(t, controller.Setup(ctx, mgr, o))
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	stopped := false
	op.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-done)
			mgr.GetHTTPClient().CloseIdleConnections()
		}
	}
	t.Cleanup(op.stop)
	return op
}

// later sets the operator's clock on and has it look at a cluster and at all regions again.
func (op *operator) later(t *testing.T, d time.Duration, cds ...client.ObjectKey) {
	t.Helper()
	op.ahead.Add(int64(d))
	for _, key := range cds {
		op.annotate(t, &kcm.ClusterDeployment{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}, "test/poke", time.Now().String())
	}
	var list v1beta1.RegionList
	require.NoError(t, op.List(t.Context(), &list))
	for i := range list.Items {
		op.annotate(t, &list.Items[i], "test/poke", time.Now().String())
	}
}

func (a *api) annotate(t *testing.T, o client.Object, key, value string) {
	t.Helper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]any{key: value}}})
	require.NoError(t, err)
	require.NoError(t, a.Patch(t.Context(), o, client.RawPatch("application/merge-patch+json", patch)))
}
