// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/demo/agent"
	"github.com/k0rdent/kof/test/kubeapi"
)

// makeCluster makes a node with two pods, one of a tenant, and returns their UIDs. The tenant's has the address that the test sends
// from.
func makeCluster(t *testing.T, plane *kubeapi.ControlPlane) map[string]string {
	t.Helper()
	client, ctx := clientOf(t, plane), t.Context()
	_, err := client.CoreV1().Nodes().Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	for name, labels := range map[string]map[string]string{"shop": {"k0rdent.mirantis.com/kof-tenant-id": "acme"}, "plain": nil, "kof": nil} {
		_, err = client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	yes, uids := true, map[string]string{}
	for _, p := range []struct{ namespace, name, owner, ip string }{
		{"shop", "web-0", "web", "127.0.0.1"}, {"shop", "lie-0", "lie", "127.0.0.2"}, {"plain", "db-0", "db", "10.9.9.9"}, {"plain", "sly-0", "sly", "127.0.0.4"},
	} {
		pod := &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: p.name, Annotations: servePage(t, p.name, p.ip), OwnerReferences: []metav1.OwnerReference{
				{APIVersion: "apps/v1", Kind: "StatefulSet", Name: p.owner, UID: "owner", Controller: &yes},
			}},
			Spec: corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: "app", Image: "i"}}},
		}
		if port, err := strconv.Atoi(pod.Annotations["prometheus.io/port"]); err == nil && p.name == "web-0" {
			// The page is that of the second container, which declares the port.
			pod.Spec.Containers = []corev1.Container{{Name: "proxy", Image: "i", Ports: []corev1.ContainerPort{{ContainerPort: 1}}}, pod.Spec.Containers[0]}
			pod.Spec.Containers[1].Ports = []corev1.ContainerPort{{ContainerPort: int32(port)}}
		}
		made, err := client.CoreV1().Pods(p.namespace).Create(ctx, pod, metav1.CreateOptions{})
		require.NoError(t, err)
		uids[p.name] = string(made.UID)
		made.Status = corev1.PodStatus{Phase: corev1.PodRunning, PodIP: p.ip, PodIPs: []corev1.PodIP{{IP: p.ip}}}
		_, err = client.CoreV1().Pods(p.namespace).UpdateStatus(ctx, made, metav1.UpdateOptions{})
		require.NoError(t, err)
	}
	return uids
}

func clientOf(t *testing.T, plane *kubeapi.ControlPlane) kubernetes.Interface {
	t.Helper()
	hc, err := rest.HTTPClientFor(plane.Config)
	require.NoError(t, err)
	t.Cleanup(hc.CloseIdleConnections)
	client, err := kubernetes.NewForConfigAndClient(plane.Config, hc)
	require.NoError(t, err)
	return client
}

// servePage serves the metrics of a pod on its address, and returns the annotations that say so.
func servePage(t *testing.T, pod, ip string) map[string]string {
	t.Helper()
	page, ok := podPages[pod]
	if !ok {
		return nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	require.NoError(t, err)
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/own" || r.URL.Query().Get("module") != "all" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=1.0.0; escaping=allow-utf-8")
		_, _ = io.WriteString(w, page)
	})}}
	server.Start()
	t.Cleanup(server.Close)
	return map[string]string{
		"prometheus.io/scrape": "true", "prometheus.io/port": strconv.Itoa(l.Addr().(*net.TCPAddr).Port), "prometheus.io/path": "/own",
		"prometheus.io/param_module": "all",
	}
}

// writer returns a function that writes a file below a folder and returns its path.
func writer(t *testing.T, dir string) func(name, content string) string {
	return func(name, content string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
}

// set sets a value in a configuration.
func set(t *testing.T, config map[string]any, value any, path ...string) {
	t.Helper()
	mapAt(t, config, path[:len(path)-1]...)[path[len(path)-1]] = value
}

// scrapeOf returns the one scrape configuration of a prometheus receiver.
func scrapeOf(t *testing.T, config map[string]any, receiver string) map[string]any {
	t.Helper()
	return mapAt(t, config, "receivers", receiver, "config")["scrape_configs"].([]any)[0].(map[string]any)
}

// startAgent starts the agent and returns where it takes OTLP over HTTP.
func startAgent(t *testing.T, plane *kubeapi.ControlPlane, uids map[string]string, home, acme *backends.Region) string {
	t.Helper()
	dir := t.TempDir()
	write := writer(t, dir)
	stamp := time.Now().UTC().Format(time.RFC3339Nano)
	write("pods/shop_web-0_"+uids["web-0"]+"/app/0.log", stamp+" stdout F line of shop\n")
	write("pods/plain_db-0_"+uids["db-0"]+"/app/0.log", stamp+" stdout F line of plain, which is another file\n")

	kubelet := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, kubeletPages[r.URL.Path])
	}))
	t.Cleanup(kubelet.Close)

	ports := freePorts(t, 2)
	config := load(t, "files/agent.yaml")
	// The receiver's own tests look at costs.
	delete(mapAt(t, config, "receivers"), "opencost")
	set(t, config, []any{"node_exporter", "prometheus", "forward/kubelet", "forward/otlp", "forward/self"}, "service", "pipelines", "metrics", "receivers")
	set(t, config, "1s", "receivers", "node_exporter", "timeout")
	set(t, config, dir+"/pods", "receivers", "pod_logs", "directory")
	set(t, config, fmt.Sprintf("127.0.0.1:%d", ports[0]), "receivers", "otlp", "protocols", "http", "endpoint")
	set(t, config, fmt.Sprintf("127.0.0.1:%d", ports[1]), "receivers", "otlp", "protocols", "grpc", "endpoint")
	scrapeOf(t, config, "prometheus")["kof_pod_sd_configs"].([]any)[0].(map[string]any)["kubeconfig_file"] = plane.Kubeconfig
	pages := scrapeOf(t, config, "prometheus/kubelet")
	for _, s := range pages["static_configs"].([]any) {
		s.(map[string]any)["targets"] = []any{kubelet.Listener.Addr().String()}
	}
	delete(pages["tls_config"].(map[string]any), "ca_file")
	runCollector(t, dir, plane, config, home, acme)
	return fmt.Sprintf("http://127.0.0.1:%d", ports[0])
}

// runCollector runs the collector with a configuration that was made fit for this machine, until the test ends.
func runCollector(t *testing.T, dir string, plane *kubeapi.ControlPlane, config map[string]any, home, acme *backends.Region) {
	t.Helper()
	write := writer(t, dir)
	write("token", "secret")
	write("ca.crt", "")
	directory := "regions:\n"
	for _, r := range []*backends.Region{home, acme} {
		directory += fmt.Sprintf("  %s:\n    zone: %s\n    metrics: {endpoint: %q}\n    logs: {endpoint: %q}\n    traces: {endpoint: %q}\n",
			r.Name, r.Name, r.Metrics.URL+"/api/v1/write", r.Logs.URL+"/insert/opentelemetry/v1/logs", r.Traces.OTLPURL+"/v1/traces")
	}
	write("regions.yaml", directory+"tenants:\n  acme: {region: acme}\n")
	set(t, config, "kubeConfig", "processors", "k8s_attributes", "auth_type")
	ports := freePorts(t, 2)
	health := fmt.Sprintf("127.0.0.1:%d", ports[0])
	set(t, config, health, "extensions", "health_check", "endpoint")
	text, err := json.Marshal(config)
	require.NoError(t, err)

	binary, err := filepath.Abs(collector)
	require.NoError(t, err)
	var log bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	p, err := agent.Start(ctx, agent.Config{
		Binary: binary, Configs: []string{write("config.yaml", string(text))}, HealthURL: "http://" + health, Log: &log,
		Env: []string{
			"KUBECONFIG=" + plane.Kubeconfig, "KOF_REGION=home", "KOF_CLUSTER_NAME=cluster-1", "KOF_NODE_NAME=node-1", "KOF_POD_NAMESPACE=kof",
			"KOF_POD_NAME=collector", "KOF_DIRECTORY=" + dir + "/regions.yaml", "KOF_STATE_DIR=" + dir, "KOF_SERVICE_ACCOUNT_DIR=" + dir, "KOF_HOST_ROOT=/",
			"KOF_KUBELET_INSECURE=true", "KOF_SCRAPE_INTERVAL=1s", fmt.Sprintf("KOF_METRICS_PORT=%d", ports[1]), "KOF_STATUS_ENDPOINT=127.0.0.1:0",
		},
	})
	require.NoError(t, err, "%s", log.String())
	t.Cleanup(func() {
		if rss, err := p.RSS(); err == nil {
			t.Logf("resident memory of the collector: %d MiB", rss>>20)
		}
		require.NoError(t, p.Stop())
		if t.Failed() {
			t.Log(log.String()[max(0, log.Len()-8000):])
		}
	})
}

func resourceJSON(attributes map[string]string) string {
	var list []string
	for k, v := range attributes {
		list = append(list, fmt.Sprintf(`{"key":%q,"value":{"stringValue":%q}}`, k, v))
	}
	return `"resource":{"attributes":[` + strings.Join(list, ",") + `]}`
}

// sendAll sends an item of each signal from an address of this machine, with attributes of its own that claim another tenant, as does the
// body of a second log record, and requires that status.
func sendAll(t *testing.T, otlp, from string, status int, resource, name string) {
	t.Helper()
	now := time.Now().UnixNano()
	const (
		victim = `"value":{"stringValue":"victim"}`
		kof    = `{"key":"kof.tenant",` + victim + `},{"key":"kof","value":{"kvlistValue":{"values":[{"key":"tenant",` + victim + `}]}}}`
		own    = `"attributes":[` + kof + `,{"key":"tenant",` + victim + `}]`
	)
	send(t, otlp+"/v1/metrics", from, status, fmt.Sprintf(
		`{"resourceMetrics":[{%s,"scopeMetrics":[{"metrics":[{"name":%q,"gauge":{"dataPoints":[{%s,"asDouble":1,"timeUnixNano":"%d"}]}}]}]}]}`, resource, name, own, now))
	send(t, otlp+"/v1/logs", from, status, fmt.Sprintf(
		`{"resourceLogs":[{%s,"scopeLogs":[{"logRecords":[{%s,"timeUnixNano":"%d","body":{"stringValue":"a %s"}},`+
			`{"timeUnixNano":"%d","body":{"kvlistValue":{"values":[{"key":"said","value":{"stringValue":"a %s"}},%s]}}}]}]}]}`, resource, own, now, name, now, name, kof))
	send(t, otlp+"/v1/traces", from, status, fmt.Sprintf(
		`{"resourceSpans":[{%s,"scopeSpans":[{"spans":[{%s,"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":%q,"startTimeUnixNano":"%d","endTimeUnixNano":"%d"}]}]}]}`,
		resource, own, name, now, now))
}

func send(t *testing.T, url, from string, status int, body string) {
	t.Helper()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer.DialContext}}
	resp, err := client.Post(url, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, status, resp.StatusCode, "%s", text)
	if status != http.StatusOK {
		require.Contains(t, string(text), from)
	}
}

func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var out []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close() // held until all are chosen, so that they differ
		out = append(out, l.Addr().(*net.TCPAddr).Port)
	}
	return out
}
