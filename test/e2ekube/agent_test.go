// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// maxIdleRSS is how much memory an idle agent may have resident.
	maxIdleRSS = 150 << 20
	// maxBytesPerSample is what metrics may take on the wire: of a node with little on it, whose labels repeat less than on a full one.
	maxBytesPerSample = 16.0
	// idleTime is how long an agent is watched for its requests to the API server.
	idleTime = 60 * time.Second
)

// agent is the agent's pod and process.
type agent struct {
	pod     string
	uid     string
	process *os.Process
}

// agent finds the agent that is ready.
func (w *world) agent(t *testing.T) agent {
	t.Helper()
	var a agent
	found := eventually(t, podTimeout, func() bool {
		pods, err := w.cluster.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=kof-agent"})
		require.NoError(t, err)
		for _, p := range pods.Items {
			if p.DeletionTimestamp == nil && ready(&p) {
				process, ok := processOf(t, string(p.UID))
				a = agent{p.Name, string(p.UID), process}
				return ok
			}
		}
		return false
	})
	if !found {
		t.Log(w.state())
	}
	require.True(t, found, "an agent that is ready")
	return a
}

// waitAgent waits until another process than that one is the agent.
func (w *world) waitAgent(t *testing.T, before agent) agent {
	t.Helper()
	var now agent
	require.True(t, eventually(t, 2*podTimeout, func() bool {
		now = w.agent(t)
		return now.process.Pid != before.process.Pid
	}))
	return now
}

func ready(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// processOf finds the collector among the processes in a pod's cgroup, as this machine numbers them.
func processOf(t *testing.T, uid string) (*os.Process, bool) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cgroup")
	require.NoError(t, err)
	for _, f := range files {
		cgroups, err := os.ReadFile(f)
		if err != nil || !strings.Contains(string(cgroups), "pod"+uid) {
			continue
		}
		exe, err := os.Readlink(filepath.Join(filepath.Dir(f), "exe"))
		if err != nil || filepath.Base(exe) != "kof-otelcol" {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		require.NoError(t, err)
		p, err := os.FindProcess(pid)
		require.NoError(t, err)
		return p, true
	}
	return nil, false
}

// memory returns two lines of /proc/PID/status, in bytes.
func memory(t *testing.T, pid int) (resident, anonymous int64) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[2] == "kB" {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			require.NoError(t, err)
			switch fields[0] {
			case "VmRSS:":
				resident = n << 10
			case "RssAnon:":
				anonymous = n << 10
			}
		}
	}
	return resident, anonymous
}

// testIdle looks at an agent that has nothing but its node to look at: its memory, and what it asks the API server.
func testIdle(t *testing.T, w *world) {
	time.Sleep(time.Until(w.ready.Add(idleTime))) // a measurement over a time
	start := time.Now()
	resident, anonymous := memory(t, w.agent(t).process.Pid)
	t.Logf("agent idle: %.0f MB resident, %.0f MB of it anonymous", float64(resident)/1e6, float64(anonymous)/1e6)
	require.LessOrEqual(t, resident, int64(maxIdleRSS))
	requireFewRequests(t, w.requests(t), start)
	requireWire(t, w.regions[homeRegion])
}

// requireWire looks at what the agent says of its metrics lane: what it scrapes on an idle node is the mix of every node.
func requireWire(t *testing.T, r *region) {
	t.Helper()
	sent := r.series(t, fmt.Sprintf(`{__name__=~"otelcol_kof_region_wire_bytes(_total)?",region=%q,signal="metrics",job="kof-otelcol"}`, homeRegion))
	require.Len(t, sent, 1)
	newest := len(sent[0].Values) - 1
	// Of later samples some may not be among the bytes yet.
	until := sent[0].Timestamps[newest] - (2 * scrapeInterval).Milliseconds()
	samples := 0
	for _, s := range r.series(t, `{__name__!="",job!~"kof-otelcol-cluster|kube-state-metrics"}`) { // others have lanes of their own
		for _, at := range s.Timestamps {
			if at <= until {
				samples++
			}
		}
	}
	bytes := sent[0].Values[newest] / float64(samples)
	t.Logf("metrics on the wire: %.1f bytes a sample, of %d samples", bytes, samples)
	require.LessOrEqual(t, bytes, maxBytesPerSample)
}
