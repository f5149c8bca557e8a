// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// kind is how a panel shows what its queries return.
type kind int

const (
	kindGraph kind = iota // lines over time
	kindStat              // one number
	kindBars              // one bar for each series, of the newest values
	kindTable             // one line for each set of labels, one column for each query
	kindLogs              // log records
)

// panel is one picture with its queries. The methods return changed copies.
type panel struct {
	kind    kind
	title   string
	about   string // shown on demand; "" where the title says all
	unit    string
	w, h    uint32
	targets []target
	source  string

	steps      []dashboard.Threshold
	min, max   *float64
	decimals   *float64
	stacked    bool
	columns    []column // of a table, one for each query
	labels     []string // of a table: the columns of labels, in order
	links      map[string]string
	sortColumn string
}

// target is a query with what its series are called: {{label}} stands for a label's value.
type target struct{ expr, legend string }

// column of a table.
type column struct {
	title, unit, expr string
	steps             []dashboard.Threshold
}

func q(expr, legend string) target { return target{expr, legend} }

func graph(title, unit string, targets ...target) panel {
	return panel{kind: kindGraph, title: title, unit: unit, w: 12, h: 8, targets: targets, source: metricsType}
}

func stat(title, unit, expr string) panel {
	return panel{kind: kindStat, title: title, unit: unit, w: 4, h: 4, targets: []target{{expr: expr}}, source: metricsType}
}

func bars(title, unit string, targets ...target) panel {
	return panel{kind: kindBars, title: title, unit: unit, w: 12, h: 8, targets: targets, source: metricsType}
}

// table has a line for each set of the labels, which all columns' queries return.
func table(title string, labels []string, columns ...column) panel {
	p := panel{kind: kindTable, title: title, w: width, h: 10, columns: columns, labels: labels, source: metricsType, sortColumn: columns[0].title}
	for _, c := range columns {
		p.targets = append(p.targets, target{expr: c.expr})
	}
	return p
}

func col(title, unit, expr string) column { return column{title: title, unit: unit, expr: expr} }

func (c column) above(warn, crit float64) column { c.steps = rising(warn, crit); return c }
func (c column) below(warn, crit float64) column { c.steps = falling(warn, crit); return c }

// logPanel shows records.
func logPanel(title, expr string) panel {
	return panel{kind: kindLogs, title: title, w: width, h: 14, targets: []target{{expr: expr}}, source: logsType}
}

// ofLogs makes the panel's queries LogsQL.
func (p panel) ofLogs() panel { p.source = logsType; return p }

func (p panel) size(w, h uint32) panel       { p.w, p.h = w, h; return p }
func (p panel) says(about string) panel      { p.about = about; return p }
func (p panel) stack() panel                 { p.stacked = true; return p }
func (p panel) digits(n float64) panel       { p.decimals = &n; return p }
func (p panel) sortedBy(column string) panel { p.sortColumn = column; return p }

// share makes the axis go from 0 to 1.
func (p panel) share() panel {
	zero, one := 0.0, 1.0
	p.min, p.max = &zero, &one
	return p
}

// above colours values from warn on yellow, from crit on red.
func (p panel) above(warn, crit float64) panel { p.steps = rising(warn, crit); return p }

// below colours values under warn yellow, under crit red.
func (p panel) below(warn, crit float64) panel { p.steps = falling(warn, crit); return p }

// leads makes the values of a label link to a dashboard, with the label as its variable of the same name. Further variables are named as labels are,
// or variable=label.
func (p panel) leads(label, uid string, variables ...string) panel {
	links := map[string]string{}
	for k, v := range p.links {
		links[k] = v
	}
	url := "/d/" + uid + "?${metrics:queryparam}&${__url_time_range}"
	for _, v := range append(variables, label) {
		name, field, found := strings.Cut(v, "=")
		if !found {
			field = name
		}
		url += "&var-" + name + "=${__data.fields." + field + "}"
	}
	links[label] = url
	p.links = links
	return p
}

func rising(warn, crit float64) []dashboard.Threshold {
	return []dashboard.Threshold{{Color: "green"}, {Color: "yellow", Value: &warn}, {Color: "red", Value: &crit}}
}

func falling(warn, crit float64) []dashboard.Threshold {
	return []dashboard.Threshold{{Color: "red"}, {Color: "yellow", Value: &crit}, {Color: "green", Value: &warn}}
}

// thresholds is nil where values are neither good nor bad: Grafana's default would colour them from 80 on.
func thresholds(steps []dashboard.Threshold) cog.Builder[dashboard.ThresholdsConfig] {
	if steps == nil {
		steps = []dashboard.Threshold{{Color: "text"}}
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(steps)
}
