// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/k0rdent/kof/test/kube"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestKubernetes is one test, as a cluster is dear; its parts build on the same installation, each with workloads of its own.
func TestKubernetes(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a Kubernetes for minutes")
	}
	kube.NeedT(t)
	w := newWorld(t, kube.KubeletOptions{ContainerLogMaxSize: "256Ki", ContainerLogMaxFiles: 5, ContainerLogMonitorInterval: 3 * time.Second})
	w.install(t)
	for _, part := range []struct {
		name string
		test func(*testing.T, *world)
	}{
		{"idle", testIdle},
		{"arrival", testArrival},
		{"node and kubelet metrics", testNodeMetrics},
		{"pod delete", testPodDelete},
		{"container restart", testContainerRestart},
		{"log rotation", testLogRotation},
		{"agent killed", testAgentKilled},
		{"agent deleted", testAgentDeleted},
		{"backend outage", testOutage},
		{"rolling update with a full queue", testRollingUpdate},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, w) })
	}
}
