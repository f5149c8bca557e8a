// SPDX-License-Identifier: Apache-2.0

package clusters

import (
	"fmt"
	"time"

	"github.com/dustin/go-humanize"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/k0rdent/kof/internal/kofctl/output"
)

// Tables shows the clusters.
func (r *Report) Tables() []output.Table {
	t := output.Table{
		Columns: []string{"namespace", "cluster", "region", "rule", "since", "moving", "held", "last seen", "message"},
		Empty:   "No cluster sends telemetry: no ClusterDeployment has the label k0rdent.mirantis.com/kof-cluster-role.",
	}
	for _, c := range r.Clusters {
		moving := ""
		if c.Moving != nil {
			moving = fmt.Sprintf("%s to %s", c.Moving.Phase, c.Moving.Other)
			if c.Moving.Phase == "Draining" {
				moving = fmt.Sprintf("%s from %s", c.Moving.Phase, c.Moving.Other)
			}
		}
		t.Rows = append(t.Rows, []string{c.Namespace, c.Name, c.Region, c.Rule, r.ago(c.Since), moving, r.held(c), r.seen(c), c.Message})
	}
	if !r.Metrics && len(r.Clusters) > 0 {
		t.Notes = append(t.Notes, "HELD and LAST SEEN are not known without --metrics-url.")
	}
	return []output.Table{t}
}

func (r *Report) ago(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return duration.HumanDuration(r.now.Sub(t))
}

func (r *Report) held(c Cluster) string {
	switch {
	case !r.Metrics || c.Held == nil:
		return "unknown"
	case c.Held.Items == 0:
		return "0"
	}
	age := duration.HumanDuration(time.Duration(c.Held.OldestSeconds) * time.Second)
	return fmt.Sprintf("%d items, %s, %s", c.Held.Items, humanize.IBytes(uint64(max(0, c.Held.Bytes))), age)
}

func (r *Report) seen(c Cluster) string {
	switch {
	case !r.Metrics:
		return "unknown"
	case c.LastSeen == nil:
		return "not within " + duration.HumanDuration(Window)
	}
	return r.ago(*c.LastSeen) + " ago"
}
