// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/k0rdent/kof/internal/operator/rules"
)

// TestEachAlertCanBeChangedForACluster: kof-operator can take one cluster out of each alert, whatever its expression is.
func TestEachAlertCanBeChangedForACluster(t *testing.T) {
	changes := map[string]any{}
	var groups []any
	for _, g := range parse(t, alerts(t)).Groups {
		if g.Name == "kof-platform" { // not by way of the operator
			continue
		}
		var off []any
		for _, r := range g.Rules {
			off = append(off, map[string]any{"alert": r.Alert, "disabled": true})
		}
		groups = append(groups, map[string]any{"name": g.Name, "rules": off})
	}
	changes["groups"] = groups
	text, err := yaml.Marshal(changes)
	require.NoError(t, err)
	got := rules.Merge([]rules.Source{
		{Name: "alerts", Files: map[string]string{"all.yaml": alerts(t)}}, {Name: "shop", Cluster: "shop", Files: map[string]string{"off.yaml": string(text)}},
	}, nil)
	require.Empty(t, got.Problems)
	for _, g := range parse(t, got.Files["alerts.all.yaml"]).Groups {
		for _, r := range g.Rules {
			if g.Name != "kof-platform" {
				require.Contains(t, r.Expr, `cluster!="shop"`, fmt.Sprintf("%s: %s", g.Name, r.Alert))
			}
		}
	}
}
