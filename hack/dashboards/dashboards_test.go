// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/internal/dashboards"
)

func TestRun(t *testing.T) {
	root := t.TempDir()
	write := func(path, content string) {
		path = filepath.Join(root, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	write(listFile, "# Before\n"+listBegin+"old\n"+listEnd+"\nafter\n")
	regions := filepath.Join(filesDir, "kof", "regions.yaml")
	gone, own := filepath.Join(filesDir, "kof", "gone.yaml"), filepath.Join(filesDir, "team", "own.json")
	write(regions, "old")
	write(gone, dashboards.Header+"title: Gone\n")
	write(own, `{"title": "Own"}`)

	err := run(root, true)
	require.ErrorContains(t, err, regions+" is stale")
	require.ErrorContains(t, err, gone+" is of no dashboard any more")
	require.ErrorContains(t, err, listFile+" is stale")
	content, err := os.ReadFile(filepath.Join(root, regions))
	require.NoError(t, err)
	require.Equal(t, "old", string(content), "-check changes nothing")

	require.NoError(t, run(root, false))
	require.NoError(t, run(root, true))
	require.NoFileExists(t, filepath.Join(root, gone))
	require.FileExists(t, filepath.Join(root, own), "a user's file")
	list, err := os.ReadFile(filepath.Join(root, listFile))
	require.NoError(t, err)
	require.Contains(t, string(list), "| Regions | Does every region get its data")
	require.Contains(t, string(list), "\nafter\n")
	require.NotContains(t, string(list), "\nold\n")
}

func TestMarksAreNeeded(t *testing.T) {
	_, err := withList([]byte("no marks"))
	require.ErrorContains(t, err, "docs/dashboards.md: no lines")
}
