// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/test/guide"
)

const (
	// stackRegion is the region that kof-collectors has without any values.
	stackRegion = "default"
	// beforeRetention is older than the chart's default of 30 days and younger than what docs/retention.md sets.
	beforeRetention = 40 * 24 * time.Hour
)

// testStack installs stores and agents by the commands of docs/install.md, with nothing set but what these say, and takes them away
// again by those of docs/uninstall.md. Nothing of the installation of the other tests is left by then, as two agents can't share a
// node's ports.
func testStack(t *testing.T, w *world) {
	_, err := w.cluster.Exec(t.Context(), nil, "helm", "uninstall", release, "--namespace="+namespace, "--wait")
	require.NoError(t, err)
	s := &world{cluster: w.cluster, namespace: stackNamespace}
	s.loadStack(t)
	s.makeVolumes(t, "", "50Gi", "50Gi", "20Gi")
	install, retention := guide.ReadT(t, repository, "install.md"), guide.ReadT(t, repository, "retention.md")
	upgrade, uninstall := guide.ReadT(t, repository, "upgrade.md"), guide.ReadT(t, repository, "uninstall.md")

	s.sh(t, install.CommandsT(t, "Install", "One cluster, with Helm alone"))
	s.waitStack(t)
	writer, reader := s.doorOf(t, "writer"), s.doorOf(t, "reader")
	s.regions = map[string]*region{stackRegion: reader.read(t, s)}

	a := s.start(t, homeNamespace, "stacked", "-lines=500", "-rate=500", "-spans=50", "-points=50")
	first := a.done(t, 500, 50, 50)
	s.requireArrived(t, stackRegion, first)
	s.requireThroughDoor(t)

	old := time.Now().Add(-beforeRetention)
	s.requireTooOld(t, writer, old)
	s.sh(t, retention.CommandsT(t, "How long data is kept"))
	s.sh(t, `helm upgrade kof-storage ./deploy/charts/kof-storage -n kof --reuse-values --set jaeger.storage.options.memory.max-traces=100 -f - <<'END'
tenants:
  hooli: {users: {hooli: {access: all}}}
  umbrella: {users: {umbrella: {access: all}}}
END`)
	s.waitStack(t)
	s.requireYoungEnough(t, writer, old)
	s.requireMaxTraces(t, writer, 300, 100)
	t.Run("tenants", func(t *testing.T) { testStackTenants(t, s) })

	s.sh(t, "helm upgrade kof-storage ./deploy/charts/kof-storage -n kof --reuse-values --set jaeger.storage.type=badger")
	s.waitStack(t)
	b := s.start(t, homeNamespace, "kept", "-lines=900", "-rate=150", "-spans=100", "-points=100")
	b.done(t, 150, 10, 10)
	s.deleteStores(t)
	second := b.done(t, 900, 100, 100)
	s.waitStack(t)
	s.requireArrived(t, stackRegion, second)
	// Of the first run, spans were in memory.
	require.Empty(t, s.regions[stackRegion].lines(t, first.Run).missing(first.Lines))
	require.Empty(t, s.regions[stackRegion].points(t, first.Run).missing(first.Points))
	a.delete(t)
	b.delete(t)

	// Not at once, as a store answers with samples that are half a minute old, and agents look twice a minute.
	t.Run("look", func(t *testing.T) { testLook(t, s, install.CommandsT(t, "Look")) })
	before := s.uidOf(t, "kof-storage-victoria-metrics-0")
	s.sh(t, upgrade.CommandsT(t, "What Helm can't change"))
	s.waitStack(t)
	require.Equal(t, before, s.uidOf(t, "kof-storage-victoria-metrics-0"), "the pod runs on")

	s.sh(t, uninstall.CommandsT(t, "Chart by chart"))
	s.requireStays(t)
	s.sh(t, uninstall.CommandsT(t, "What stays"))
}

// testLook runs the page's questions, each of which has an answer with data in it.
func testLook(t *testing.T, s *world, commands string) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl on this machine")
	}
	out := s.sh(t, commands)
	require.Contains(t, out, `"cluster":"my-cluster"`)
	require.Contains(t, out, `"k8s.cluster.name":"my-cluster"`)
	require.Contains(t, out, "workload-")
}

// requireThroughDoor requires that the agents are known to VMAuth as its writer, and that nobody was turned away.
func (w *world) requireThroughDoor(t *testing.T) {
	t.Helper()
	requests := 0.0
	pods, err := w.cluster.Client.CoreV1().Pods(stackNamespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=vmauth"})
	require.NoError(t, err)
	for _, p := range pods.Items {
		page := w.page(t, "http://"+p.Status.PodIP+":8426/metrics")
		requests += counter(t, page, `vmauth_user_requests_total{username="writer"}`)
		require.Zero(t, counter(t, page, `vmauth_http_request_errors_total{reason="invalid_auth_token"}`), page)
	}
	require.Positive(t, requests)
}

// requireTooOld requires that the stores take nothing that is older than they keep, and count it.
func (w *world) requireTooOld(t *testing.T, writer *door, old time.Time) {
	t.Helper()
	w.writeAged(t, writer, old, "before")
	metrics := w.page(t, w.serviceURL(t, stores["metrics"]).String()+"/metrics")
	require.EqualValues(t, 1, counter(t, metrics, `vm_rows_ignored_total{reason="small_timestamp"}`))
	logs := w.page(t, w.serviceURL(t, stores["logs"]).String()+"/metrics")
	require.EqualValues(t, 1, counter(t, logs, `vl_rows_dropped_total{reason="too_small_timestamp"}`))
	require.Equal(t, []string{"young_before"}, w.agedSeries(t))
	require.Equal(t, []string{"young before"}, w.agedLines(t))
}

// requireYoungEnough requires that what was too old is taken with the metrics' longer retention, and that what was there still is. Logs have
// the same as before.
func (w *world) requireYoungEnough(t *testing.T, writer *door, old time.Time) {
	t.Helper()
	w.writeAged(t, writer, old, "after")
	require.Equal(t, []string{"old_after", "young_after", "young_before"}, w.agedSeries(t))
	require.Equal(t, []string{"young after", "young before"}, w.agedLines(t))
}

// writeAged writes a sample and a line of long ago, and of just now.
func (w *world) writeAged(t *testing.T, writer *door, old time.Time, when string) {
	t.Helper()
	for name, at := range map[string]time.Time{"old": old, "young": time.Now().Add(-time.Minute)} {
		writer.writeSample(t, at, name+"_"+when, "what", "age")
		writer.writeLine(t, at, name+" "+when, "what", "age")
	}
}

// requireMaxTraces sends traces and requires that so many are kept.
func (w *world) requireMaxTraces(t *testing.T, writer *door, sent, kept int) {
	t.Helper()
	const service = "many"
	writer.writeTraces(t, service, sent)
	count := 0
	eventually(t, podTimeout, func() bool {
		traces, err := w.regions[stackRegion].Traces.Traces(t.Context(), service, sent+1, time.Time{}, time.Time{})
		require.NoError(t, err)
		count = len(traces)
		return count == kept
	})
	require.Equal(t, kept, count, "of %d traces", sent)
}

// testStackTenants has two tenants at the stores that all share: what one writes is its own, whatever it says, and it reads nothing else. All that
// they could try is tried in package charts.
func testStackTenants(t *testing.T, s *world) {
	now := time.Now().Add(-time.Minute)
	hooli, umbrella := s.doorOf(t, "hooli"), s.doorOf(t, "umbrella")
	hooli.writeSample(t, now, "lie", "tenant", "umbrella")
	hooli.writeLine(t, now, "line of hooli", "kof.tenant", "umbrella")
	umbrella.writeSample(t, now, "truth")
	umbrella.writeLine(t, now, "line of umbrella")
	for _, c := range []struct {
		door               *door
		tenant, name, line string
	}{{hooli, "hooli", "lie", "line of hooli"}, {umbrella, "umbrella", "truth", "line of umbrella"}} {
		read := c.door.read(t, s)
		all := read.series(t, `{__name__!=""}`)
		require.Len(t, all, 1, "%v", all)
		requireLabels(t, map[string]string{"__name__": c.name, "tenant": c.tenant}, all[0].Labels, c.name)
		require.NoError(t, read.Logs.Flush(t.Context()))
		lines, err := read.Logs.LogsQuery(t.Context(), "*", 0)
		require.NoError(t, err)
		require.Len(t, lines, 1, "%v", lines)
		requireLabels(t, map[string]string{"_msg": c.line, "kof.tenant": c.tenant}, lines[0], c.line)
		for _, path := range []string{tracesIn, tracesOut + "/api/services"} {
			code, body := c.door.ask(t, http.MethodGet, path, nil)
			require.Equal(t, http.StatusBadRequest, code, "traces know no tenants: %s", body)
		}
	}
}

// requireStays requires what docs/uninstall.md says that uninstalling leaves.
func (w *world) requireStays(t *testing.T) {
	t.Helper()
	claims, err := w.cluster.Client.CoreV1().PersistentVolumeClaims(stackNamespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, claims.Items, 3)
	for _, user := range []string{"writer", "reader", "hooli", "umbrella"} {
		_, err := w.cluster.Client.CoreV1().Secrets(stackNamespace).Get(t.Context(), "kof-storage-"+user, metav1.GetOptions{})
		require.NoError(t, err)
	}
	require.True(t, eventually(t, podTimeout, func() bool {
		pods, err := w.cluster.Client.CoreV1().Pods(stackNamespace).List(t.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		return len(pods.Items) == 0
	}))
	require.NotContains(t, strings.TrimSpace(w.sh(t, "kubectl get clusterrole -o name")), "kof-collectors")
}
