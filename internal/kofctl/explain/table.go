// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/k0rdent/kof/internal/kofctl/output"
)

// Tables shows the explanation of a cluster.
func (r *Report) Tables() []output.Table {
	head := output.Table{Title: fmt.Sprintf("Cluster %s (%s/%s)", r.Name, r.Namespace, r.ClusterDeployment), Rows: r.Now.summary()}
	out := append([]output.Table{head}, r.Now.tables()...)
	if r.With == nil {
		return out
	}
	changes := output.Table{
		Title: "With the file:", Columns: []string{"what", "now", "with the file"}, Empty: "Nothing changes for this cluster.",
	}
	for _, c := range r.Changes {
		changes.Rows = append(changes.Rows, []string{c.What, c.Now, c.With})
	}
	if r.With.Message != "" && r.With.Message != r.Now.Message {
		changes.Notes = append(changes.Notes, "Why: "+r.With.Message)
	}
	for _, p := range r.Problems {
		changes.Notes = append(changes.Notes, "Problem: "+p)
	}
	return append(out, changes)
}

func (v View) summary() [][]string {
	rows := [][]string{{"Region:", cmp.Or(v.Region, "none")}}
	if v.Region != "" {
		rows = append(rows, []string{"Zone:", v.Zone}, []string{"Chosen by:", v.Rule}, []string{"Since:", v.Since.Format(time.RFC3339)})
	}
	if v.Next != "" {
		rows = append(rows, []string{"Next:", fmt.Sprintf("%s, to %s", v.Next, v.NextIsTo)})
	}
	if v.Message != "" {
		rows = append(rows, []string{"Why:", strings.TrimPrefix(v.Reason+": "+v.Message, ": ")})
	}
	return rows
}

func (v View) tables() []output.Table {
	rules := output.Table{Title: "Rules, the first that is met decides:", Columns: []string{"rule", "asks for", "found", ""}}
	for _, r := range v.Rules {
		decides := " "
		if r.Decides {
			decides = "decides"
		}
		rules.Rows = append(rules.Rows, []string{r.Rule, r.Asks, cmp.Or(strings.Join(r.Found, ", "), "none"), decides})
	}
	return []output.Table{rules, v.endpointTable()}
}

func (v View) endpointTable() output.Table {
	t := output.Table{
		Title: "Endpoints:", Columns: []string{"region", "use", "zone", "signal", "endpoint"}, Empty: "none: agents hold what they collect",
	}
	for _, e := range v.Endpoints {
		for _, signal := range [][2]string{{"metrics", e.Metrics}, {"logs", e.Logs}, {"traces", e.Traces}} {
			t.Rows = append(t.Rows, []string{e.Region, e.Use, e.Zone, signal[0], cmp.Or(signal[1], "none: held")})
		}
	}
	return t
}
