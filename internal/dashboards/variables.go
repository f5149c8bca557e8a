// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Types of data sources, as Grafana names their plugins.
const (
	metricsType = "prometheus"
	logsType    = "victoriametrics-logs-datasource"
)

// variable is a choice at the top of a dashboard.
type variable struct {
	name, label string
	source      string // type of the data source whose values are asked for; of a variable without query, the type to choose from
	query       string // PromQL: what label_values() takes; LogsQL: the filter
	field       string // of LogsQL
	text        string // of a variable to type into: what it is at first
	chosen      bool   // has no "All", and is the first of its values at first
}

// The variables that dashboards share. Each lists the values that fit those before it.
var (
	metrics = variable{name: "metrics", label: "Metrics", source: metricsType}
	logs    = variable{name: "logs", label: "Logs", source: logsType}

	region    = labelValues("region", "Region", `up, promxyCluster`)
	cluster   = labelValues("cluster", "Cluster", `up{@region}, cluster`)
	tenant    = labelValues("tenant", "Tenant", `kof_container_cost_total{@cluster}, tenant`)
	namespace = labelValues("namespace", "Namespace", `kof_container_cost_total{@tenant}, namespace`)
	node      = labelValues("node", "Node", `node_uname_info{@cluster}, node`)

	logCluster   = variable{name: "cluster", label: "Cluster", source: logsType, query: "*", field: "k8s.cluster.name"}
	logNamespace = variable{name: "namespace", label: "Namespace", source: logsType, query: "@cluster", field: "k8s.namespace.name"}

	byRegion    = []variable{metrics, region}
	byCluster   = append(byRegion[:2:2], cluster)
	byTenant    = append(byCluster[:3:3], tenant)
	byNamespace = append(byTenant[:4:4], namespace)
	byNode      = append(byCluster[:3:3], node)
	byWorkload  = append(byNamespace[:5:5], ofWorkloads("@namespace")...)
)

// ofWorkloads are the choices of workloads within what is chosen already.
func ofWorkloads(within string) []variable {
	return []variable{
		labelValues("workload_kind", "Kind", `kof_container_cost_total{`+within+`}, workload_kind`),
		labelValues("workload", "Workload", `kof_container_cost_total{`+within+`,workload_kind=~"$workload_kind"}, workload`),
	}
}

func labelValues(name, label, query string) variable {
	return variable{name: name, label: label, source: metricsType, query: query}
}

// one has to be chosen: "All" would be too much for what the dashboard asks.
func (v variable) one() variable { v.chosen = true; return v }

// ref is the data source that a variable of that type chooses.
func ref(source string) common.DataSourceRef {
	name := map[string]string{metricsType: "${metrics}", logsType: "${logs}"}[source]
	return common.DataSourceRef{Type: &source, Uid: &name}
}

func text(s string) dashboard.StringOrArrayOfString {
	return dashboard.StringOrArrayOfString{String: &s}
}

func (v variable) build() cog.Builder[dashboard.VariableModel] {
	switch {
	case v.text != "":
		return dashboard.NewTextBoxVariableBuilder(v.name).Label(v.label).DefaultValue(dashboard.StringOrMap{String: &v.text})
	case v.query == "":
		return dashboard.NewDatasourceVariableBuilder(v.name).Label(v.label).Type(v.source)
	}
	b := dashboard.NewQueryVariableBuilder(v.name).
		Label(v.label).
		Datasource(ref(v.source)).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortNaturalAsc).
		Multi(true)
	if !v.chosen {
		b.IncludeAll(true).Current(dashboard.VariableOption{Text: text("All"), Value: text("$__all")})
	}
	if v.source == logsType {
		return b.AllValue("*").Query(dashboard.StringOrMap{Map: map[string]any{
			"refId": "variable", "type": "fieldValue", "field": v.field, "query": logFilters.Replace(v.query), "limit": 1000,
		}})
	}
	query := "label_values(" + filters.Replace(v.query) + ")"
	if !v.chosen {
		b.AllValue(".*")
	}
	return b.Query(dashboard.StringOrMap{String: &query}).Definition(query)
}
