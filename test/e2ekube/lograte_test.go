// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/kube"
)

// logRateEnv is for how long TestLogRate has a pod write.
const logRateEnv = "KOF_E2E_LOG_RATE"

// TestLogRate has a pod write 20,000 lines a second, whose log the kubelet rotates at its default of 10 MiB, and kills the agent three
// times meanwhile; all lines arrive. The kubelet keeps five files and looks every ten seconds, so that the agent's pod is deleted rather
// than its process killed: a back-off of the third start would be longer than the files are kept.
func TestLogRate(t *testing.T) {
	if os.Getenv(logRateEnv) == "" {
		t.Skip("takes minutes: set " + logRateEnv + " to a time, such as 2m")
	}
	length, err := time.ParseDuration(os.Getenv(logRateEnv))
	require.NoError(t, err)
	const rate, kills = 20_000, 3
	w := newWorld(t, kube.KubeletOptions{})
	w.install(t)
	lines := int64(length.Seconds() * rate)
	a := w.start(t, homeNamespace, "fast", fmt.Sprintf("-lines=%d", lines), fmt.Sprintf("-rate=%d", rate), "-length=160")
	start := time.Now()
	for range kills {
		time.Sleep(length / (kills + 1)) // the time between two kills
		agent := w.agent(t)
		require.NoError(t, w.deleteNow(t, agent))
		w.waitAgent(t, agent)
	}
	s := waitLines(t, a, lines, 2*length)
	t.Logf("%d lines written in %s", s.Lines, time.Since(start).Round(time.Second))
	files, err := w.cluster.Exec(t.Context(), nil, "sh", "-c", "ls -l /var/log/pods/"+homeNamespace+"_fast-*/"+container)
	require.NoError(t, err)
	require.Regexp(t, `0\.log\.\d{8}-\d{6}`, files, "the kubelet has rotated")
	home := w.regions[homeRegion]
	var all, distinct int64
	ok := eventually(t, arriveTimeout, func() bool {
		all, distinct = home.countLines(t, s.Run)
		return distinct == lines
	})
	if !ok {
		t.Log(files, w.state())
	}
	require.True(t, ok, "%d of %d lines are there, %d with copies", distinct, lines, all)
	t.Logf("all %d lines arrived, %d of them more than once", distinct, all-distinct)
}

// waitLines is done for a run of a length that its own bound doesn't allow for.
func waitLines(t *testing.T, a *app, lines int64, timeout time.Duration) (s state) {
	t.Helper()
	require.True(t, eventually(t, timeout, func() bool { return a.get(t, "/state", &s) && s.Lines >= lines }), "the workload is at %+v", s)
	return s
}

// countLines counts a run's lines in the store: millions can't be read one by one.
func (r *region) countLines(t *testing.T, run string) (all, distinct int64) {
	t.Helper()
	require.NoError(t, r.Logs.Flush(t.Context()))
	rows, err := r.Logs.LogsQuery(t.Context(), fmt.Sprintf(`"run=%s" | extract " n=<n> " from _msg | stats count() as all, count_uniq(n) as distinct`, run), 0)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	all, err = strconv.ParseInt(rows[0]["all"], 10, 64)
	require.NoError(t, err)
	distinct, err = strconv.ParseInt(rows[0]["distinct"], 10, 64)
	require.NoError(t, err)
	return all, distinct
}
