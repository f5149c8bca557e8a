// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/test/faultproxy"
)

// testPodDelete deletes a workload that writes at its very end: what it wrote last is there too, although the kubelet removes
// its logs.
func testPodDelete(t *testing.T, w *world) {
	a := w.start(t, homeNamespace, "deleted", "-lines=300", "-rate=200", "-final=200", "-spans=20", "-points=20")
	s := a.done(t, 300, 20, 20)
	a.delete(t)
	s.Lines += 200
	w.requireArrived(t, homeRegion, s)
}

// testContainerRestart has a container end by itself and start again: a new log file beside the old one.
func testContainerRestart(t *testing.T, w *world) {
	a := w.start(t, homeNamespace, "restarted", "-lines=300", "-rate=200", "-spans=20", "-points=20")
	first := a.done(t, 300, 20, 20)
	a.get(t, "/exit", nil)
	second := a.waitState(t, func(s state) bool { return s.Run != first.Run && s.Lines == 300 && s.Spans == 20 && s.Points == 20 })
	w.requireArrived(t, homeRegion, first)
	w.requireArrived(t, homeRegion, second)
	a.delete(t)
}

// testLogRotation writes several times what a log file may hold, for several of the kubelet's looks at its size.
func testLogRotation(t *testing.T, w *world) {
	const lines = 60_000
	a := w.start(t, homeNamespace, "rotated", "-lines=60000", "-rate=2000", "-length=200")
	s := a.done(t, lines, 0, 0)
	files, err := w.cluster.Exec(t.Context(), nil, "sh", "-c", "ls -l /var/log/pods/"+homeNamespace+"_rotated-*/"+container)
	require.NoError(t, err)
	require.Regexp(t, `0\.log\.\d{8}-\d{6}`, files, "the kubelet has rotated")
	w.requireArrived(t, homeRegion, s)
	a.delete(t)
}

// testAgentKilled kills the agent's process while a workload writes; the kubelet starts the container again.
func testAgentKilled(t *testing.T, w *world) {
	w.disturb(t, "agent-killed", func() {
		agent := w.agent(t)
		require.NoError(t, agent.process.Kill())
		w.waitAgent(t, agent)
	})
}

func (w *world) deleteNow(t *testing.T, a agent) error {
	none := int64(0)
	return w.cluster.Client.CoreV1().Pods(namespace).Delete(t.Context(), a.pod, metav1.DeleteOptions{GracePeriodSeconds: &none})
}

// disturb does something in the middle of a workload, which then has to arrive as a whole.
func (w *world) disturb(t *testing.T, name string, what func()) {
	t.Helper()
	a := w.start(t, homeNamespace, name, "-lines=3000", "-rate=150", "-spans=200", "-points=200")
	a.done(t, 500, 20, 20)
	what()
	s := a.done(t, 3000, 200, 200)
	w.requireArrived(t, homeRegion, s)
	a.delete(t)
}

// testOutage has the backends of the home region refuse everything for a while; those of the other region go on.
func testOutage(t *testing.T, w *world) {
	a := w.start(t, homeNamespace, "outage", "-lines=3000", "-rate=150", "-spans=200", "-points=200")
	a.done(t, 200, 10, 10)
	home := w.regions[homeRegion]
	home.set(t, faultproxy.Fault{Kind: faultproxy.Refuse})
	b := w.start(t, tenantNamespace, "outage", "-lines=300", "-rate=150", "-spans=50", "-points=50")
	w.requireArrived(t, tenantRegion, b.done(t, 300, 50, 50))
	s := a.done(t, 3000, 200, 200)
	require.NotEmpty(t, home.lines(t, s.Run).missing(s.Lines), "the outage is one")
	home.set(t, faultproxy.Fault{})
	w.requireArrived(t, homeRegion, s)
	a.delete(t)
	b.delete(t)
}

// testRollingUpdate updates the agent and the cluster's collectors while their queues hold what the home region's backends don't take.
func testRollingUpdate(t *testing.T, w *world) {
	a := w.start(t, homeNamespace, "updated", "-lines=40000", "-rate=1000", "-length=400", "-spans=300", "-points=300")
	first := a.done(t, 500, 10, 10)
	home := w.regions[homeRegion]
	home.set(t, faultproxy.Fault{Kind: faultproxy.Answer, Status: 503})
	start := time.Now()
	w.tellEvents(t, first.Run, 0, 50)
	a.done(t, 20_000, 100, 100)
	before := w.agent(t)
	end := time.Now()
	at := "updated=" + end.Format("15-04-05")
	w.helmUpgrade(t, "agent.podAnnotations."+at, "clusterCollector.podAnnotations."+at)
	after := w.waitAgent(t, before)
	require.NotEqual(t, before.pod, after.pod, "the update made a new pod")
	w.tellEvents(t, first.Run, 50, 60)
	s := a.done(t, 40_000, 300, 300)
	require.NotEmpty(t, home.lines(t, s.Run).missing(s.Lines), "the queue had to be full of it")
	require.Empty(t, home.events(t, s.Run), "the outage is one for the cluster's collectors too")
	home.set(t, faultproxy.Fault{})
	w.requireArrived(t, homeRegion, s)
	w.requireEvents(t, home, s.Run, 60)
	requireState(t, home, start, end)
	a.delete(t)
}
