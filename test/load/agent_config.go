// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/k0rdent/kof/test/simnode"
)

// agentStores is where a collector sends: base URLs.
type agentStores struct{ metrics, logs, traces string }

// directory is the region directory of kof-otelcol.
func (s agentStores) directory() string {
	return fmt.Sprintf("regions:\n  home:\n    zone: eu\n    metrics: {endpoint: %q}\n    logs: {endpoint: %q}\n    traces: {endpoint: %q}\n",
		s.metrics+"/api/v1/write", s.logs+"/insert/opentelemetry/v1/logs", s.traces+"/v1/traces")
}

// object is a map of a configuration.
type object = map[string]any

// notStock is what a collector of stock components can't have, and kof-otelcol has beside the same inputs.
var notStock = []string{"node_exporter", "opencost"}

// stockAgentConfig makes an agent's configuration that of stock components: the same inputs, enrichment and stores; file_log in place of
// pod_logs, an attribute in place of identity, and in place of the region exporter one exporter for each signal, which keeps its queue on disk
// where it has one and makes batches of the same size.
func stockAgentConfig(c simnode.Config, n simnode.Node, s agentStores) error {
	receivers, err := c.Map("receivers")
	if err != nil {
		return err
	}
	delete(receivers, "pod_logs")
	for _, name := range notStock {
		delete(receivers, name)
	}
	receivers["file_log"] = object{
		"include": []any{n.Logs + "/*/*/*.log"}, "include_file_path": true, "include_file_name": false, "start_at": "beginning",
		"storage": "file_storage", "retry_on_failure": object{"enabled": true, "max_elapsed_time": "0s"}, "operators": []any{object{"type": "container"}},
	}
	queue := object{
		"storage": "file_storage", "block_on_overflow": true, "sizer": "bytes", "queue_size": 1 << 30, "num_consumers": 2,
		"batch": object{"flush_timeout": "500ms", "min_size": 1_000_000, "max_size": 1 << 20},
	}
	retry := object{"max_elapsed_time": "0s"}
	pods, err := c.Scrape("prometheus")
	if err != nil {
		return err
	}
	pods["kubernetes_sd_configs"] = pods[simnode.PodDiscovery]
	delete(pods, simnode.PodDiscovery)
	return errors.Join(
		c.Set(object{
			"file_storage": object{"directory": n.Dir + "/queue", "create_directory": true}, "pprof": object{"endpoint": n.Profiles},
		}, "extensions"),
		c.Set([]any{"file_storage", "pprof"}, "service", "extensions"),
		c.Set(object{"attributes": []any{object{"action": "insert", "key": "k8s.cluster.name", "value": "eu-prod-7"}}}, "processors", "resource/cluster"),
		c.Set(object{
			"prometheusremotewrite": object{
				"endpoint": s.metrics + "/api/v1/write", "resource_to_telemetry_conversion": object{"enabled": true}, "retry_on_failure": retry,
			},
			"otlp_http/logs": object{
				"logs_endpoint": s.logs + "/insert/opentelemetry/v1/logs", "compression": "zstd", "retry_on_failure": retry, "sending_queue": queue,
				"headers": object{"VL-Stream-Fields": "k8s.cluster.name,k8s.namespace.name,k8s.deployment.name,k8s.container.name"},
			},
			"otlp_http/traces": object{"traces_endpoint": s.traces + "/v1/traces", "compression": "zstd", "retry_on_failure": retry, "sending_queue": queue},
		}, "exporters"),
		stockPipelines(c),
	)
}

func stockPipelines(c simnode.Config) error {
	processors, err := c.Map("processors")
	if err != nil {
		return err
	}
	delete(processors, "identity")
	pipelines, err := c.Map("service", "pipelines")
	if err != nil {
		return err
	}
	for name := range pipelines {
		pipeline, err := c.Map("service", "pipelines", name)
		if err != nil {
			return err
		}
		signal, _, _ := strings.Cut(name, "/")
		exporter := map[string]string{"metrics": "prometheusremotewrite", "logs": "otlp_http/logs", "traces": "otlp_http/traces"}[signal]
		renamed := map[string]string{"pod_logs": "file_log", "identity": "resource/cluster", "region": exporter}
		for _, gone := range notStock {
			renamed[gone] = ""
		}
		for _, part := range []string{"receivers", "processors", "exporters"} {
			list, ok := pipeline[part].([]any)
			if !ok {
				return fmt.Errorf("configuration: service::pipelines::%s::%s is not a list", name, part)
			}
			var kept []any
			for _, item := range list {
				to, ok := renamed[fmt.Sprint(item)]
				switch {
				case !ok:
					kept = append(kept, item)
				case to != "":
					kept = append(kept, to)
				}
			}
			pipeline[part] = kept
		}
	}
	return nil
}
