// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/kube"
	"github.com/k0rdent/kof/test/toolcache"
)

const (
	collector   = root + "/bin/kof-otelcol"
	expositions = "testdata/expositions"

	// The label that Promxy puts on what a region's store answers. There is no Promxy here, so the store puts it on what comes in.
	region, regionLabel = "eu-west-1", "promxyCluster"
	clusterName         = "dash"

	collectorImage, workloadImage, stateImage = "localhost/kof/kof-otelcol", "localhost/kof/workload", "localhost/kof/kube-state-metrics"
	imageTag                                  = "test"

	// Short, so that rates have their samples soon.
	scrapeInterval = 5 * time.Second
)

// world is a cluster whose agents send to the stores of a region.
type world struct {
	cluster *kube.Cluster
	stores  *backends.Region
}

// exposed is a Deployment whose pod serves the metrics of something.
type exposed struct {
	Namespace, Name, Container, Image, Arg string
	HostNetwork                            bool
	Port                                   int
}

func newWorld(t *testing.T) *world {
	require.FileExists(t, collector, "`make build` makes it")
	w := &world{cluster: kube.StartT(t, kube.Options{}), stores: backends.StartRegionT(t, region)}
	state, err := toolcache.Binary(t.Context(), "kube-state-metrics", os.Stderr)
	require.NoError(t, err)
	workload := map[string]string{"/workload": build(t)}
	files, err := filepath.Glob(expositions + "/*.prom")
	require.NoError(t, err)
	for _, f := range files {
		workload["/"+filepath.Base(f)] = absolute(t, f)
	}
	for name, image := range map[string]kube.Image{
		collectorImage: {Files: map[string]string{"/kof-otelcol": absolute(t, collector)}, Entrypoint: []string{"/kof-otelcol"}},
		workloadImage:  {Files: workload, Entrypoint: []string{"/workload"}, User: "65532:65532"},
		stateImage:     {Files: map[string]string{"/kube-state-metrics": state}, Entrypoint: []string{"/kube-state-metrics"}, User: "65532:65532"},
	} {
		require.NoError(t, w.cluster.LoadImage(t.Context(), name+":"+imageTag, image))
	}
	w.kubectl(t, "", "label", "node", kube.NodeName, "node.kubernetes.io/instance-type=m5.large", "topology.kubernetes.io/region="+region)
	w.kubectl(t, "", "patch", "node", kube.NodeName, "--subresource=status", "--type=merge", "-p", `{"status":{"capacity":{"nvidia.com/gpu":"2"},"allocatable":{"nvidia.com/gpu":"2"}}}`)
	w.apply(t, w.record(t))
	w.install(t)
	return w
}

func (w *world) expose(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	require.NoError(t, err)
	inside, err := w.cluster.Expose(u.Host)
	require.NoError(t, err)
	return "http://" + inside
}

// apply makes what the test's cluster consists of.
func (w *world) apply(t *testing.T, vmalert string) {
	image := workloadImage + ":" + imageTag
	data := struct {
		Image, Node, VolumeDir string
		Namespaces             []string
		Services               map[string]string
		Exposed                []exposed
	}{Image: image, Node: kube.NodeName, Services: map[string]string{"shop": "checkout", "acme-apps": "billing", "beta-apps": "search"}}
	data.VolumeDir = filepath.Join(w.cluster.Dir(), "tmp")
	of := func(namespace, name, file string) exposed {
		return exposed{Namespace: namespace, Name: name, Image: image, Arg: "-expose=/" + file + ".prom"}
	}
	named := func(name string) exposed {
		e := of("kof", "kof-mothership-"+name, name)
		e.Container = name
		return e
	}
	data.Exposed = []exposed{
		of("kcm-system", "kcm-controller-manager", "kcm"), of("kcm-system", "capi-controller-manager", "cluster-api"),
		of("projectsveltos", "addon-controller", "sveltos"),
		of("istio-system", "istiod", "istiod"), of("gpu-operator", "nvidia-dcgm-exporter", "dcgm-exporter"),
		of("cert-manager", "cert-manager", "cert-manager"),
		// The parts of the management cluster, whose containers rules know by their names.
		named("kof-operator"), named("promxy"), named("alertmanager"),
		{Namespace: "kof", Name: "kof-mothership-vmalert", Container: "vmalert", Image: image, Arg: "-proxy=" + w.expose(t, vmalert) + "/metrics"},
		// The stores of the region themselves, and the cluster's etcd, which listens on the node alone.
		{Namespace: "kof", Name: "kof-storage-victoria-metrics", Container: "victoria-metrics", Image: image, Arg: "-proxy=" + w.expose(t, w.stores.Metrics.URL) + "/metrics"},
		{Namespace: "kof", Name: "kof-storage-victoria-logs", Container: "victoria-logs", Image: image, Arg: "-proxy=" + w.expose(t, w.stores.Logs.URL) + "/metrics"},
		{Namespace: "kof", Name: "kof-storage-jaeger", Container: "jaeger", Image: image, Arg: "-proxy=" + w.expose(t, w.stores.Traces.MetricsURL) + "/metrics"},
		{Namespace: "kube-system", Name: "etcd", Image: image, Arg: `"-proxy=http://127.0.0.1:2379/metrics"`, HostNetwork: true, Port: 18080},
	}
	for _, name := range []string{"source-controller", "helm-controller", "kustomize-controller", "notification-controller"} {
		data.Exposed = append(data.Exposed, of("flux-system", name, "flux-"+name))
	}
	proxy := of("shop", "frontend", "istio-proxy")
	proxy.Container = "istio-proxy"
	data.Exposed = append(data.Exposed, proxy)
	data.Namespaces = []string{"kof", "shop", "acme-apps", "beta-apps", "cert-manager", "kcm-system", "projectsveltos", "istio-system", "gpu-operator", "flux-system"}
	var text bytes.Buffer
	require.NoError(t, template.Must(template.ParseFiles("testdata/cluster.yaml.tmpl")).Execute(&text, data))
	w.kubectl(t, text.String(), "apply", "--server-side", "-f", "-")
	// As k0s annotates it.
	w.kubectl(t, "", "-n", "kube-system", "annotate", "pods", "-l", "k8s-app=kube-dns", "prometheus.io/scrape=true", "prometheus.io/port=9153")
	// As a cloud's controller would.
	w.kubectl(t, "", "-n", "shop", "patch", "service", "front", "--subresource=status", "--type=merge", "-p", `{"status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.7"}]}}}`)
}

func (w *world) kubectl(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	out, err := w.cluster.Exec(t.Context(), strings.NewReader(stdin), "kubectl", args...)
	require.NoError(t, err)
	return out
}

// install installs the agents by their chart.
func (w *world) install(t *testing.T) {
	image := func(name string) map[string]any {
		return map[string]any{"repository": name, "tag": imageTag, "pullPolicy": "Never"}
	}
	// A region that refuses everything.
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	t.Cleanup(refuses.Close)
	inside := w.expose(t, refuses.URL)
	// Costs as often as metrics.
	often := map[string]any{"receivers": map[string]any{"opencost": map[string]any{"collection_interval": scrapeInterval.String()}}}
	values, err := json.Marshal(map[string]any{
		"cluster": map[string]any{"name": clusterName},
		"region":  region, "tenants": map[string]any{"acme": map[string]any{"region": region}, "beta": map[string]any{"region": "us-east-1"}},
		"regions": map[string]any{"us-east-1": map[string]any{
			"zone": "us", "metrics": map[string]any{"endpoint": inside + "/api/v1/write"}, "logs": map[string]any{"endpoint": inside + "/v1/logs"},
			"traces": map[string]any{"endpoint": inside + "/v1/traces"},
		}, region: map[string]any{
			"zone":    "eu",
			"metrics": map[string]any{"endpoint": w.expose(t, w.stores.Metrics.URL) + "/api/v1/write?extra_label=" + regionLabel + "=" + region},
			"logs":    map[string]any{"endpoint": w.expose(t, w.stores.Logs.URL) + "/insert/opentelemetry/v1/logs"},
			"traces":  map[string]any{"endpoint": w.expose(t, w.stores.Traces.OTLPURL) + "/v1/traces"},
		}},
		"image":            image(collectorImage),
		"scrapeInterval":   scrapeInterval.String(),
		"apiServer":        map[string]any{"enabled": true},
		"kubeStateMetrics": map[string]any{"image": image(stateImage)},
		"agent":            map[string]any{"config": often, "spanMetrics": map[string]any{"enabled": true}},
		"clusterCollector": map[string]any{"config": often},
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(file, values, 0o600))
	start := time.Now()
	out, err := w.cluster.Exec(t.Context(), nil, "helm", "upgrade", "--install", "kof-collectors", absolute(t, root+"/deploy/charts/kof-collectors"),
		"--namespace=kof", "--values="+file, "--wait", "--timeout=4m")
	if err != nil {
		t.Log(w.state(t))
	}
	require.NoError(t, err, out)
	t.Logf("agents installed and ready in %.1f s", time.Since(start).Seconds())
}

// state is what to look at when something isn't there.
func (w *world) state(t *testing.T) string {
	var out string
	for _, args := range [][]string{
		{"get", "pods", "--all-namespaces", "-o", "wide"}, {"-n", "kof", "describe", "pods"},
		{"-n", "kof", "logs", "--tail=30", "--prefix", "--all-containers", "-l", "app.kubernetes.io/part-of=kof"},
	} {
		text, err := w.cluster.Exec(t.Context(), nil, "kubectl", args...)
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

func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "workload")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", path, "./workload")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}
