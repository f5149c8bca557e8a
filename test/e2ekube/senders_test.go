// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testAgentDeleted deletes the agent's pod without any grace, twice: the first new one is in a pod network that masquerades host ports, as
// many do, so that it sees the bridge's address in place of the pod's. What a tenant sends meanwhile could be anyone's: it is refused, so
// that none of it gets to the home region, and arrives where it belongs when addresses are kept again.
func testAgentDeleted(t *testing.T, w *world) {
	t.Cleanup(func() { w.masquerade(t, false) })
	w.disturb(t, "agent-deleted", func() {
		w.masquerade(t, true)
		w.deleteAgent(t)
		a := w.start(t, tenantNamespace, "masqueraded", "-lines=100", "-rate=100", "-spans=20", "-points=20")
		s := a.waitState(t, func(s state) bool { return s.Errors >= 20 })
		require.Zero(t, s.Spans+s.Points, "nothing of it is taken")
		w.masquerade(t, false)
		w.deleteAgent(t)
		w.requireArrived(t, tenantRegion, a.done(t, 100, 20, 20))
		a.delete(t)
	})
}

func (w *world) deleteAgent(t *testing.T) {
	t.Helper()
	agent := w.agent(t)
	require.NoError(t, w.deleteNow(t, agent))
	w.waitAgent(t, agent)
}

// masquerade sets what the pod network does with host ports of pods that are made from now on.
func (w *world) masquerade(t *testing.T, on bool) {
	t.Helper()
	path := filepath.Join(w.cluster.Dir(), "cni", "10-pods.conflist")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	from, to := `"snat": true`, `"snat": false`
	if on {
		from, to = to, from
	}
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o600))
	time.Sleep(time.Second) // containerd watches the folder, and says nothing of it
}
