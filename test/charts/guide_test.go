// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/test/kubeapi"
	"github.com/k0rdent/kof/test/toolcache"
)

// commandsOf returns the shell commands of a page, by the heading that they stand under.
func commandsOf(t *testing.T, page string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", page))
	require.NoError(t, err)
	out := map[string]string{}
	heading, inBlock := "", false
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, "```"):
			inBlock = !inBlock && strings.HasPrefix(line, "```sh")
		case inBlock:
			out[heading] += line
		case strings.HasPrefix(line, "#"):
			heading = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
	}
	return out
}

// TestGuide runs the commands of the pages on installing, upgrading, retention and uninstalling at a real control plane that knows the kinds
// of k0rdent, Flux and the operators. It has no nodes and no controllers: what runs in pods, and what "Look" shows, isn't seen here.
func TestGuide(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	plane := kubeapi.StartT(t)
	newAPI(t, plane).installCRDs(t)
	path := os.Getenv("PATH")
	for _, tool := range []string{"helm", "kubectl"} {
		binary, err := toolcache.Binary(t.Context(), tool, os.Stderr)
		require.NoError(t, err)
		path = filepath.Dir(binary) + string(os.PathListSeparator) + path
	}
	home := t.TempDir()
	guide, retention := commandsOf(t, "install.md"), commandsOf(t, "retention.md")
	for _, commands := range []string{
		guide["Install, upgrade, uninstall"], guide["Regional: each region stores its own data"], guide["Regionless: the management cluster stores everything"],
		guide["Without k0rdent and Flux"], guide["Upgrade"], retention["How long data is kept"], guide["Uninstall"],
	} {
		require.NotEmpty(t, commands)
		cmd := exec.CommandContext(t.Context(), "bash", "-euc", commands)
		cmd.Dir = root
		cmd.Env = []string{"PATH=" + path, "HOME=" + home, "KUBECONFIG=" + plane.Kubeconfig}
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s\n%s", commands, out)
	}
	client := clientOf(t, plane)
	left, err := client.AppsV1().StatefulSets("kof").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Empty(t, left.Items)
	_, err = client.CoreV1().Secrets("kof").Get(t.Context(), "kof-storage-writer", metav1.GetOptions{})
	require.NoError(t, err, "what the page says that stays")
}
