// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/operator/budget"
)

const budgetsDir = "testdata/budgets"

// budgetAlerts are the alerts that kof-operator makes for each budget.
var budgetAlerts = []string{budget.AlertSpent, budget.AlertForecast, budget.AlertNoCosts}

func TestBudgets(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(budgetsDir, "budgets.yaml"))
	require.NoError(t, err)
	budgets, err := budget.Parse(string(content))
	require.NoError(t, err)
	text, err := budget.Rules(budgets, budget.MonthOf(time.Unix(0, 0)), budget.Options{Record: true})
	require.NoError(t, err)

	dir := t.TempDir()
	writeGroups(t, filepath.Join(dir, "groups"), text)
	test, err := os.ReadFile(filepath.Join(budgetsDir, "tests.yaml"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "groups", "tests.yaml"), test, 0o644))
	stdout, stderr, err := run(t, filepath.Join(dir, "groups"), "promtool", "test", "rules", "tests.yaml")
	require.NoError(t, err, "%s%s", stdout, stderr)

	fires, silent := tested(t, filepath.Join(budgetsDir, "tests.yaml"))
	for _, alert := range budgetAlerts {
		require.True(t, fires[alert], "%s is never seen firing", alert)
		require.True(t, silent[alert], "%s is never seen silent", alert)
	}
}
