// SPDX-License-Identifier: Apache-2.0

package e2ekube

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/faultproxy"
	"github.com/k0rdent/kof/test/kube"
	"github.com/k0rdent/kof/test/toolcache"
)

const (
	release   = "kof-collectors"
	namespace = "agents"
	chart     = "../../deploy/charts/kof-collectors"
	collector = "../../bin/kof-otelcol"

	clusterName    = "e2e"
	collectorImage = "localhost/kof/kof-otelcol"
	workloadImage  = "localhost/kof/workload"
	stateImage     = "localhost/kof/kube-state-metrics"
	imageTag       = "test"

	homeRegion, tenantRegion       = "eu-west-1", "us-east-1"
	homeNamespace, tenantNamespace = "shop", "acme-apps"
	tenant                         = "acme"

	// collectorPods is how many pods of the cluster's collectors there are: an elected pair, and one that scrapes.
	collectorPods = 3
	storageClass  = "by-hand"

	scrapeInterval = 5 * time.Second
	installTimeout = 4 * time.Minute
)

// world is a cluster with the chart installed, and the backends of two regions behind proxies that can fail.
type world struct {
	cluster   *kube.Cluster
	regions   map[string]*region
	values    string   // path
	set       []string // values beside them
	ready     time.Time
	namespace string // of the chart
}

type region struct {
	*backends.Region
	proxies   map[string]*faultproxy.Proxy // by signal
	endpoints map[string]any               // of the chart's values
}

func newWorld(t *testing.T, kubelet kube.KubeletOptions) *world {
	require.FileExists(t, collector, "`make build` makes it")
	w := &world{namespace: namespace, regions: map[string]*region{}}
	w.cluster = kube.StartT(t, kube.Options{Kubelet: kubelet})
	for _, name := range []string{homeRegion, tenantRegion} {
		w.regions[name] = w.startRegion(t, name)
	}
	stateMetrics, err := toolcache.Binary(t.Context(), "kube-state-metrics", os.Stderr)
	require.NoError(t, err)
	for name, image := range map[string]kube.Image{
		collectorImage: {Files: map[string]string{"/kof-otelcol": absolute(t, collector)}, Entrypoint: []string{"/kof-otelcol"}},
		workloadImage:  {Files: map[string]string{"/workload": buildWorkload(t)}, Entrypoint: []string{"/workload"}, User: "65532:65532"},
		stateImage:     {Files: map[string]string{"/kube-state-metrics": stateMetrics}, Entrypoint: []string{"/kube-state-metrics"}},
	} {
		require.NoError(t, w.cluster.LoadImage(t.Context(), name+":"+imageTag, image))
	}
	for name, labels := range map[string]map[string]string{
		namespace: nil, homeNamespace: nil, tenantNamespace: {"k0rdent.mirantis.com/kof-tenant-id": tenant},
	} {
		_, err := w.cluster.Client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	w.makeVolumes(t, storageClass, slices.Repeat([]string{"2Gi"}, collectorPods)...)
	return w
}

func (w *world) startRegion(t *testing.T, name string) *region {
	r := &region{Region: backends.StartRegionT(t, name), proxies: map[string]*faultproxy.Proxy{}, endpoints: map[string]any{
		"zone": name[:2],
	}}
	for signal, server := range map[string]struct{ url, path string }{
		"metrics": {r.Metrics.URL, "/api/v1/write"},
		"logs":    {r.Logs.URL, "/insert/opentelemetry/v1/logs"},
		"traces":  {r.Traces.OTLPURL, "/v1/traces"},
	} {
		proxy, err := faultproxy.Start(server.url)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, proxy.Close()) })
		r.proxies[signal] = proxy
		u, err := url.Parse(proxy.URL())
		require.NoError(t, err)
		inside, err := w.cluster.Expose(u.Host)
		require.NoError(t, err)
		r.endpoints[signal] = map[string]any{"endpoint": "http://" + inside + server.path}
	}
	return r
}

// set puts a fault in force on all of a region's backends.
func (r *region) set(t *testing.T, f faultproxy.Fault) {
	t.Helper()
	for _, p := range r.proxies {
		require.NoError(t, p.Set(f))
	}
}

// install installs the chart as its README says, with some values more, and waits until all is ready.
func (w *world) install(t *testing.T, set ...string) {
	regions := map[string]any{}
	for name, r := range w.regions {
		regions[name] = r.endpoints
	}
	values, err := json.Marshal(map[string]any{
		"cluster":          map[string]any{"name": clusterName},
		"region":           homeRegion,
		"regions":          regions,
		"tenants":          map[string]any{tenant: map[string]any{"region": tenantRegion}},
		"image":            map[string]any{"repository": collectorImage, "tag": imageTag, "pullPolicy": "Never"},
		"kubeStateMetrics": map[string]any{"shards": 2, "image": map[string]any{"repository": stateImage, "tag": imageTag, "pullPolicy": "Never"}},
		"clusterCollector": map[string]any{"persistence": map[string]any{"enabled": true, "storageClassName": storageClass}},
		"scrapeInterval":   scrapeInterval.String(),
	})
	require.NoError(t, err)
	w.values = filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(w.values, values, 0o600))
	start := time.Now()
	w.set = set
	w.helmUpgrade(t)
	w.ready = time.Now()
	t.Logf("chart installed and ready in %.1f s", time.Since(start).Seconds())
}

func (w *world) helmUpgrade(t *testing.T, set ...string) {
	t.Helper()
	args := []string{"upgrade", "--install", release, absolute(t, chart), "--namespace=" + namespace, "--values=" + w.values,
		"--wait", "--timeout=" + installTimeout.String()}
	for _, s := range slices.Concat(w.set, set) {
		args = append(args, "--set="+s)
	}
	out, err := w.cluster.Exec(t.Context(), nil, "helm", args...)
	if err != nil {
		t.Log(w.state())
	}
	require.NoError(t, err, out)
}

// state is what to look at when an installation failed.
func (w *world) state() string {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var out string
	for _, args := range [][]string{
		{"get", "pods", "--all-namespaces", "-o", "wide"}, {"-n", w.namespace, "get", "events"}, {"-n", w.namespace, "describe", "pods"},
		{"-n", w.namespace, "logs", "--tail=30", "--prefix", "--all-containers", "-l", "app.kubernetes.io/part-of=kof"},
		{"-n", w.namespace, "logs", "--tail=30", "daemonset/" + release + "-agent"},
	} {
		text, err := w.cluster.Exec(ctx, nil, "kubectl", args...)
		if err != nil {
			text += err.Error()
		}
		out += text + "\n"
	}
	return out
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	out, err := filepath.Abs(path)
	require.NoError(t, err)
	return out
}

func buildWorkload(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "workload")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", path, "./workload")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}
