// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/k0rdent/kof/test/kubeapi"
)

// The directory of a ConfigMap is read from a real API server with rights on that one object, and each change of it is taken.
func TestDirectoryOfConfigMap(t *testing.T) {
	api := kubeapi.StartT(t)
	home, late := newBackend(t, nil), newBackend(t, nil)
	admin, err := kubernetes.NewForConfig(api.Config)
	require.NoError(t, err)
	maps := admin.CoreV1().ConfigMaps("default")
	directory := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "kof-regions"},
		Data:       map[string]string{"regions.yaml": logDirectory(logRegion("home", "eu", home.URL))},
	}
	directory, err = maps.Create(t.Context(), directory, metav1.CreateOptions{})
	require.NoError(t, err)

	cfg := quickConfig(t, "")
	cfg.Directory.File = ""
	cfg.Directory.ConfigMap = &ConfigMapConfig{
		Namespace: "default", Name: "kof-regions", Key: "regions.yaml",
		Kubeconfig: reader(t, api, admin),
	}
	require.NoError(t, cfg.Validate())
	r := beginWatched(t, newHost(t, t.TempDir()), cfg)
	r.sendLogs(logRecords("late", "a"))
	require.Equal(t, int64(1), r.ledger(unknownRegion, signalLogs).held)

	directory.Data["regions.yaml"] = "regions: {}"
	directory, err = maps.Update(t.Context(), directory, metav1.UpdateOptions{})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return r.logged.FilterMessageSnippet("is refused").Len() > 0 }, 20*time.Second, 5*time.Millisecond)

	directory.Data["regions.yaml"] = logDirectory(logRegion("home", "eu", home.URL), logRegion("late", "us", late.URL))
	directory, err = maps.Update(t.Context(), directory, metav1.UpdateOptions{})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return late.has()["a"] == 1 }, 20*time.Second, 5*time.Millisecond)
	require.Empty(t, home.has())

	// What is in the way of a change may go away without another change of the ConfigMap.
	third, ca := newBackend(t, nil), filepath.Join(t.TempDir(), "ca.crt")
	directory.Data["regions.yaml"] = logDirectory(logRegion("home", "eu", home.URL), logRegion("late", "us", late.URL), logRegion("third", "us", third.URL)) +
		"    tls: {ca_file: " + ca + "}\n"
	_, err = maps.Update(t.Context(), directory, metav1.UpdateOptions{})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return r.logged.FilterMessageSnippet("is refused").Len() > 1 }, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, os.Link(newAuthority(t).file, ca))
	r.sendLogs(logRecords("third", "c"))
	require.Eventually(t, func() bool { return third.has()["c"] == 1 }, 20*time.Second, 5*time.Millisecond)

	require.NoError(t, maps.Delete(t.Context(), "kof-regions", metav1.DeleteOptions{})) // the last one stays in force
	r.sendLogs(logRecords("late", "b"))
	require.Eventually(t, func() bool { return late.has()["b"] == 1 }, 20*time.Second, 5*time.Millisecond)
}

// reader returns a kubeconfig with rights on the ConfigMap alone.
func reader(t *testing.T, api *kubeapi.ControlPlane, admin kubernetes.Interface) string {
	_, kubeconfig, err := api.User("agent")
	require.NoError(t, err)
	meta := metav1.ObjectMeta{Name: "agent", Namespace: "default"}
	_, err = admin.RbacV1().Roles("default").Create(t.Context(), &rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{"kof-regions"}, Verbs: []string{"get", "list", "watch"},
	}}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = admin.RbacV1().RoleBindings("default").Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: meta,
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "agent"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "agent"}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	return kubeconfig
}

// A ConfigMap or key that isn't there ends the start with its name.
func TestMissingConfigMapEndsStart(t *testing.T) {
	api := kubeapi.StartT(t)
	cfg := quickConfig(t, "")
	cfg.Directory.File = ""
	cfg.Directory.ConfigMap = &ConfigMapConfig{Namespace: "default", Name: "nowhere", Key: "regions.yaml", Kubeconfig: api.Kubeconfig}
	r := create(t, cfg)
	t.Cleanup(r.end)
	require.ErrorContains(t, r.Metrics.Start(t.Context(), newHost(t, t.TempDir())), "ConfigMap default/nowhere, key regions.yaml")
}
