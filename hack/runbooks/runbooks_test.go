// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEachAlertHasItsPage: what this repository holds is whole.
func TestEachAlertHasItsPage(t *testing.T) {
	require.NoError(t, run("../..", true))
}

func TestRun(t *testing.T) {
	root := t.TempDir()
	write := func(path, content string) {
		path = filepath.Join(root, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	page := func(name, meaning, links string) {
		write(filepath.Join(runbooksDir, name+".md"), "# "+name+"\n\n## Meaning\n\n"+meaning+"\n\n## Impact\n\nSome.\n\n## Diagnosis\n\nLook.\n\n## Remedy\n\n"+links+"\n")
	}
	for _, a := range budgets.alerts {
		page(a.name, "A budget.", "None.")
	}
	write(filepath.Join(alertsDir, "nodes.yaml"), "# Nodes, of theirs. More.\ng:\n  rules:\n    B: {labels: {severity: critical}}\n    Aa: {alert: A, labels: {severity: info}}\n")
	require.ErrorContains(t, run(root, false), "alert B: found no page")

	page("A", "First | sentence. Second.", "[b](B.md#x) [other](https://example.com/x.md)")
	page("B", "Of B.", "[gone](C.md)")
	require.ErrorContains(t, run(root, false), "B.md: found a link to C.md")
	page("B", "Of B.", "Nothing.")
	page("C", "Of none.", "Nothing.")
	require.ErrorContains(t, run(root, false), "C.md: found no alert of this name")
	write(filepath.Join(runbooksDir, "C.md"), "# C\n\n## Meaning\n\nNo more.\n")
	require.ErrorContains(t, run(root, false), "C.md: found no title")
	require.NoError(t, os.Remove(filepath.Join(root, runbooksDir, "C.md")))

	require.ErrorContains(t, run(root, true), "README.md is stale")
	require.NoError(t, run(root, false))
	require.NoError(t, run(root, true))
	content, err := os.ReadFile(filepath.Join(root, runbooksDir, indexName))
	require.NoError(t, err)
	_, table, found := strings.Cut(string(content), "## Nodes\n\n")
	require.True(t, found)
	require.True(t, strings.HasPrefix(table, "| alert | severity | |\n|---|---|---|\n| [B](B.md) | critical | Of B |\n| [A](A.md) | info | First \\| sentence |\n"), table)
}
