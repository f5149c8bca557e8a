// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRunDirLeavesNothing(t *testing.T) {
	parent := t.TempDir()
	d, err := newRunDir(parent, false)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(d.join("x"), nil, 0o600))
	require.NoError(t, d.remove())
	left, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestRunDirOfAKilledRunGoes(t *testing.T) {
	parent := t.TempDir()
	running, err := newRunDir(parent, false)
	require.NoError(t, err)
	killed := filepath.Join(parent, runDirPrefix+"killed")
	require.NoError(t, os.MkdirAll(filepath.Join(killed, "data"), 0o700))
	foreign := filepath.Join(parent, "something-else")
	require.NoError(t, os.Mkdir(foreign, 0o700))

	d, err := newRunDir(parent, false)
	require.NoError(t, err)
	require.NoDirExists(t, killed)
	require.DirExists(t, running.path, "a run that lives keeps its folder")
	require.DirExists(t, foreign)
	require.NoError(t, d.remove())
	require.NoError(t, running.remove())
}

func TestKeptRunDirStays(t *testing.T) {
	parent := t.TempDir()
	d, err := newRunDir(parent, true)
	require.NoError(t, err)
	require.NoError(t, d.remove())
	require.DirExists(t, d.path)
	next, err := newRunDir(parent, false)
	require.NoError(t, err)
	require.DirExists(t, d.path)
	require.NoError(t, next.remove())
}
