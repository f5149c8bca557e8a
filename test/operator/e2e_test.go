// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/k0rdent/kof/internal/kofctl"
	"github.com/k0rdent/kof/internal/kofctl/clusters"
	"github.com/k0rdent/kof/internal/kofctl/command"
	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/kcm"
	"github.com/k0rdent/kof/test/management"
)

const (
	system  = "kcm-system"
	team    = "team-a"
	shop    = "shop"
	prepare = 3 * time.Second
	drain   = 8 * time.Second
	wait    = time.Minute
	tick    = 100 * time.Millisecond
)

// TestEndToEnd: the real operator on a real API server, a real agent with what the operator wrote for its cluster, and two regions of real
// stores behind real vmauths with the users that the operator wrote for them. A child cluster is labelled, and its telemetry arrives in its
// region; its credential is rotated under load; it is re-homed, while its old region is down, by its label. No record is lost, and none is in the
// wrong region: each has a number, and all up to one are in the one region, all after it in the other.
//
// The test itself plays Sveltos, the kubelet and the VictoriaMetrics operator: it copies what the operator wrote to where agent and vmauth
// read it, each a little late, and restarts the agent when the chart's values say another home, as a DaemonSet would.
func TestEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a control plane, an operator, an agent and two regions")
	}
	binary := buildOperator(t)
	m := management.StartT(t)
	eu, us := startRegion(t, m, "eu1"), startRegion(t, m, "us1")
	startOperator(t, m, binary)
	for _, r := range []*site{eu, us} {
		r.declare(t)
	}
	deployment(t, m, team, shop, kcm.RoleChild, map[string]any{"region": "place-eu1"})

	n := startNode(t, m)
	load := startLoad(t, n.otlp)
	// Without metrics, which VictoriaMetrics takes seconds to show: those are looked for at the end.
	arrived := func(r *site, from int) bool {
		found := r.numbers(t)
		return min(newest(found.logs), newest(found.traces)) > from
	}
	eventually(t, "telemetry in the region of the cluster's place", func() bool { return arrived(eu, 0) })
	require.Equal(t, "Location", assignment(t, m).Spec.Rule)

	// Under load, by request.
	first := n.login("eu1")
	require.Equal(t, http.StatusNoContent, eu.write(t, first), "the credential is of use")
	annotate(t, m, kcm.AnnotationRotate, "now")
	eventually(t, "another credential in use, and the first of none", func() bool {
		return n.login("eu1") != first && eu.write(t, first) == http.StatusUnauthorized
	})
	after := load.sent()
	eventually(t, "telemetry with the new credential", func() bool { return arrived(eu, after) })
	require.Zero(t, n.refused(t), "requests that the region's door refused")

	// To another zone, by label. Its region goes away, so that something has to be delivered to it while the home is another already.
	before := load.sent()
	label(t, m, kcm.LabelRegional, "us1")
	eventually(t, "preparing", func() bool { m := assignment(t, m).Spec.Moving; return m != nil && m.Phase == "Preparing" })
	eu.close()
	eventually(t, "the agent has the new home", func() bool { return n.home() == "us1" })
	eu.open(t)
	switched := load.sent()
	eventually(t, "telemetry in the new region", func() bool { return arrived(us, switched) })
	eventually(t, "settled", func() bool {
		a := assignment(t, m)
		return a.Spec.Region == "us1" && a.Spec.Moving == nil && meta.IsStatusConditionTrue(a.Status.Conditions, v1beta1.ConditionSettled)
	})
	var events []string
	for _, d := range assignment(t, m).Status.History {
		events = append([]string{d.Event}, events...)
	}
	require.Equal(t, []string{"Assigned", "RehomingPrepared", "RehomingSwitched", "RehomingFinished"}, events)
	eventually(t, "the old region forgets the cluster", func() bool { return eu.write(t, n.login("eu1")) == http.StatusUnauthorized })

	requireSeen(t, m, us)
	last := load.stop()
	t.Logf("%d records of each signal; label set after %d, new home before %d; %d sent twice by the test, %d requests refused",
		last, before, switched, load.again.Load(), n.refused(t))
	var old, new numbers
	eventually(t, "all of it", func() bool {
		old, new = eu.numbers(t), us.numbers(t)
		return old.distinct()+new.distinct() >= 3*last
	})
	for signal, pair := range map[string][2][]int{"logs": {old.logs, new.logs}, "metrics": {old.metrics, new.metrics}, "traces": {old.traces, new.traces}} {
		there, here := unique(pair[0]), unique(pair[1])
		require.Equal(t, upTo(last), unique(append(slices.Clone(there), here...)), "%s: every record once or more", signal)
		require.Less(t, slices.Max(there), slices.Min(here), "%s: none in the wrong region", signal)
		require.GreaterOrEqual(t, slices.Max(there), before, "%s: the old home until the switch", signal)
		require.LessOrEqual(t, slices.Min(here), switched+1, "%s: the new home from the switch on", signal)
		// A request whose answer got lost at the agent's restart is sent again.
		require.LessOrEqual(t, len(pair[0])+len(pair[1])-last, int(load.again.Load()), "%s: copies", signal)
	}
	n.requireLedger(t)
}

// requireSeen has kofctl find the cluster's state in the API server, and in the metrics of the real agent in the real store.
func requireSeen(t *testing.T, m *management.Cluster, r *site) {
	t.Helper()
	var shopping clusters.Cluster
	eventually(t, "kofctl sees what the agent holds", func() bool {
		var out, errs bytes.Buffer
		code := kofctl.Run(t.Context(), []string{"clusters", "-n", team, "-o", "json", "--kubeconfig", m.Kubeconfig, "--metrics-url", r.stores.Metrics.URL}, &out, &errs)
		require.Equal(t, command.OK, code, errs.String())
		var report clusters.Report
		require.NoError(t, json.Unmarshal(out.Bytes(), &report))
		require.Len(t, report.Clusters, 1)
		shopping = report.Clusters[0]
		return shopping.LastSeen != nil && shopping.Held != nil
	})
	require.Equal(t, []string{shop, "us1", "zone-us1", "Label"}, []string{shopping.Name, shopping.Region, shopping.Zone, shopping.Rule})
	require.WithinDuration(t, time.Now(), *shopping.LastSeen, wait)
	require.True(t, shopping.Settled)
}

func buildOperator(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "kof-operator")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/kof-operator").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

func startOperator(t *testing.T, m *management.Cluster, binary string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "operator.log"))
	require.NoError(t, err)
	cmd := exec.Command(binary, "-system-namespace="+system, "-namespaces="+system+","+team, "-leader-elect=false", "-metrics-bind-address=0", "-health-probe-bind-address=0",
		"-rehoming-prepare="+prepare.String(), "-rehoming-drain="+drain.String(), "-rotation-interval=0", "-rotation-overlap="+overlap.String())
	cmd.Env = append(os.Environ(), "KUBECONFIG="+m.OperatorKubeconfig)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = endsWithParent()
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		err := cmd.Wait()
		text, _ := os.ReadFile(log.Name())
		if t.Failed() {
			t.Logf("the operator's log ends with:\n%s", text[max(0, len(text)-8000):])
		}
		require.NoError(t, err)
		require.NoError(t, log.Close())
	})
}

// deployment makes a ClusterDeployment.
func deployment(t *testing.T, m *management.Cluster, namespace, name, role string, config map[string]any) {
	t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"template": "aws-standalone-cp-1-0-14", "config": config}}}
	u.SetGroupVersionKind(kcm.GroupVersion.WithKind("ClusterDeployment"))
	u.SetNamespace(namespace)
	u.SetName(name)
	u.SetLabels(map[string]string{kcm.LabelRole: role})
	require.NoError(t, m.Create(t.Context(), u))
}

func label(t *testing.T, m *management.Cluster, key, value string) {
	t.Helper()
	patch(t, m, &kcm.ClusterDeployment{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: shop}}, map[string]any{"metadata": map[string]any{"labels": map[string]any{key: value}}})
}

func annotate(t *testing.T, m *management.Cluster, key, value string) {
	t.Helper()
	patch(t, m, &kcm.ClusterDeployment{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: shop}}, map[string]any{"metadata": map[string]any{"annotations": map[string]any{key: value}}})
}

func patch(t *testing.T, m *management.Cluster, o client.Object, what any) {
	t.Helper()
	text, err := json.Marshal(what)
	require.NoError(t, err)
	require.NoError(t, m.Patch(t.Context(), o, client.RawPatch("application/merge-patch+json", text)))
}

func assignment(t *testing.T, m *management.Cluster) v1beta1.RegionAssignment {
	t.Helper()
	var a v1beta1.RegionAssignment
	require.NoError(t, m.Get(t.Context(), client.ObjectKey{Namespace: team, Name: shop}, &a))
	return a
}

// secret returns a Secret, empty if there is none.
func secret(ctx context.Context, m *management.Cluster, namespace, name string) (corev1.Secret, error) {
	var s corev1.Secret
	err := m.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &s)
	return s, client.IgnoreNotFound(err)
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	begin := time.Now()
	for !is() {
		if time.Since(begin) > wait {
			t.Fatalf("not within %v: %s", wait, what)
		}
		time.Sleep(tick)
	}
	t.Logf("%s: after %v", what, time.Since(begin).Round(tick))
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i + 1
	}
	return out
}

// newest returns the highest number, 0 of none.
func newest(n []int) int { return slices.Max(append([]int{0}, n...)) }

func unique(n []int) []int {
	out := slices.Clone(n)
	slices.Sort(out)
	return slices.Compact(out)
}
