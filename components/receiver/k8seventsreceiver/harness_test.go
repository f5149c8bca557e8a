// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/k0rdent/kof/components/receiver/k8seventsreceiver/internal/metadata"
	"github.com/k0rdent/kof/test/kubeapi"
)

// unreachable is a kubeconfig of an API server that isn't there.
func unreachable(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(path, []byte(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: x, context: {cluster: c}}]
current-context: x
`), 0o600))
	return path
}

// pipeline is a consumer that a test lets accept or refuse.
type pipeline struct {
	mu     sync.Mutex
	bodies []string
	refuse error
	allow  int // calls to accept before refusing
	calls  int
}

func (p *pipeline) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

func (p *pipeline) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	if p.refuse != nil && p.allow <= 0 {
		logs.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true }) // it may
		return p.refuse
	}
	p.allow--
	for _, rl := range logs.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, r := range sl.LogRecords().All() {
				p.bodies = append(p.bodies, r.Body().Str())
			}
		}
	}
	return nil
}

func (p *pipeline) set(refuse error, allow int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse, p.allow, p.calls = refuse, allow, 0
}

func (p *pipeline) called() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

// got is what was accepted, sorted.
func (p *pipeline) got() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(slices.Values(p.bodies))
}

// wants waits until exactly these have come, and no more follow.
func (p *pipeline) wants(t *testing.T, want ...string) {
	t.Helper()
	want = slices.Sorted(slices.Values(want))
	require.Eventually(t, func() bool { return len(p.got()) >= len(want) }, 30*time.Second, 10*time.Millisecond, "%v", p.got())
	require.Equal(t, want, p.got())
}

var errBusy = errors.New("busy")

type hostWith map[component.ID]component.Component

func (h hostWith) GetExtensions() map[component.ID]component.Component { return h }

// started is a receiver that runs.
type started struct {
	*eventsReceiver
	tel *componenttest.Telemetry
}

func startReceiver(t *testing.T, c *Config, host component.Host, next consumer.Logs) started {
	t.Helper()
	require.NoError(t, c.Validate())
	tel := componenttest.NewTelemetry()
	set := receivertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	r, err := newEventsReceiver(set, c, next)
	require.NoError(t, err)
	r.sender.minPause = 10 * time.Millisecond
	require.NoError(t, r.Start(t.Context(), host))
	out := started{r, tel}
	t.Cleanup(func() { out.end(t) })
	return out
}

func (s started) end(t *testing.T) {
	t.Helper()
	require.NoError(t, s.Shutdown(context.Background()))
	require.NoError(t, s.tel.Shutdown(context.Background()))
}

// counter is the sum of a counter's points; 0 if there is none yet.
func counter(t *testing.T, tel *componenttest.Telemetry, name string) int64 {
	t.Helper()
	m, err := tel.GetMetric(name)
	if err != nil {
		return 0
	}
	total := int64(0)
	for _, p := range m.Data.(metricdata.Sum[int64]).DataPoints {
		total += p.Value
	}
	return total
}

// fileStorage is the stock extension on a directory.
func fileStorage(t *testing.T, dir string) (component.ID, component.Component) {
	t.Helper()
	f := filestorage.NewFactory()
	c := f.CreateDefaultConfig().(*filestorage.Config)
	c.Directory = dir
	ext, err := f.Create(t.Context(), extensiontest.NewNopSettings(f.Type()), c)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })
	return component.NewID(f.Type()), ext
}

// cluster is a control plane with an admin's client.
type cluster struct {
	*kubeapi.ControlPlane
	kubernetes.Interface
}

func startCluster(t *testing.T) cluster {
	t.Helper()
	cp := kubeapi.StartT(t)
	config := rest.CopyConfig(cp.Config)
	config.QPS = -1
	hc, err := rest.HTTPClientFor(config)
	require.NoError(t, err)
	t.Cleanup(hc.CloseIdleConnections)
	client, err := kubernetes.NewForConfigAndClient(config, hc)
	require.NoError(t, err)
	return cluster{cp, client}
}

// user may do with events exactly what the README asks for, in all namespaces or in one, and with Leases in one.
func (c cluster) user(t *testing.T, name, namespace, leases string) string {
	t.Helper()
	_, kubeconfig, err := c.User(name)
	require.NoError(t, err)
	rules := []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"get", "list", "watch"}}}
	meta := metav1.ObjectMeta{Name: name}
	subjects := []rbacv1.Subject{{Kind: "User", Name: name, APIGroup: "rbac.authorization.k8s.io"}}
	ref := rbacv1.RoleRef{Kind: "ClusterRole", Name: name, APIGroup: "rbac.authorization.k8s.io"}
	_, err = c.RbacV1().ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules}, metav1.CreateOptions{})
	require.NoError(t, err)
	if namespace == "" {
		_, err = c.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: meta, Subjects: subjects, RoleRef: ref}, metav1.CreateOptions{})
	} else {
		_, err = c.RbacV1().RoleBindings(namespace).Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: meta, Subjects: subjects, RoleRef: ref}, metav1.CreateOptions{})
	}
	require.NoError(t, err)
	if leases != "" {
		role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: name + "-leases"}, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "create", "update"}}}}
		_, err = c.RbacV1().Roles(leases).Create(t.Context(), role, metav1.CreateOptions{})
		require.NoError(t, err)
		_, err = c.RbacV1().RoleBindings(leases).Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: role.ObjectMeta, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{Kind: "Role", Name: role.Name, APIGroup: ref.APIGroup}}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	return kubeconfig
}

// namespace makes one that no other test uses.
func (c cluster) namespace(t *testing.T, name string) string {
	t.Helper()
	_, err := c.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	require.NoError(t, err)
	return name
}

func newEvent(ns, name string, last time.Time) *corev1.Event {
	return &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: name, Namespace: ns},
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Namespace: ns, Name: name},
		Reason:         "Tested", Message: "it happened", Type: "Normal", Count: 1, LastTimestamp: metav1.NewTime(last),
	}
}

// happens makes events and returns the bodies of their records.
func (c cluster) happens(t *testing.T, ns string, names ...string) []string {
	t.Helper()
	var out []string
	for _, name := range names {
		_, err := c.CoreV1().Events(ns).Create(t.Context(), newEvent(ns, name, time.Now()), metav1.CreateOptions{})
		require.NoError(t, err)
		out = append(out, fmt.Sprintf("Pod %s/%s: Tested: it happened", ns, name))
	}
	return out
}

// again updates an event, as it is when something happens again.
func (c cluster) again(t *testing.T, ns, name string) string {
	t.Helper()
	e, err := c.CoreV1().Events(ns).Get(t.Context(), name, metav1.GetOptions{})
	require.NoError(t, err)
	e.Count++
	e.LastTimestamp = metav1.Now()
	_, err = c.CoreV1().Events(ns).Update(t.Context(), e, metav1.UpdateOptions{})
	require.NoError(t, err)
	return fmt.Sprintf("Pod %s/%s: Tested: it happened (x%d)", ns, name, e.Count)
}

func many(prefix string, n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%s-%04d", prefix, i))
	}
	return out
}
