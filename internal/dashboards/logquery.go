// SPDX-License-Identifier: Apache-2.0

package dashboards

import "github.com/grafana/grafana-foundation-sdk/go/cog/variants"

// logQuery is a query of VictoriaLogs' data source for Grafana, which the builders don't know. Source of the format: the type Query in
// https://github.com/VictoriaMetrics/victorialogs-datasource/blob/main/src/types.ts.
type logQuery struct {
	RefID        string         `json:"refId"`
	Datasource   map[string]any `json:"datasource"`
	Expr         string         `json:"expr"`
	QueryType    string         `json:"queryType"` // instant: records; stats: numbers now; statsRange: numbers over time
	LegendFormat string         `json:"legendFormat,omitempty"`
	MaxLines     int            `json:"maxLines,omitempty"`
}

// maxLines bounds how many records a panel shows.
const maxLines = 500

func (p panel) logQuery(i int, t target) logQuery {
	out := logQuery{
		RefID: refID(i), Datasource: map[string]any{"type": logsType, "uid": "${logs}"},
		Expr: logFilters.Replace(t.expr), QueryType: "stats", LegendFormat: t.legend,
	}
	switch p.kind {
	case kindLogs:
		out.QueryType, out.MaxLines = "instant", maxLines
	case kindGraph:
		out.QueryType = "statsRange"
	}
	return out
}

func (logQuery) ImplementsDataqueryVariant() {}
func (logQuery) DataqueryType() string       { return logsType }
func (logQuery) Validate() error             { return nil }
func (q logQuery) Equals(other variants.Dataquery) bool {
	o, ok := other.(logQuery)
	return ok && q.RefID == o.RefID && q.Expr == o.Expr && q.QueryType == o.QueryType && q.LegendFormat == o.LegendFormat
}
