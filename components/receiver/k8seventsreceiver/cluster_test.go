// SPDX-License-Identifier: Apache-2.0

package k8seventsreceiver

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/k8sleaderelector"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/extensiontest"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	c := startCluster(t)
	all := c.user(t, "events-reader", "", "")
	for name, test := range map[string]func(*testing.T, cluster, func(ns string) *Config){
		"what happens":                  whatHappens,
		"restart":                       restarts,
		"refusals":                      refusals,
		"compacted history":             compacted,
		"interrupted list":              interruptedList,
		"rights in one namespace":       oneNamespace,
		"no rights at first":            noRights,
		"position in a lease":           leasePosition,
		"real election":                 realElection,
		"page that fails":               failedPage,
		"history turned back":           turnedBack,
		"position that can't be stored": unstorable,
	} {
		t.Run(name, func(t *testing.T) {
			test(t, c, func(ns string) *Config {
				config := createDefaultConfig().(*Config)
				config.AuthType, config.Kubeconfig, config.Namespaces = authKubeConfig, all, []string{ns}
				return config
			})
		})
	}
}

func whatHappens(t *testing.T, c cluster, config func(string) *Config) {
	ns := c.namespace(t, "happens")
	want := c.happens(t, ns, "before")
	_, err := c.CoreV1().Events(ns).Create(t.Context(), newEvent(ns, "old", time.Now().Add(-2*time.Hour)), metav1.CreateOptions{})
	require.NoError(t, err)
	everything, fromNow := config(ns), config(ns)
	everything.Namespaces, fromNow.MaxAge = nil, 0
	p, late := new(pipeline), new(pipeline)
	startReceiver(t, config(ns), componenttest.NewNopHost(), p)
	r := startReceiver(t, fromNow, componenttest.NewNopHost(), late)
	p.wants(t, want...)
	require.Eventually(t, func() bool { return counter(t, r.tel, "otelcol_k8s_events_relists") == 1 }, 10*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { v, _ := r.keeper.Get(t.Context(), "version/"+ns); return len(v) > 0 }, 10*time.Second, 10*time.Millisecond)
	news := c.happens(t, ns, "one", "two")
	news = append(news, c.again(t, ns, "one"), c.again(t, ns, "one"), c.again(t, ns, "old"))
	require.NoError(t, c.CoreV1().Events(ns).Delete(t.Context(), "two", metav1.DeleteOptions{}))
	news = append(news, c.happens(t, ns, "last")...)
	p.wants(t, append(want, news...)...)
	late.wants(t, news...)

	whole := new(pipeline)
	startReceiver(t, everything, componenttest.NewNopHost(), whole)
	require.Eventually(t, func() bool { return slices.Contains(whole.got(), news[len(news)-1]) }, 10*time.Second, 10*time.Millisecond)
}

func restarts(t *testing.T, c cluster, config func(string) *Config) {
	ns, dir := c.namespace(t, "restarts"), t.TempDir()
	want := c.happens(t, ns, "a", "b")
	p := new(pipeline)
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			id, ext := fileStorage(t, dir)
			conf := config(ns)
			conf.Storage = &id
			r := startReceiver(t, conf, hostWith{id: ext}, p)
			p.wants(t, want...)
			want = append(want, c.happens(t, ns, fmt.Sprint("while-", i))...)
			want = append(want, c.again(t, ns, "a"))
			p.wants(t, want...)
			relists := int64(0)
			if i == 0 {
				relists = 1
			}
			require.Equal(t, relists, counter(t, r.tel, "otelcol_k8s_events_relists"))
		})
		want = append(want, c.happens(t, ns, fmt.Sprint("between-", i))...)
		want = append(want, c.again(t, ns, "a"), c.again(t, ns, "a"))
	}
}

func refusals(t *testing.T, c cluster, config func(string) *Config) {
	ns, dir := c.namespace(t, "refusals"), t.TempDir()
	p := new(pipeline)
	p.set(errBusy, 0)
	want := c.happens(t, ns, "listed")
	t.Run("stopped while refused", func(t *testing.T) {
		id, ext := fileStorage(t, dir)
		conf := config(ns)
		conf.Storage = &id
		r := startReceiver(t, conf, hostWith{id: ext}, p)
		require.Eventually(t, func() bool { return counter(t, r.tel, "otelcol_k8s_events_errors") > 2 }, 10*time.Second, 10*time.Millisecond)
	})
	require.Empty(t, p.got())
	t.Run("accepted later", func(t *testing.T) {
		id, ext := fileStorage(t, dir)
		conf := config(ns)
		conf.Storage = &id
		r := startReceiver(t, conf, hostWith{id: ext}, p)
		require.Eventually(t, func() bool { return p.called() > 5 }, 10*time.Second, 10*time.Millisecond)
		p.set(nil, 0)
		p.wants(t, want...)
		p.set(errBusy, 0)
		want = append(want, c.happens(t, ns, many("watched", 150)...)...)
		require.Eventually(t, func() bool { return p.called() > 3 }, 10*time.Second, 10*time.Millisecond)
		p.set(errBusy, 1)
		require.Eventually(t, func() bool { return p.called() > 3 }, 10*time.Second, 10*time.Millisecond)
		require.NoError(t, r.Shutdown(context.Background())) // what was accepted of the 150 is kept, the rest not
	})
	p.set(nil, 0)
	id, ext := fileStorage(t, dir)
	conf := config(ns)
	conf.Storage = &id
	r := startReceiver(t, conf, hostWith{id: ext}, p)
	p.wants(t, want...)
	p.set(consumererror.NewPermanent(errBusy), 0)
	c.happens(t, ns, "refused-for-ever")
	require.Eventually(t, func() bool { return counter(t, r.tel, "otelcol_k8s_events_dropped") == 1 }, 10*time.Second, 10*time.Millisecond)
	p.set(nil, 0)
	p.wants(t, append(want, c.happens(t, ns, "after")...)...)
}

// compact makes the API server forget its history up to now.
func compact(t *testing.T, c cluster) {
	t.Helper()
	list, err := c.CoreV1().Events("").List(t.Context(), metav1.ListOptions{Limit: 1})
	require.NoError(t, err)
	body := fmt.Sprintf(`{"revision": %q, "physical": true}`, list.ResourceVersion)
	r, err := http.Post(etcdURL(t)+"/v3/kv/compaction", "application/json", bytes.NewReader([]byte(body)))
	require.NoError(t, err)
	defer r.Body.Close()
	require.Equal(t, http.StatusOK, r.StatusCode)
	http.DefaultClient.CloseIdleConnections()
}

// etcdURL is where the kube-apiserver that this process started has its etcd.
func etcdURL(t *testing.T) string {
	t.Helper()
	flag := regexp.MustCompile(`--etcd-servers=(http://127\.0\.0\.1:\d+)`)
	parent := regexp.MustCompile(fmt.Sprintf(`\nPPid:\t%d\n`, os.Getpid()))
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, line := range lines {
		text, _ := os.ReadFile(line)
		status, _ := os.ReadFile(filepath.Join(filepath.Dir(line), "status"))
		if m := flag.FindSubmatch(text); m != nil && parent.Match(status) {
			return string(m[1])
		}
	}
	t.Fatal("there is no kube-apiserver")
	return ""
}

func compacted(t *testing.T, c cluster, config func(string) *Config) {
	ns, dir := c.namespace(t, "compacted"), t.TempDir()
	p := new(pipeline)
	want := c.happens(t, ns, many("old", 20)...)
	t.Run("before", func(t *testing.T) {
		id, ext := fileStorage(t, dir)
		conf := config(ns)
		conf.Storage = &id
		startReceiver(t, conf, hostWith{id: ext}, p)
		p.wants(t, want...)
	})
	want = append(want, c.happens(t, ns, many("new", 2*pageSize+10)...)...)
	want = append(want, c.again(t, ns, "old-0003"))
	compact(t, c)
	id, ext := fileStorage(t, dir)
	conf := config(ns)
	conf.Storage = &id
	r := startReceiver(t, conf, hostWith{id: ext}, p)
	p.wants(t, want...)
	require.Equal(t, int64(1), counter(t, r.tel, "otelcol_k8s_events_relists"), "it was 410 Gone")
	p.wants(t, append(want, c.happens(t, ns, "after")...)...)
}

func interruptedList(t *testing.T, c cluster, config func(string) *Config) {
	ns, dir := c.namespace(t, "interrupted"), t.TempDir()
	p := new(pipeline)
	want := c.happens(t, ns, many("e", 2*pageSize+10)...)
	for accepted := range 3 {
		p.set(errBusy, 1)
		t.Run(fmt.Sprint(accepted), func(t *testing.T) {
			id, ext := fileStorage(t, dir)
			conf := config(ns)
			conf.Storage = &id
			startReceiver(t, conf, hostWith{id: ext}, p)
			if accepted < 2 {
				require.Eventually(t, func() bool { return p.called() > 2 }, 10*time.Second, 10*time.Millisecond)
				require.Len(t, p.got(), (accepted+1)*pageSize)
			} else {
				p.wants(t, want...)
			}
		})
	}
	p.set(nil, 0)
	id, ext := fileStorage(t, dir)
	conf := config(ns)
	conf.Storage = &id
	r := startReceiver(t, conf, hostWith{id: ext}, p)
	p.wants(t, append(want, c.happens(t, ns, "after")...)...)
	text, err := r.keeper.Get(t.Context(), r.position(ns).page(0))
	require.NoError(t, err)
	require.Empty(t, text, "forgotten once the list was complete")
}

func (s started) position(ns string) position { return position{s.keeper, ns} }

func oneNamespace(t *testing.T, c cluster, config func(string) *Config) {
	ns, other := c.namespace(t, "one"), c.namespace(t, "other")
	conf := config(ns)
	conf.Kubeconfig = c.user(t, "one-reader", ns, "")
	p := new(pipeline)
	startReceiver(t, conf, componenttest.NewNopHost(), p)
	c.happens(t, other, "not-seen")
	p.wants(t, c.happens(t, ns, "seen")...)
}

func noRights(t *testing.T, c cluster, config func(string) *Config) {
	ns := c.namespace(t, "rights")
	_, kubeconfig, err := c.User("late-reader")
	require.NoError(t, err)
	conf := config(ns)
	conf.Kubeconfig = kubeconfig
	p := new(pipeline)
	want := c.happens(t, ns, "e")
	r := startReceiver(t, conf, componenttest.NewNopHost(), p)
	require.Eventually(t, func() bool { return counter(t, r.tel, "otelcol_k8s_events_errors") > 2 }, 10*time.Second, 10*time.Millisecond)
	require.Empty(t, p.got())
	c.user(t, "late-reader", "", "")
	p.wants(t, want...)
}

// leasePosition hands the lead over between receivers that share nothing but the API server.
func leasePosition(t *testing.T, c cluster, config func(string) *Config) {
	ns, home := c.namespace(t, "handover"), c.namespace(t, "kof")
	conf := config(ns)
	conf.Kubeconfig = c.user(t, "lease-reader", "", home)
	conf.PositionLease = PositionLeaseConfig{Name: "kof-k8s-events-position", Namespace: home}
	id := component.MustNewID("k8s_leader_elector")
	conf.LeaderElector = &id
	p := new(pipeline)
	a, b := &election{}, &election{}
	startReceiver(t, conf, hostWith{id: a}, p)
	startReceiver(t, conf, hostWith{id: b}, p)
	want := c.happens(t, ns, "first")
	require.Empty(t, p.got(), "followers send nothing")
	for i := range 3 {
		for j, e := range []*election{a, b} {
			e.win(context.Background())
			e.win(context.Background())
			p.wants(t, want...)
			want = append(want, c.happens(t, ns, fmt.Sprintf("led-%d-%d", i, j))...)
			want = append(want, c.again(t, ns, "first"))
			p.wants(t, want...)
			e.lose()
			want = append(want, c.happens(t, ns, fmt.Sprintf("between-%d-%d", i, j))...)
		}
	}
}

// realElection runs two receivers one after the other with the stock elector: the second goes on where the first was.
func realElection(t *testing.T, c cluster, config func(string) *Config) {
	ns, home := c.namespace(t, "elected"), c.namespace(t, "election")
	kubeconfig := c.user(t, "elected-reader", "", home)
	t.Setenv("KUBECONFIG", kubeconfig)
	conf := config(ns)
	conf.Kubeconfig = "" // $KUBECONFIG
	conf.PositionLease = PositionLeaseConfig{Name: "kof-k8s-events-position", Namespace: home}
	id := component.MustNewID("k8s_leader_elector")
	conf.LeaderElector = &id
	p := new(pipeline)
	want := c.happens(t, ns, "first")
	for i := range 2 {
		f := k8sleaderelector.NewFactory()
		ec := f.CreateDefaultConfig().(*k8sleaderelector.Config)
		ec.LeaseName, ec.LeaseNamespace, ec.AuthType = "kof-k8s-events", home, "kubeConfig"
		ec.LeaseDuration, ec.RenewDuration, ec.RetryPeriod = 3*time.Second, 2*time.Second, 200*time.Millisecond
		set := extensiontest.NewNopSettings(f.Type())
		ext, err := f.Create(t.Context(), set, ec)
		require.NoError(t, err)
		require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
		r := startReceiver(t, conf, hostWith{id: ext}, p)
		p.wants(t, want...)
		want = append(want, c.happens(t, ns, fmt.Sprint("led-", i))...)
		p.wants(t, want...)
		require.NoError(t, r.Shutdown(context.Background()))
		require.NoError(t, ext.Shutdown(context.Background()))
		want = append(want, c.happens(t, ns, fmt.Sprint("between-", i))...)
	}
}

type election struct {
	component.StartFunc
	component.ShutdownFunc
	win  func(context.Context)
	lose func()
}

func (e *election) SetCallBackFuncs(win func(context.Context), lose func()) {
	e.win, e.lose = win, lose
}

// turnedBack starts with a position of the future, as after a backup was restored.
func turnedBack(t *testing.T, c cluster, config func(string) *Config) {
	home := c.namespace(t, "turned-leases")
	kubeconfig := c.user(t, "turned-reader", "", home)
	stored, leased := config(""), config("")
	id, ext := fileStorage(t, t.TempDir())
	stored.Storage = &id
	leased.Kubeconfig, leased.PositionLease = kubeconfig, PositionLeaseConfig{Name: "p", Namespace: home}
	for name, conf := range map[string]*Config{"storage": stored, "lease": leased} {
		t.Run(name, func(t *testing.T) {
			p, ns := new(pipeline), c.namespace(t, "turned-"+name)
			conf.Namespaces = []string{ns}
			before := c.happens(t, ns, "before")
			r := startReceiver(t, conf, hostWith{id: ext}, p)
			p.wants(t, before...)
			r.follow()
			require.NoError(t, r.position(ns).setVersion(t.Context(), 1<<40))
			if k, ok := r.keeper.(*leaseKeeper); ok {
				require.NoError(t, k.flush(t.Context()))
			}
			news := c.happens(t, ns, "e-"+name)
			run, cancel := context.WithCancel(t.Context())
			defer cancel()
			r.lead(run)
			p.wants(t, slices.Concat(before, before, news)...) // max_age
			p.wants(t, slices.Concat(before, before, news, c.happens(t, ns, "f-"+name))...)
			r.follow()
			v, err := r.position(ns).version(t.Context())
			require.NoError(t, err)
			require.Less(t, v, uint64(1<<40))
			require.NotZero(t, v)
		})
	}
}

// unstorable: a position that can't be kept holds up nothing.
func unstorable(t *testing.T, c cluster, config func(string) *Config) {
	ns := c.namespace(t, "unstorable")
	conf := config(ns)
	conf.PositionLease = PositionLeaseConfig{Name: "p", Namespace: ns}
	_, err := c.CoordinationV1().Leases(ns).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	p := new(pipeline)
	s := startReceiver(t, conf, componenttest.NewNopHost(), p)
	require.Eventually(t, func() bool { return counter(t, s.tel, "otelcol_k8s_events_errors") > 0 }, 10*time.Second, 10*time.Millisecond)
	require.Empty(t, p.got(), "without the position, it isn't known what was sent")
}
