// SPDX-License-Identifier: Apache-2.0

package kubeapi

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestControlPlane(t *testing.T) {
	var processes []*process
	t.Run("serves", func(t *testing.T) {
		cp := StartT(t)
		processes = cp.processes
		client := clientOf(t, cp.Config)
		_, err := client.CoreV1().Nodes().Create(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}, metav1.CreateOptions{})
		require.NoError(t, err)
		list, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=n1"})
		require.NoError(t, err)
		require.Len(t, list.Items, 1)
		other, _, err := cp.User("nobody")
		require.NoError(t, err)
		_, err = clientOf(t, other).CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
		require.True(t, apierrors.IsForbidden(err), "RBAC holds: %v", err)
	})
	for _, p := range processes {
		<-p.done
	}
	require.Len(t, processes, 2)
}

func clientOf(t *testing.T, c *rest.Config) kubernetes.Interface {
	t.Helper()
	hc, err := rest.HTTPClientFor(c)
	require.NoError(t, err)
	t.Cleanup(hc.CloseIdleConnections)
	out, err := kubernetes.NewForConfigAndClient(c, hc)
	require.NoError(t, err)
	return out
}
