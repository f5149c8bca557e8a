// SPDX-License-Identifier: Apache-2.0

package opencostdiff

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	corev1 "k8s.io/api/core/v1"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver"
	"github.com/k0rdent/kof/test/backends"
)

// runKOF starts a receiver for every node of the scenario and reads the same as of OpenCost.
func runKOF(t *testing.T, s scenario, compat string) result {
	t.Helper()
	vm := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{})
	dir := t.TempDir()
	var sinks []*consumertest.MetricsSink
	factory := opencostreceiver.NewFactory()
	for i := range s.nodes {
		api := httptest.NewServer(nodeAPI(&s.nodes[i]))
		defer api.Close()
		kubelet := httptest.NewTLSServer(s.kubelet(s.nodes[i].Name))
		defer kubelet.Close()
		c := factory.CreateDefaultConfig().(*opencostreceiver.Config)
		c.Node, c.Cluster, c.Compat, c.CollectionInterval = s.nodes[i].Name, "c1", compat, time.Second
		c.Kubernetes.Kubeconfig = write(t, dir, s.nodes[i].Name+".kubeconfig", strings.Replace(emptyKubeconfig, "https://127.0.0.1:1", api.URL, 1))
		c.Kubelet.Endpoint = kubelet.URL
		c.Kubelet.CAFile = write(t, dir, s.nodes[i].Name+".crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: kubelet.Certificate().Raw})))
		c.Kubelet.TokenFile = write(t, dir, "token", "token")
		if s.csv != "" {
			c.Prices.CSV = write(t, dir, "prices.csv", s.csv)
		}
		require.NoError(t, c.Validate())
		sink := new(consumertest.MetricsSink)
		r, err := factory.CreateMetrics(context.Background(), receivertest.NewNopSettings(factory.Type()), c, sink)
		require.NoError(t, err)
		require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
		defer func() { require.NoError(t, r.Shutdown(context.Background())) }()
		sinks = append(sinks, sink)
	}
	const collections = 6
	require.Eventually(t, func() bool {
		for _, s := range sinks {
			if len(s.AllMetrics()) < collections {
				return false
			}
		}
		return true
	}, time.Minute, 100*time.Millisecond)
	res := newResult()
	var lines strings.Builder
	for _, sink := range sinks {
		for _, md := range sink.AllMetrics() {
			collect(md, res, &lines)
		}
	}
	importLines(t, vm, lines.String())
	require.NoError(t, vm.Flush(context.Background()))
	for _, resource := range []string{"cpu", "ram", "gpu"} {
		// The growth between the first and the last sample, by the time between them.
		q := fmt.Sprintf(`sum by (namespace) ((last_over_time(kof_container_cost_total{resource=%q}[5m]) - first_over_time(kof_container_cost_total{resource=%q}[5m]))
			/ (tlast_over_time(kof_container_cost_total{resource=%q}[5m]) - tfirst_over_time(kof_container_cost_total{resource=%q}[5m]))) * 3600`, resource, resource, resource, resource)
		samples, err := vm.Query(context.Background(), q)
		require.NoError(t, err)
		for _, v := range samples {
			res.Namespaces[v.Labels["namespace"]+" "+resource] = v.Value
		}
	}
	return res
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// collect takes the compared gauges into the result, and counters into lines for VictoriaMetrics.
func collect(md pmetric.Metrics, res result, lines *strings.Builder) {
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Type() == pmetric.MetricTypeSum {
					for _, dp := range m.Sum().DataPoints().All() {
						writeLine(lines, m.Name(), text(dp.Attributes().AsRaw()), dp.DoubleValue(), dp.Timestamp().AsTime())
					}
					continue
				}
				for _, dp := range m.Gauge().DataPoints().All() {
					l := text(dp.Attributes().AsRaw())
					key := m.Name() + " " + l["node"]
					for _, name := range nodeMetrics {
						if m.Name() == name {
							res.Nodes[key] = dp.DoubleValue()
						}
					}
					for _, name := range allocationMetrics {
						if m.Name() == name {
							res.Allocations[name+" "+l["namespace"]+"/"+l["pod"]+"/"+l["container"]] = dp.DoubleValue()
						}
					}
				}
			}
		}
	}
}

func text(raw map[string]any) map[string]string {
	out := map[string]string{}
	for k, v := range raw {
		out[k] = fmt.Sprint(v)
	}
	return out
}

// nodeAPI is as much of an API server as a receiver in node mode asks for: one node, listed and then watched.
func nodeAPI(n *corev1.Node) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case r.URL.Path != "/api/v1/nodes" || q.Get("fieldSelector") != "metadata.name="+n.Name:
			http.NotFound(w, r)
		case q.Get("sendInitialEvents") == "true": // streamed lists are for newer servers
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","code":422}`))
		case q.Get("watch") != "":
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		default:
			w.Header().Set("Content-Type", "application/json")
			list := corev1.NodeList{Items: []corev1.Node{*n}}
			list.Kind, list.APIVersion, list.ResourceVersion = "NodeList", "v1", "1"
			_ = json.NewEncoder(w).Encode(list)
		}
	})
}

// kubelet serves a node's pods, and usage that grows with real time.
func (s scenario) kubelet(node string) http.Handler {
	start := time.Now().Add(-3 * time.Hour)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		if r.URL.Path == "/pods" {
			list := corev1.PodList{}
			list.Kind, list.APIVersion = "PodList", "v1"
			for _, p := range s.pods {
				if p.Spec.NodeName == node {
					list.Items = append(list.Items, p)
				}
			}
			_ = json.NewEncoder(w).Encode(list)
			return
		}
		var b strings.Builder
		for _, p := range s.pods {
			u, ok := s.usage[p.Namespace+"/"+p.Name+"/main"]
			if !ok || p.Spec.NodeName != node {
				continue
			}
			l := map[string]string{"namespace": p.Namespace, "pod": p.Name, "container": "main"}
			at := now.Truncate(time.Millisecond)
			writeLine(&b, "container_cpu_usage_seconds_total", l, u.cores*at.Sub(start).Seconds(), at)
			writeLine(&b, "container_memory_working_set_bytes", l, u.bytes, at)
		}
		_, _ = w.Write([]byte(strings.ReplaceAll(b.String(), ",}", "}")))
	})
}
