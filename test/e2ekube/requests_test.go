// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	// agentUser is the agent's ServiceAccount as the API server names it.
	agentUser = "system:serviceaccount:" + namespace + ":" + release + "-agent"
	// maxRequestsPerHour is what an idle agent may ask of the API server, whatever the cluster's size.
	maxRequestsPerHour = 200
	// settleTime is how long after its start an agent may still ask what it asks once.
	settleTime = 20 * time.Second
)

// request is one request to the API server, of its audit log.
type request struct {
	verb, resource string
	received       time.Time
	open           bool          // a watch that goes on
	lasts          time.Duration // of a watch: what its client asked for
}

// requests reads the agent's requests.
func (w *world) requests(t *testing.T) []request {
	t.Helper()
	f, err := os.Open(w.cluster.AuditLog())
	require.NoError(t, err)
	defer f.Close()
	all := map[string]request{} // a watch is logged at its start and at its end
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var e struct {
			AuditID    string `json:"auditID"`
			Stage      string
			Verb       string
			RequestURI string `json:"requestURI"`
			User       struct{ Username string }
			ObjectRef  struct{ Resource string }
			Received   time.Time `json:"requestReceivedTimestamp"`
		}
		if json.Unmarshal(scanner.Bytes(), &e) != nil || e.User.Username != agentUser {
			continue // the last line may not be whole yet
		}
		r := request{verb: e.Verb, resource: e.ObjectRef.Resource, received: e.Received, open: e.Stage == "ResponseStarted"}
		if before, ok := all[e.AuditID]; ok {
			r.open = r.open && before.open
		}
		if e.Verb == "watch" {
			u, err := url.Parse(e.RequestURI)
			require.NoError(t, err)
			seconds, err := strconv.Atoi(u.Query().Get("timeoutSeconds"))
			require.NoError(t, err, "a watch without an end: %s", e.RequestURI)
			r.lasts = time.Duration(seconds) * time.Second
		}
		all[e.AuditID] = r
	}
	require.NoError(t, scanner.Err())
	require.NotEmpty(t, all, "the audit log has the agent's first requests")
	return slices.Collect(maps.Values(all))
}

// requireFewRequests works out what an agent asks in an hour. Its watches each last for minutes, longer than a test can wait, and
// their requests say how long; other requests are counted from the time that the agent has settled.
func requireFewRequests(t *testing.T, all []request, to time.Time) {
	t.Helper()
	counts := map[string]int{}
	first := to
	for _, r := range all {
		counts[r.verb+" "+r.resource]++
		if r.received.Before(first) {
			first = r.received
		}
	}
	from := first.Add(settleTime)
	require.True(t, to.After(from), "nothing to look at")
	var watches, others float64
	for _, r := range all {
		switch {
		case r.open:
			watches += float64(time.Hour) / float64(r.lasts)
		case r.received.After(from) && r.received.Before(to):
			others += float64(time.Hour) / float64(to.Sub(from))
		}
	}
	t.Logf("agent's requests to the API server since its start: %s", describe(counts))
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
