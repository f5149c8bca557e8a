// SPDX-License-Identifier: Apache-2.0

// Package management runs a management cluster for tests: a real control plane with the kinds of KOF and the real ones of k0rdent, the
// Grafana operator and the VictoriaMetrics operator, and a user that has the rights of kof-operator.
package management

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/k0rdent/kof/internal/operator/controller"
	"github.com/k0rdent/kof/test/kubeapi"
)

// Namespaces of the cluster; the first is the operator's own.
var Namespaces = []string{"kcm-system", "team-a", "team-b"}

const (
	wait = 60 * time.Second
	tick = 50 * time.Millisecond
)

// foreign are the CRDs of others, in their modules.
var foreign = []struct{ module, file string }{
	{"github.com/K0rdent/kcm@v1.10.0", "templates/provider/kcm/templates/crds/k0rdent.mirantis.com_clusterdeployments.yaml"},
	{"github.com/K0rdent/kcm@v1.10.0", "templates/provider/kcm/templates/crds/k0rdent.mirantis.com_multiclusterservices.yaml"},
	{"github.com/grafana/grafana-operator/v5@v5.24.0", "config/crd/bases/grafana.integreatly.org_grafanadatasources.yaml"},
}

// Cluster is a management cluster; the client is an admin's.
type Cluster struct {
	client.Client
	*kubeapi.ControlPlane
	OperatorUser       *rest.Config
	OperatorKubeconfig string // path of the same
}

// StartT starts a cluster that ends with the test.
func StartT(t *testing.T) *Cluster {
	t.Helper()
	cp := kubeapi.StartT(t)
	config := rest.CopyConfig(cp.Config)
	config.QPS = -1 // no limit
	scheme := runtime.NewScheme()
	require.NoError(t, controller.AddToScheme(scheme))
	require.NoError(t, rbacv1.AddToScheme(scheme))
	hc, err := rest.HTTPClientFor(config)
	require.NoError(t, err)
	t.Cleanup(hc.CloseIdleConnections)
	c, err := client.New(config, client.Options{Scheme: scheme, HTTPClient: hc})
	require.NoError(t, err)
	out := &Cluster{Client: c, ControlPlane: cp}
	out.install(t)
	for _, n := range Namespaces {
		require.NoError(t, c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: n}}))
	}
	out.grant(t)
	return out
}

// install creates the CRDs and waits until they are served.
func (c *Cluster) install(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root(t), "deploy", "crds", "*_*.yaml"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	files = append(files, filepath.Join(root(t), "test", "management", "testdata", "vmuser-crd.yaml"))
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
}

// grant gives a user the rights of the generated roles.
func (c *Cluster) grant(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "deploy", "crds", "rbac", "role.yaml"))
	require.NoError(t, err)
	require.NotContains(t, string(text), "*")
	subjects := []rbacv1.Subject{{Kind: "User", Name: "kof-operator", APIGroup: rbacv1.GroupName}}
	for _, document := range strings.Split(string(text), "---\n")[1:] {
		u := &unstructured.Unstructured{}
		require.NoError(t, yaml.Unmarshal([]byte(document), &u.Object))
		ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: u.GetKind(), Name: u.GetName()}
		if u.GetKind() == "ClusterRole" {
			require.NoError(t, c.Create(t.Context(), u))
			require.NoError(t, c.Create(t.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "kof-operator"}, RoleRef: ref, Subjects: subjects}))
			continue
		}
		for _, n := range Namespaces {
			role := u.DeepCopy()
			role.SetNamespace(n)
			require.NoError(t, c.Create(t.Context(), role))
			require.NoError(t, c.Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: n, Name: "kof-operator"}, RoleRef: ref, Subjects: subjects}))
		}
	}
	c.OperatorUser, c.OperatorKubeconfig, err = c.User("kof-operator")
	require.NoError(t, err)
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

// root returns the root of the repository that the test runs in.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		require.NotEqual(t, filepath.Dir(dir), dir, "a go.mod")
		dir = filepath.Dir(dir)
	}
}
