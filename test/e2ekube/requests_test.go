// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/kubeapi/audit"
)

const (
	// agentUser is the agent's ServiceAccount as the API server names it.
	agentUser = "system:serviceaccount:" + namespace + ":" + release + "-agent"
	// maxRequestsPerHour is what an idle agent may ask of the API server, whatever the cluster's size.
	maxRequestsPerHour = 200
	// settleTime is how long after its start an agent may still ask what it asks once.
	settleTime = 20 * time.Second
)

// requests reads the agent's requests.
func (w *world) requests(t *testing.T) []audit.Request {
	t.Helper()
	all, err := audit.Read(w.cluster.AuditLog(), agentUser)
	require.NoError(t, err)
	require.NotEmpty(t, all, "the audit log has the agent's first requests")
	return all
}

// requireFewRequests works out what an agent asks in an hour. Its watches each last for minutes, longer than a test can wait, and
// their requests say how long; other requests are counted from the time that the agent has settled.
func requireFewRequests(t *testing.T, all []audit.Request, to time.Time) {
	t.Helper()
	from := all[0].Received.Add(settleTime)
	require.True(t, to.After(from), "nothing to look at")
	watches, others := audit.PerHour(all, from, to)
	t.Logf("agent's requests to the API server since its start: %s", describe(audit.Count(all)))
	t.Logf("in an hour: %.0f that renew its watches, %.0f others, as in the last %s", watches, others, to.Sub(from).Round(time.Second))
	require.Positive(t, watches)
	require.LessOrEqual(t, watches+others, float64(maxRequestsPerHour))
}

func describe(counts map[string]int) string {
	var out []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, fmt.Sprintf("%d %s", counts[what], what))
	}
	return strings.Join(out, ", ")
}
