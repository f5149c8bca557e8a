// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/test/guide"
	"github.com/k0rdent/kof/test/kubeapi"
	"github.com/k0rdent/kof/test/toolcache"
)

// TestGuide runs the commands of the pages on installing, upgrading, retention and uninstalling at a real control plane that knows the kinds
// of k0rdent, Flux and the operators. It has no nodes and no controllers: package e2ekube runs what needs them, on one cluster.
func TestGuide(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	plane := kubeapi.StartT(t)
	api := newAPI(t, plane)
	api.installCRDs(t)
	path := os.Getenv("PATH")
	for _, tool := range []string{"helm", "kubectl"} {
		binary, err := toolcache.Binary(t.Context(), tool, os.Stderr)
		require.NoError(t, err)
		path = filepath.Dir(binary) + string(os.PathListSeparator) + path
	}
	home := t.TempDir()
	client := clientOf(t, plane)
	_, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kcm-system"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	for _, name := range []string{"eu-west-1", "shop-prod-1"} {
		require.NoError(t, api.create(t, parse(t, []byte(`
apiVersion: k0rdent.mirantis.com/v1beta1
kind: ClusterDeployment
metadata: {name: `+name+`, namespace: kcm-system}
spec: {template: aws-standalone-cp-1-0-0, credential: aws, config: {region: eu-west-1}}
`)), false))
	}
	install, upgrade := guide.ReadT(t, root, "install.md"), guide.ReadT(t, root, "upgrade.md")
	uninstall, retention := guide.ReadT(t, root, "uninstall.md"), guide.ReadT(t, root, "retention.md")
	for _, c := range []struct {
		page     guide.Page
		headings []string
	}{
		{install, []string{"Install", "Regional: each region stores its own data", "Regionless: the management cluster stores everything"}},
		{upgrade, []string{"With the chart kof"}},
		{uninstall, []string{"With the chart kof"}},
		{install, []string{"One cluster, with Helm alone"}},
		{upgrade, []string{"A new password"}},
		{retention, []string{"How long data is kept"}},
		{uninstall, []string{"Chart by chart"}},
		{install, []string{"Chart by chart"}},
		{upgrade, []string{"Chart by chart"}},
		{uninstall, []string{"Chart by chart"}},
	} {
		commands := c.page.CommandsT(t, c.headings...)
		cmd := exec.CommandContext(t.Context(), "bash", "-euc", commands)
		cmd.Dir = root
		cmd.Env = []string{"PATH=" + path, "HOME=" + home, "KUBECONFIG=" + plane.Kubeconfig}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", commands, out)
	}
	left, err := client.AppsV1().StatefulSets("kof").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Empty(t, left.Items)
	_, err = client.CoreV1().Secrets("kof").Get(t.Context(), "kof-storage-writer", metav1.GetOptions{})
	require.NoError(t, err, "what the page says that stays")
}
