// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTable(t *testing.T) {
	got, err := table([]byte(`# The first.
first:
  # Its name,
  # on two lines | with a bar.
  name: ""
  # A list.
  list: [1, {a: b}]
# As a whole.
whole: {a: 1}
`))
	require.NoError(t, err)
	require.Equal(t, "| value | default | |\n|---|---|---|\n"+
		"| **`first`** | | The first. |\n"+
		"| `first.name` | `\"\"` | Its name, on two lines \\| with a bar. |\n"+
		"| `first.list` | `[1, {a: b}]` | A list. |\n"+
		"| `whole` | `{a: 1}` | As a whole. |\n", string(got))

	_, err = table([]byte("a: 1\n\nb:\n  c: 2\n"))
	require.EqualError(t, err, "values.yaml:1: a has no comment\nvalues.yaml:3: b has no comment")
}

func TestMarksAreNeeded(t *testing.T) {
	_, err := withTable([]byte("no marks"), []byte("# c\na: 1\n"))
	require.ErrorContains(t, err, "README.md: no lines")
}

func TestCheck(t *testing.T) {
	root := t.TempDir()
	write := func(path, content string) {
		path = filepath.Join(root, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	for _, name := range alerts {
		write(filepath.Join(chartsDir, "kof-mothership", "files", "alerts", name), "g: {}")
	}
	chart := filepath.Join(chartsDir, "kof-collectors")
	write(filepath.Join(rolesDir, "agent.yaml"), "agent")
	write(filepath.Join(rolesDir, "cluster.yaml"), "cluster")
	write(filepath.Join(chart, "Chart.yaml"), "")
	write(filepath.Join(chart, "values.yaml"), "# c\na: 1\n")
	write(filepath.Join(chart, "README.md"), tableBegin+tableEnd)
	write(filepath.Join(chart, "files", "agent.yaml"), "old")
	storage := filepath.Join(chartsDir, "kof-storage")
	write(filepath.Join(storage, "Chart.yaml"), "")
	write(filepath.Join(storage, "values.yaml"), "# c\na: 1\n")
	write(filepath.Join(storage, "README.md"), tableBegin+tableEnd)
	write(filepath.Join(storage, "templates", "_common.tpl"), "old")

	err := run(root, true)
	require.ErrorContains(t, err, filepath.Join("files", "agent.yaml")+" is stale")
	require.ErrorContains(t, err, "README.md is stale")
	require.ErrorContains(t, err, filepath.Join("templates", "_common.tpl")+" is stale")
	content, readErr := os.ReadFile(filepath.Join(root, chart, "files", "agent.yaml"))
	require.NoError(t, readErr)
	require.Equal(t, "old", string(content), "-check changes nothing")

	require.NoError(t, run(root, false))
	require.NoError(t, run(root, true))
}
