// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/prometheusreceiver"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/k0rdent/kof/internal/podtargets"
)

// TestAgentScrapesAnnotatedPods runs what the discovery says of a pod through the relabelling of agent.yaml.
func TestAgentScrapesAnnotatedPods(t *testing.T) {
	config := load(t, roles(t)[0])
	receiver := config.Receivers[component.MustNewID("prometheus")].(*prometheusreceiver.Config)
	pods := receiver.PrometheusConfig.ScrapeConfigs[0]
	require.Equal(t, "pods", pods.JobName)
	// It sees to the annotated port.
	require.IsType(t, &podtargets.SDConfig{}, pods.ServiceDiscoveryConfigs[0])

	const (
		scrape = "__meta_kubernetes_pod_annotation_prometheus_io_scrape"
		port   = "__meta_kubernetes_pod_annotation_prometheus_io_port"
		path   = "__meta_kubernetes_pod_annotation_prometheus_io_path"
		scheme = "__meta_kubernetes_pod_annotation_prometheus_io_scheme"
		kind   = "__meta_kubernetes_pod_controller_kind"
		name   = "__meta_kubernetes_pod_controller_name"
	)
	type result struct{ address, path, scheme, job, param string }
	tests := []struct {
		name string
		meta map[string]string
		want *result // nil: not scraped
	}{
		{"not annotated", nil, nil},
		{"opted out", map[string]string{scrape: "false"}, nil},
		{"finished", map[string]string{scrape: "true", "__meta_kubernetes_pod_phase": "Succeeded"}, nil},
		{"init container", map[string]string{scrape: "true", "__meta_kubernetes_pod_container_init": "true"}, nil},
		{"bare pod", map[string]string{scrape: "true"}, &result{"10.1.2.3:8080", "/metrics", "http", "pods", ""}},
		{"path and scheme", map[string]string{scrape: "true", path: "/m?x=1", scheme: "https"},
			&result{"10.1.2.3:8080", "/m?x=1", "https", "pods", ""}},
		{"bad annotations", map[string]string{scrape: "true", port: "metrics", scheme: "file"},
			&result{"10.1.2.3:8080", "/metrics", "http", "pods", ""}},
		{"Deployment", map[string]string{scrape: "true", kind: "ReplicaSet", name: "web-shop-6c45f8d6f6"},
			&result{"10.1.2.3:8080", "/metrics", "http", "web-shop", ""}},
		{"parameter", map[string]string{scrape: "true", "__meta_kubernetes_pod_annotation_prometheus_io_param_module": "http_2xx"},
			&result{"10.1.2.3:8080", "/metrics", "http", "pods", "http_2xx"}},
		{"the agent itself", map[string]string{scrape: "true", "__meta_kubernetes_namespace": "kof", "__meta_kubernetes_pod_name": "kof-agent-x7k2p"}, nil},
		{"StatefulSet", map[string]string{scrape: "true", kind: "StatefulSet", name: "db-2024"},
			&result{"10.1.2.3:8080", "/metrics", "http", "db-2024", ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			target := map[string]string{
				"__address__": "10.1.2.3:8080", "__metrics_path__": "/metrics", "__scheme__": "http", "job": "pods",
				"__meta_kubernetes_pod_phase": "Running", "__meta_kubernetes_pod_container_init": "false",
			}
			for k, v := range tt.meta {
				target[k] = v
			}
			got := labels.NewBuilder(labels.FromMap(target))
			keep := relabel.ProcessBuilder(got, pods.RelabelConfigs...)
			require.Equal(t, tt.want != nil, keep)
			if keep {
				require.Equal(t, *tt.want, result{got.Get("__address__"), got.Get("__metrics_path__"), got.Get("__scheme__"), got.Get("job"), got.Get("__param_module")})
			}
		})
	}
}
