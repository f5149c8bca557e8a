// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/region"
)

// configOf renders values and returns the configuration of a component's collector.
func configOf(t *testing.T, component, values string) map[string]any {
	t.Helper()
	return configIn(t, render(t, options{values: values}), release+"-"+component)
}

func configIn(t *testing.T, rendered, name string) map[string]any {
	t.Helper()
	data := mapAt(t, find(t, objects(t, rendered), "ConfigMap", name).Object, "data")
	return parse(t, []byte(data["config.yaml"].(string)))
}

// With the values as they come, the chart changes nothing of the role's configuration.
func TestAgentConfigIsTheRoles(t *testing.T) {
	require.Equal(t, load(t, "files/agent.yaml"), configOf(t, "agent", ""))
}

func TestClusterConfigsAreTheRoleTogether(t *testing.T) {
	role := load(t, "files/cluster.yaml")
	const on = "apiServer: {enabled: true}"
	elected, state := configOf(t, "cluster", on), configOf(t, "state", on)
	receivers := slices.Sorted(maps.Keys(mapAt(t, role, "receivers")))
	both := append(slices.Collect(maps.Keys(mapAt(t, elected, "receivers"))), slices.Collect(maps.Keys(mapAt(t, state, "receivers")))...)
	slices.Sort(both)
	require.Equal(t, receivers, slices.Compact(both))
	for name := range mapAt(t, elected, "receivers") {
		if name != "prometheus/self" {
			require.NotContains(t, mapAt(t, state, "receivers"), name, "collected twice")
		}
	}
	require.NotContains(t, mapAt(t, state, "extensions"), "k8s_leader_elector/events")
	require.NotContains(t, state["service"].(map[string]any)["extensions"], "k8s_leader_elector/events")
}

func TestSwitches(t *testing.T) {
	all := []string{"node_exporter", "prometheus", "prometheus/self", "prometheus/kubelet", "pod_logs", "opencost", "otlp"}
	for values, gone := range map[string][]string{
		"nodeMetrics: {enabled: false}": {"node_exporter"},
		"podMetrics: {enabled: false}":  {"prometheus"},
		"kubelet: {enabled: false}":     {"prometheus/kubelet"},
		"kubelet: {endpoints: {metrics: false, cadvisor: false, resource: false, probes: false}}": {"prometheus/kubelet"},
		"logs: {enabled: false}":  {"pod_logs"},
		"costs: {enabled: false}": {"opencost"},
		"otlp: {enabled: false}":  {"otlp"},
		"{logs: {enabled: false}, otlp: {enabled: false}, kubelet: {enabled: false}}": {"pod_logs", "otlp", "prometheus/kubelet"},
	} {
		t.Run(values, func(t *testing.T) {
			config := configOf(t, "agent", values)
			var want []string
			for _, r := range all {
				if !slices.Contains(gone, r) {
					want = append(want, r)
				}
			}
			require.ElementsMatch(t, want, slices.Collect(maps.Keys(mapAt(t, config, "receivers"))))
			requireWhole(t, config)
		})
	}
	t.Run("one of the kubelet's pages", func(t *testing.T) {
		config := configOf(t, "agent", "kubelet: {endpoints: {cadvisor: false, probes: false}}")
		scrape := mapAt(t, config, "receivers", "prometheus/kubelet", "config")["scrape_configs"].([]any)[0].(map[string]any)
		var pages []string
		for _, s := range scrape["static_configs"].([]any) {
			pages = append(pages, s.(map[string]any)["labels"].(map[string]any)["__metrics_path__"].(string))
		}
		require.Equal(t, []string{"/metrics", "/metrics/resource"}, pages)
	})
}

// requireWhole checks that pipelines name what there is, and that everything there is is used.
func requireWhole(t *testing.T, config map[string]any) {
	t.Helper()
	used := map[string]bool{}
	for name, p := range mapAt(t, config, "service", "pipelines") {
		for _, part := range []string{"receivers", "processors", "exporters"} {
			ids, _ := p.(map[string]any)[part].([]any)
			require.NotEmpty(t, ids, "%s of %s", part, name)
			for _, id := range ids {
				used[id.(string)] = true
				sections := []string{part}
				if part != "processors" {
					sections = append(sections, "connectors")
				}
				require.True(t, slices.ContainsFunc(sections, func(s string) bool {
					section, _ := config[s].(map[string]any)
					_, ok := section[id.(string)]
					return ok
				}), "pipeline %s: %v isn't configured", name, id)
			}
		}
	}
	for _, part := range []string{"receivers", "exporters", "connectors"} {
		section, _ := config[part].(map[string]any)
		for id := range section {
			require.True(t, used[id], "%s/%s isn't used", part, id)
		}
	}
}

// Span metrics come from the spans that were told whose they are, and go where those go.
func TestSpanMetrics(t *testing.T) {
	config := configOf(t, "agent", `agent: {spanMetrics: {enabled: true, dimensions: {http.request.method: "", zone: none}, maxSeries: 20}}`)
	requireWhole(t, config)
	require.Equal(t, map[string]any{
		"metrics_flush_interval": "${env:KOF_SCRAPE_INTERVAL:-30s}", "metrics_expiration": "15m", "aggregation_cardinality_limit": int64(1000), "max_series": int64(20),
		"dimensions": []any{map[string]any{"name": "http.request.method"}, map[string]any{"name": "zone", "default": "none"}},
	}, mapAt(t, config, "connectors", "span_metrics"))
	require.Equal(t, []any{"region", "span_metrics"}, mapAt(t, config, "service", "pipelines", "traces")["exporters"])
	require.Equal(t, map[string]any{"receivers": []any{"span_metrics"}, "processors": []any{"memory_limiter"}, "exporters": []any{"region"}},
		mapAt(t, config, "service", "pipelines", "metrics/spans"))
}

func TestConfigIsMerged(t *testing.T) {
	config := configOf(t, "agent", `
agent:
  config:
    receivers:
      opencost: {prices: {currency: {code: EUR, per_usd: 0.9}}, storage: null}
      otlp: {protocols: {http: null}}
      nop: {}
    processors:
      filter/new: {error_mode: ignore, nested: {gone: null, stays: 1}}
    service:
      pipelines:
        logs: {receivers: [nop]}
`)
	opencost := mapAt(t, config, "receivers", "opencost")
	require.Equal(t, "EUR", mapAt(t, opencost, "prices", "currency")["code"])
	require.Equal(t, "node", opencost["mode"], "stays")
	require.NotContains(t, opencost, "storage", "null removes")
	require.Equal(t, []string{"grpc"}, slices.Collect(maps.Keys(mapAt(t, config, "receivers", "otlp", "protocols"))))
	require.Equal(t, map[string]any{"error_mode": "ignore", "nested": map[string]any{"stays": int64(1)}}, mapAt(t, config, "processors", "filter/new"))
	require.Equal(t, []any{"nop"}, mapAt(t, config, "service", "pipelines", "logs")["receivers"], "lists are replaced")
	require.NotEmpty(t, mapAt(t, config, "service", "pipelines", "logs")["processors"])

	cluster := "clusterCollector: {config: {receivers: {opencost: {labels: {namespaces: [team]}}}}}"
	require.NotEmpty(t, mapAt(t, configOf(t, "cluster", cluster), "receivers", "opencost", "labels"))
	require.NotContains(t, mapAt(t, configOf(t, "state", cluster), "receivers"), "opencost")
}

func TestEnrichment(t *testing.T) {
	const values = `enrichment: {podLabels: {app.kubernetes.io/name: app, team: ""}, podAnnotations: {owner: owner}, namespaceLabels: {team: team}}`
	config := configOf(t, "agent", values)
	extract := mapAt(t, config, "processors", "k8s_attributes", "extract")
	require.Contains(t, extract["labels"], map[string]any{"from": "pod", "key": "app.kubernetes.io/name", "tag_name": "k8s.pod.label.app.kubernetes.io/name"})
	require.Contains(t, extract["labels"], map[string]any{"from": "pod", "key": "team", "tag_name": "k8s.pod.label.team"})
	require.Contains(t, extract["labels"], map[string]any{"from": "namespace", "key": "k0rdent.mirantis.com/kof-tenant-id", "tag_name": "kof.tenant"})
	require.Contains(t, extract["annotations"], map[string]any{"from": "pod", "key": "owner", "tag_name": "k8s.pod.annotation.owner"})
	require.Equal(t, map[string]any{"k8s.pod.label.app.kubernetes.io/name": "app", "k8s.pod.annotation.owner": "owner", "k8s.namespace.label.team": "team"},
		mapAt(t, config, "exporters", "region", "metrics", "resource_labels"))
	state := configOf(t, "state", values)
	require.Equal(t, map[string]any{"k8s.namespace.label.team": "team"}, mapAt(t, state, "exporters", "region", "metrics", "resource_labels"))
}

func TestNamespaces(t *testing.T) {
	config := configOf(t, "agent", "namespaces: {include: {shop: true, web: true, off: false}}")
	require.Equal(t, []any{map[string]any{"namespace": "shop"}, map[string]any{"namespace": "web"}}, mapAt(t, config, "receivers", "pod_logs")["include"])
	require.Equal(t, map[string]any{"source_labels": []any{"__meta_kubernetes_namespace"}, "action": "keep", "regex": "shop|web"}, firstRelabel(t, config))

	config = configOf(t, "agent", "namespaces: {exclude: {shop: true}}")
	require.Contains(t, mapAt(t, config, "receivers", "pod_logs")["exclude"], map[string]any{"namespace": "shop"})
	require.Len(t, mapAt(t, config, "receivers", "pod_logs")["exclude"], 2, "the agent's own log stays excluded")
	require.Equal(t, "drop", firstRelabel(t, config)["action"])
}

func firstRelabel(t *testing.T, config map[string]any) map[string]any {
	t.Helper()
	pods := mapAt(t, config, "receivers", "prometheus", "config")["scrape_configs"].([]any)[0].(map[string]any)
	return pods["relabel_configs"].([]any)[0].(map[string]any)
}

// The directory of each example is one that the exporter takes, and the files that it names are there.
func TestDirectories(t *testing.T) {
	for _, name := range examples(t) {
		t.Run(name, func(t *testing.T) {
			all := objects(t, render(t, example(name)))
			for _, o := range all {
				if o.GetKind() != "ConfigMap" || !strings.HasSuffix(o.GetName(), "-regions") {
					continue
				}
				directory, err := region.Parse([]byte(mapAt(t, o.Object, "data")["regions.yaml"].(string)))
				require.NoError(t, err)
				home := ""
				for _, e := range collectorOf(t, all)["env"].([]any) {
					if e.(map[string]any)["name"] == "KOF_REGION" {
						home = e.(map[string]any)["value"].(string)
					}
				}
				require.Contains(t, directory.Regions, home)
				for r, d := range directory.Regions {
					if d.Auth.Basic != nil {
						require.Contains(t, credentials(t, all), d.Auth.Basic.PasswordFile, r)
					}
					if d.Auth.Bearer != nil {
						require.Contains(t, credentials(t, all), d.Auth.Bearer.TokenFile, r)
					}
					for _, f := range []string{d.TLS.CAFile, d.TLS.CertFile, d.TLS.KeyFile} {
						if f != "" {
							require.Contains(t, credentials(t, all), f, r)
						}
					}
				}
			}
		})
	}
}
