// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// width of a dashboard, in Grafana's columns.
const width = 24

// Board is a dashboard.
type Board struct {
	// Folder is the folder in Grafana and in the chart.
	Folder string
	// Name is the file's name without its ending. Folder and name make the dashboard's address, and never change.
	Name string
	// Title is what the list of dashboards shows.
	Title string
	// Answers is the question that the dashboard is there for.
	Answers string
	// Needs is what has to be there, beyond what kof-collectors brings, for the dashboard to show anything. "" is nothing.
	Needs string

	from      string // start of the time range at first sight; "" is an hour ago
	variables []variable
	rows      []row
}

// row is a line of the dashboard with a heading. "" has none.
type row struct {
	title  string
	panels []panel
}

// UID is the dashboard's address in Grafana: /d/UID.
func (b Board) UID() string { return uid(b.Folder, b.Name) }

func uid(folder, name string) string { return "kof-" + folder + "-" + name }

// tag is what the dashboards of a folder have in common, so that each can link to the others.
func tag(folder string) string { return "kof-" + folder }

// Path is the file's path below the chart's folder of dashboards.
func (b Board) Path() string { return b.Folder + "/" + b.Name + ".yaml" }

// build makes what Grafana reads.
func (b Board) build() (dashboard.Dashboard, error) {
	from := b.from
	if from == "" {
		from = "now-1h"
	}
	d := dashboard.NewDashboardBuilder(b.Title).
		Uid(b.UID()).
		Description(b.Answers).
		Tags([]string{"kof", tag(b.Folder)}).
		Time(from, "now").
		Refresh("1m").
		Timezone("browser").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		Readonly().
		Link(dashboard.NewDashboardLinkBuilder("More of " + b.Folder).
			Type(dashboard.DashboardLinkTypeDashboards).
			Tags([]string{tag(b.Folder)}).
			AsDropdown(true).IncludeVars(true).KeepTime(true))
	for _, v := range b.variables {
		d.WithVariable(v.build())
	}
	id := uint32(0)
	next := func() uint32 { id++; return id }
	x, y, height := uint32(0), uint32(0), uint32(0)
	for _, r := range b.rows {
		if r.title != "" {
			y, x, height = y+height, 0, 0
			d.WithRow(dashboard.NewRowBuilder(r.title).Id(next()).GridPos(dashboard.GridPos{H: 1, W: width, Y: y}))
			y++
		}
		for _, p := range r.panels {
			if x+p.w > width {
				y, x, height = y+height, 0, 0
			}
			built, err := p.build()
			if err != nil {
				return dashboard.Dashboard{}, fmt.Errorf("%s: %s: %w", b.Path(), p.title, err)
			}
			built.GridPos = &dashboard.GridPos{H: p.h, W: p.w, X: x, Y: y}
			panelID := next()
			built.Id = &panelID
			d.WithPanel(built1{built})
			x, height = x+p.w, max(height, p.h)
		}
		y, x, height = y+height, 0, 0
	}
	return d.Build()
}

// built1 is a panel that is built already.
type built1 struct{ panel dashboard.Panel }

func (b built1) Build() (dashboard.Panel, error) { return b.panel, nil }

var _ cog.Builder[dashboard.Panel] = built1{}

// filters are what @NAME stands for in PromQL, and in LogsQL.
var filters, logFilters = func() (metrics, logs *strings.Replacer) {
	const (
		region    = `promxyCluster=~"$region"`
		cluster   = region + `,cluster=~"$cluster"`
		tenant    = cluster + `,tenant=~"$tenant"`
		namespace = tenant + `,namespace=~"$namespace"`
		workload  = `,workload_kind=~"$workload_kind",workload=~"$workload"`
		// The one cluster that is looked at in detail.
		detail          = region + `,cluster=~"$detail"`
		detailNamespace = detail + `,tenant=~"$tenant",namespace=~"$namespace"`
	)
	metrics = strings.NewReplacer("@region", region, "@cluster", cluster, "@tenant", tenant, "@namespace", namespace,
		"@workload", namespace+workload, "@detailNamespace", detailNamespace, "@detailWorkload", detailNamespace+workload, "@detail", detail, "@node", cluster+`,node=~"$node"`)
	const logCluster = `k8s.cluster.name:in(${cluster:doublequote})`
	return metrics, strings.NewReplacer("@cluster", logCluster, "@namespace", logCluster+` k8s.namespace.name:in(${namespace:doublequote})`)
}()
