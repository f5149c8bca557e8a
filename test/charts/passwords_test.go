// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/test/kubeapi"
)

// TestPasswordsStay: passwords of the chart's own are made at the first installation, and are the same after an upgrade and after an
// uninstallation.
func TestPasswordsStay(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	plane := kubeapi.StartT(t)
	client := clientOf(t, plane)
	run := func(args ...string) {
		t.Helper()
		_, errs, err := helm(t, "", append(args, "-n", "kof", "--kubeconfig", plane.Kubeconfig)...)
		require.NoError(t, err, errs)
	}
	passwords := func() map[string]string {
		t.Helper()
		out := map[string]string{}
		for _, name := range []string{"kof-storage-writer", "kof-storage-reader"} {
			secret, err := client.CoreV1().Secrets("kof").Get(t.Context(), name, metav1.GetOptions{})
			require.NoError(t, err)
			require.Equal(t, "kof-storage-"+string(secret.Data["username"]), name)
			out[name] = string(secret.Data["password"])
		}
		return out
	}
	install := []string{"upgrade", "--install", "kof-storage", chartPath(t, "kof-storage"), "--create-namespace", "--set", "form=standalone"}
	run(install...)
	first := passwords()
	require.Len(t, first["kof-storage-writer"], 32)
	require.NotEqual(t, first["kof-storage-writer"], first["kof-storage-reader"])
	run(append(install, "--set", "vmauth.replicas=3")...)
	require.Equal(t, first, passwords())
	run("uninstall", "kof-storage")
	require.Equal(t, first, passwords())
	run(install...)
	require.Equal(t, first, passwords())
}
