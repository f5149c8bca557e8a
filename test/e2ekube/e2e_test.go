// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/k0rdent/kof/test/kube"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// part is one of the tests on an installation.
type part struct {
	name string
	test func(*testing.T, *world)
}

// TestKubernetes is one test, as a cluster is dear; its parts build on the same installation, each with workloads of its own.
func TestKubernetes(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a Kubernetes for minutes")
	}
	kube.NeedT(t)
	w := newWorld(t, kube.KubeletOptions{ContainerLogMaxSize: "256Ki", ContainerLogMaxFiles: 5, ContainerLogMonitorInterval: 3 * time.Second})
	w.installOperator(t)
	w.install(t, "kof.instrumentation.enabled=true")
	t.Run("idle", func(t *testing.T) { testIdle(t, w) })
	// They mostly wait, and disturb nothing but workloads of their own.
	t.Run("undisturbed", func(t *testing.T) {
		for _, p := range []part{
			{"arrival", testArrival},
			{"state of the cluster", testClusterState},
			{"instrumentation", testInstrumentation},
			{"pod delete", testPodDelete},
			{"container restart", testContainerRestart},
			{"log rotation", testLogRotation},
		} {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				p.test(t, w)
			})
		}
	})
	for _, p := range []part{
		{"node and kubelet metrics", testNodeMetrics},
		{"agent killed", testAgentKilled},
		{"agent deleted, addresses masqueraded", testAgentDeleted},
		{"backend outage", testOutage},
		{"rolling update with full queues", testRollingUpdate},
		{"the whole stack", testStack}, // last: it takes the others' installation away
	} {
		t.Run(p.name, func(t *testing.T) { p.test(t, w) })
	}
}
