// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	logspanel "github.com/grafana/grafana-foundation-sdk/go/logs"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	statpanel "github.com/grafana/grafana-foundation-sdk/go/stat"
	tablepanel "github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// build makes what Grafana reads, but for place and number.
func (p panel) build() (dashboard.Panel, error) {
	built, err := p.visualization().Build()
	if err != nil {
		return dashboard.Panel{}, err
	}
	source := ref(p.source)
	built.Title, built.Datasource = &p.title, &source
	if p.about != "" {
		built.Description = &p.about
	}
	for i, t := range p.targets {
		query, err := p.query(i, t)
		if err != nil {
			return dashboard.Panel{}, err
		}
		built.Targets = append(built.Targets, query)
	}
	return built, nil
}

func (p panel) visualization() cog.Builder[dashboard.Panel] {
	newest := common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"})
	switch p.kind {
	case kindStat:
		b := statpanel.NewPanelBuilder().Unit(p.unit).Thresholds(thresholds(p.steps)).ReduceOptions(newest).GraphMode(common.BigValueGraphModeNone)
		if p.decimals != nil {
			b.Decimals(*p.decimals)
		}
		return b
	case kindBars:
		b := bargauge.NewPanelBuilder().Unit(p.unit).Thresholds(thresholds(p.steps)).ReduceOptions(newest).
			Orientation(common.VizOrientationHorizontal).DisplayMode(common.BarGaugeDisplayModeBasic).Min(0)
		if p.max != nil {
			b.Max(*p.max)
		}
		return b
	case kindTable:
		return p.table()
	case kindLogs:
		return logspanel.NewPanelBuilder().ShowTime(true).WrapLogMessage(true).EnableLogDetails(true).SortOrder(common.LogsSortOrderDescending)
	}
	return p.graph()
}

func (p panel) graph() cog.Builder[dashboard.Panel] {
	b := timeseries.NewPanelBuilder().Unit(p.unit).Thresholds(thresholds(p.steps)).FillOpacity(8).LineWidth(1).ShowPoints(common.VisibilityModeNever).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending)).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(true).DisplayMode(common.LegendDisplayModeTable).Placement(common.LegendPlacementBottom).
			Calcs([]string{"lastNotNull", "max"}))
	if p.min != nil {
		b.Min(*p.min)
	} else {
		b.AxisSoftMin(0)
	}
	if p.max != nil {
		b.Max(*p.max)
	}
	if p.steps != nil {
		b.ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
	}
	if p.stacked {
		b.Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal)).FillOpacity(30)
	}
	return b
}

// table joins the columns by their labels: each query's numbers are named after it, or Value if there is but one.
func (p panel) table() cog.Builder[dashboard.Panel] {
	order, names, hidden := map[string]any{}, map[string]any{}, map[string]any{"Time": true}
	b := tablepanel.NewPanelBuilder().Thresholds(thresholds(nil)).Filterable(true).CellHeight(common.TableCellHeightSm).
		SortBy([]cog.Builder[common.TableSortByFieldState]{common.NewTableSortByFieldStateBuilder().DisplayName(p.sortColumn).Desc(true)})
	for i, label := range p.labels {
		order[label] = i
		if url := p.links[label]; url != "" {
			b.OverrideByName(label, []dashboard.DynamicConfigValue{{Id: "links", Value: []any{map[string]any{"title": "Show", "url": url}}}})
		}
	}
	for i, c := range p.columns {
		value := "Value"
		if len(p.columns) > 1 {
			value = "Value #" + refID(i)
		}
		order[value], names[value] = len(p.labels)+i, c.title
		properties := []dashboard.DynamicConfigValue{{Id: "unit", Value: c.unit}}
		if c.steps != nil {
			properties = append(properties,
				dashboard.DynamicConfigValue{Id: "thresholds", Value: map[string]any{"mode": "absolute", "steps": c.steps}},
				dashboard.DynamicConfigValue{Id: "custom.cellOptions", Value: map[string]any{"type": "color-text"}})
		}
		b.OverrideByName(c.title, properties)
	}
	return b.Transformations([]dashboard.DataTransformerConfig{
		{Id: "merge", Options: map[string]any{}},
		{Id: "organize", Options: map[string]any{"indexByName": order, "renameByName": names, "excludeByName": hidden}},
	})
}

// query makes the i-th query of the panel.
func (p panel) query(i int, t target) (variants.Dataquery, error) {
	if p.source == logsType {
		return p.logQuery(i, t), nil
	}
	b := prometheus.NewDataqueryBuilder().RefId(refID(i)).Expr(filters.Replace(t.expr)).Datasource(ref(metricsType))
	switch {
	case p.kind == kindTable:
		b.Instant().Format(prometheus.PromQueryFormatTable)
	case p.kind == kindGraph:
		b.Range().LegendFormat(t.legend)
	default:
		b.Instant().LegendFormat(t.legend)
	}
	return b.Build()
}

func refID(i int) string { return fmt.Sprintf("%c", 'A'+i) }
