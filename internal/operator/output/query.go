// SPDX-License-Identifier: Apache-2.0

package output

import (
	"cmp"
	"net/url"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/k0rdent/kof/internal/operator/api/v1beta1"
	"github.com/k0rdent/kof/internal/operator/names"
)

// ServerGroup is what Promxy queries of a region, nil if the region doesn't answer queries.
func (o Owner) ServerGroup(s v1beta1.RegionSpec) *unstructured.Unstructured {
	at, err := url.Parse(EndpointsOf(s).MetricsQuery)
	if err != nil || at.Host == "" {
		return nil
	}
	port := cmp.Or(at.Port(), map[string]string{"http": "80", "https": "443"}[at.Scheme])
	spec := map[string]any{
		"clusterName": s.Name, "scheme": at.Scheme, "targets": []any{at.Hostname() + ":" + port},
		"httpClient": map[string]any{"basicAuth": map[string]any{"secretName": ReaderName(o.Name)}},
	}
	if at.Path != "" && at.Path != "/" {
		spec["pathPrefix"] = at.Path
	}
	return o.object(v1beta1.GroupVersion.String(), "PromxyServerGroup", names.In("kof", o.Name), PartServerGroup, map[string]any{"spec": spec})
}

// DatasourceGVK's version and kind, of the Grafana operator.
const (
	GrafanaVersion = "grafana.integreatly.org/v1beta1"
	DatasourceKind = "GrafanaDatasource"
)

// metricsUID is of the one data source that asks Promxy, and so all regions.
const metricsUID = "kof-metrics"

// Datasources returns the data sources of a region's logs and traces, tied together: logs lead to traces by their trace ID, traces to
// the logs of their trace and to the request rate of their service.
func (o Owner) Datasources(s v1beta1.RegionSpec) []*unstructured.Unstructured {
	e := EndpointsOf(s)
	logs, traces := names.UID("kof-l", o.Namespace, o.Name), names.UID("kof-t", o.Namespace, o.Name)
	var out []*unstructured.Unstructured
	if e.LogsQuery != "" {
		settings := map[string]any{}
		if e.TracesQuery != "" {
			settings["derivedFields"] = []any{map[string]any{
				"name": "Trace", "matcherRegex": `"?trace_id"?[=:]\s*"?([0-9a-f]{32})`, "url": "$${__value.raw}", "datasourceUid": traces,
			}}
		}
		out = append(out, o.datasource("kof-logs", logs, "Logs "+s.Name, "victoriametrics-logs-datasource", e.LogsQuery, settings))
	}
	if e.TracesQuery != "" {
		settings := map[string]any{
			"tracesToMetrics": map[string]any{"datasourceUid": metricsUID, "tags": []any{map[string]any{"key": "service.name", "value": "service_name"}},
				"queries": []any{map[string]any{"name": "Request rate", "query": "sum(rate(traces_span_metrics_calls_total{$$__tags}[5m]))"}}},
		}
		if e.LogsQuery != "" {
			settings["tracesToLogsV2"] = map[string]any{
				"datasourceUid": logs, "customQuery": true, "query": `trace_id:"$${__trace.traceId}"`, "spanStartTimeShift": "-5m", "spanEndTimeShift": "5m",
			}
		}
		out = append(out, o.datasource("kof-traces", traces, "Traces "+s.Name, "jaeger", e.TracesQuery, settings))
	}
	return out
}

func (o Owner) datasource(kind, uid, title, plugin, at string, settings map[string]any) *unstructured.Unstructured {
	spec := datasourceSpec(uid, title, plugin, at, settings)
	spec["datasource"].(map[string]any)["basicAuth"] = true
	spec["datasource"].(map[string]any)["basicAuthUser"] = "${username}"
	spec["datasource"].(map[string]any)["secureJsonData"] = map[string]any{"basicAuthPassword": "${password}"}
	from := func(path, key string) any {
		return map[string]any{"targetPath": path, "valueFrom": map[string]any{"secretKeyRef": map[string]any{"name": ReaderName(o.Name), "key": key}}}
	}
	spec["valuesFrom"] = []any{from("basicAuthUser", keyUser), from("secureJsonData.basicAuthPassword", keyPassword)}
	return o.object(GrafanaVersion, DatasourceKind, names.In(kind, o.Name), PartDatasource, map[string]any{"spec": spec})
}

func datasourceSpec(uid, title, plugin, at string, settings map[string]any) map[string]any {
	return map[string]any{
		"uid": uid, "allowCrossNamespaceImport": true, "instanceSelector": map[string]any{"matchLabels": map[string]any{"dashboards": "grafana"}},
		"datasource": map[string]any{"name": title, "type": plugin, "access": "proxy", "url": at, "jsonData": settings},
	}
}

// MetricsDatasource asks Promxy, and so all regions.
func MetricsDatasource(namespace, promxy string) *unstructured.Unstructured {
	spec := datasourceSpec(metricsUID, "Metrics", "prometheus", promxy, map[string]any{"httpMethod": "POST", "timeInterval": "30s"})
	spec["datasource"].(map[string]any)["isDefault"] = true
	u := object(GrafanaVersion, DatasourceKind, namespace, "kof-metrics", map[string]any{"spec": spec})
	u.SetLabels(map[string]string{LabelManagedBy: ManagedBy, LabelPart: PartDatasource})
	return u
}
