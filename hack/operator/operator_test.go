// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFresh is what `make generate-check` does; then each file in turn is made stale, as a changed kind or marker would, or is there too many.
func TestFresh(t *testing.T) {
	if testing.Short() {
		t.Skip("runs controller-gen")
	}
	root := filepath.Join("..", "..")
	files, err := generate(t.Context(), root)
	require.NoError(t, err)
	stale, err := compare(root, files)
	require.NoError(t, err)
	require.Empty(t, stale, remedy)
	require.Len(t, files, 7)
	for path, content := range files {
		files[path] = append([]byte("x"), content...)
		stale, err := compare(root, files)
		require.NoError(t, err)
		require.Equal(t, []string{path}, stale)
		files[path] = content
	}

	tmp := t.TempDir()
	for path, content := range files {
		require.NoError(t, os.MkdirAll(filepath.Join(tmp, filepath.Dir(path)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(tmp, path), content, 0o644))
	}
	old := filepath.Join(crdsDir, "kof.k0rdent.mirantis.com_olds.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(tmp, old), nil, 0o644))
	stale, err = compare(tmp, files)
	require.NoError(t, err)
	require.Equal(t, []string{old}, stale, "of a kind that is gone")
}
