// SPDX-License-Identifier: Apache-2.0

package opencostdiff

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/toolcache"
)

const openCost = "http://127.0.0.1:9003"

var client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}

func get(url string) ([]byte, error) {
	resp, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.300s", url, resp.Status, body)
	}
	return body, err
}

func importLines(t *testing.T, vm *backends.Server, lines string) {
	t.Helper()
	resp, err := client.Post(vm.URL+"/api/v1/import/prometheus", "text/plain", strings.NewReader(lines))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusNoContent, resp.StatusCode)
}

// runOpenCost starts the real OpenCost on the scenario and reads its prices, allocations and namespace totals.
func runOpenCost(t *testing.T, s scenario) result {
	t.Helper()
	vm := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{})
	start := time.Now().Add(-70 * time.Minute).Truncate(time.Minute)
	importLines(t, vm, s.scraped(start, time.Now().Add(20*time.Minute)))
	require.NoError(t, vm.Flush(context.Background()))

	dir := t.TempDir()
	defaults, err := os.ReadFile(filepath.Join(moduleDir(t), "configs", "default.json"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "default.json"), defaults, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cluster-cache.json"), s.clusterCache(t), 0o600))
	kubeconfig := filepath.Join(dir, "kubeconfig")
	require.NoError(t, os.WriteFile(kubeconfig, []byte(emptyKubeconfig), 0o600))
	binary, err := toolcache.Binary(context.Background(), "opencost", os.Stderr)
	require.NoError(t, err)
	cmd := exec.Command(binary)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"CLUSTER_CACHE_FILE_ENABLED=true", "CONFIG_PATH="+dir+"/", "KUBECONFIG="+kubeconfig, "PROMETHEUS_SERVER_ENDPOINT="+vm.URL,
		"CLUSTER_ID=c1", "ERROR_REPORTING_ENABLED=false", "PRODUCT_ANALYTICS_ENABLED=false", "LOG_COLLECTION_ENABLED=false",
		"VALUES_REPORTING_ENABLED=false")
	if s.csv != "" {
		path := filepath.Join(dir, "prices.csv")
		require.NoError(t, os.WriteFile(path, []byte(s.csv), 0o600))
		cmd.Env = append(cmd.Env, "USE_CSV_PROVIDER=true", "CSV_PATH="+path)
	}
	log := filepath.Join(dir, "log")
	out, err := os.Create(log)
	require.NoError(t, err)
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	require.NoError(t, cmd.Start())
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(log)
			t.Logf("OpenCost's log ends with:\n%s", text[max(0, len(text)-6000):])
		}
	}()

	var families map[string]*dto.MetricFamily
	require.Eventually(t, func() bool {
		body, err := get(openCost + "/metrics")
		if err != nil {
			return false
		}
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err = parser.TextToMetricFamilies(strings.NewReader(string(body)))
		return err == nil && len(families["container_cpu_allocation"].GetMetric()) >= len(s.usage) && families["node_total_hourly_cost"] != nil
	}, 3*time.Minute, 2*time.Second, "OpenCost has no allocations")
	res := newResult()
	for _, name := range nodeMetrics {
		for _, m := range families[name].GetMetric() {
			res.Nodes[name+" "+labels(m)["node"]] = m.GetGauge().GetValue()
		}
	}
	for _, name := range allocationMetrics {
		for _, m := range families[name].GetMetric() {
			l := labels(m)
			res.Allocations[name+" "+l["namespace"]+"/"+l["pod"]+"/"+l["container"]] = m.GetGauge().GetValue()
		}
	}
	// What OpenCost emits is scraped every minute of an hour, as a Prometheus would, and read back by OpenCost.
	end := time.Now().Truncate(time.Minute)
	var lines strings.Builder
	for at := end.Add(-time.Hour); !at.After(end); at = at.Add(time.Minute) {
		for name, f := range families {
			for _, m := range f.GetMetric() {
				if m.Gauge != nil {
					writeLine(&lines, name, labels(m), m.Gauge.GetValue(), at)
				}
			}
		}
	}
	importLines(t, vm, lines.String())
	require.NoError(t, vm.Flush(context.Background()))
	window := end.Add(-time.Hour).UTC().Format(time.RFC3339) + "," + end.UTC().Format(time.RFC3339)
	body, err := get(openCost + "/allocation/compute?" + url.Values{"window": {window}, "aggregate": {"namespace"}, "resolution": {"1m"}}.Encode())
	require.NoError(t, err)
	var answer struct {
		Data []map[string]struct{ CPUCost, RAMCost, GPUCost, Minutes float64 }
	}
	require.NoError(t, json.Unmarshal(body, &answer))
	require.NotEmpty(t, answer.Data)
	for ns, a := range answer.Data[0] {
		res.Namespaces[ns+" cpu"], res.Namespaces[ns+" ram"], res.Namespaces[ns+" gpu"] = a.CPUCost/a.Minutes*60, a.RAMCost/a.Minutes*60, a.GPUCost/a.Minutes*60
	}
	return res
}

const emptyKubeconfig = `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
users: [{name: u, user: {}}]
current-context: x
`

func labels(m *dto.Metric) map[string]string {
	out := map[string]string{}
	for _, l := range m.GetLabel() {
		out[l.GetName()] = l.GetValue()
	}
	return out
}

func writeLine(b *strings.Builder, name string, labels map[string]string, v float64, at time.Time) {
	b.WriteString(name + "{")
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(b, "%s=%q,", k, labels[k])
	}
	fmt.Fprintf(b, "} %v %d\n", v, at.UnixMilli())
}

// scraped is what a Prometheus has scraped of cadvisor and kube-state-metrics, every half minute.
func (s scenario) scraped(from, to time.Time) string {
	var b strings.Builder
	for at := from; at.Before(to); at = at.Add(30 * time.Second) {
		for _, p := range s.pods {
			base := map[string]string{"namespace": p.Namespace, "pod": p.Name, "container": "main", "cluster_id": "c1"}
			with := func(more ...string) map[string]string {
				l := maps.Clone(base)
				for i := 0; i < len(more); i += 2 {
					l[more[i]] = more[i+1]
				}
				return l
			}
			if u, ok := s.usage[p.Namespace+"/"+p.Name+"/main"]; ok {
				writeLine(&b, "container_cpu_usage_seconds_total", with("instance", p.Spec.NodeName), u.cores*at.Sub(from).Seconds(), at)
				writeLine(&b, "container_memory_working_set_bytes", with("instance", p.Spec.NodeName), u.bytes, at)
			}
			if p.Status.Phase != corev1.PodRunning {
				continue
			}
			for r, q := range p.Spec.Containers[0].Resources.Requests {
				unit := map[corev1.ResourceName]string{"cpu": "core", "memory": "byte"}[r]
				if unit == "" {
					unit = "integer"
				}
				writeLine(&b, "kube_pod_container_resource_requests",
					with("node", p.Spec.NodeName, "resource", strings.NewReplacer(".", "_", "/", "_").Replace(string(r)), "unit", unit), q.AsApproximateFloat64(), at)
			}
			writeLine(&b, "kube_pod_container_status_running", with("uid", string(p.UID)), 1, at)
		}
	}
	return b.String()
}

func (s scenario) clusterCache(t *testing.T) []byte {
	t.Helper()
	var namespaces []corev1.Namespace
	seen := map[string]bool{}
	for _, p := range s.pods {
		if !seen[p.Namespace] {
			seen[p.Namespace] = true
			ns := corev1.Namespace{}
			ns.Name = p.Namespace
			namespaces = append(namespaces, ns)
		}
	}
	raw, err := json.Marshal(map[string]any{"namespaces": namespaces, "nodes": s.nodes, "pods": s.pods})
	require.NoError(t, err)
	return raw
}

// moduleDir is OpenCost's published module, whose default.json is used as it is.
func moduleDir(t *testing.T) string {
	t.Helper()
	cmd := exec.Command("go", "mod", "download", "-json", "github.com/opencost/opencost@v1.120.0")
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	out, err := cmd.Output()
	require.NoError(t, err)
	var m struct{ Dir string }
	require.NoError(t, json.Unmarshal(out, &m))
	return m.Dir
}
