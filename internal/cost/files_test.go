// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func stringsReader(s string) io.Reader { return strings.NewReader(s) }

func TestFilesKeepTheLastGoodPrices(t *testing.T) {
	dir := t.TempDir()
	path, tablePath := filepath.Join(dir, "prices.csv"), filepath.Join(dir, "types.yaml")
	f := NewFiles(path, tablePath)
	r := &Resolver{Defaults: defaults(t)}
	price := func() float64 {
		f.Apply(r)
		return r.Node(node(4, 16, 0, nil), now).Total()
	}
	require.False(t, f.Load())
	_, _, err := f.Problems(10)
	require.ErrorIs(t, err, os.ErrNotExist)
	near(t, 4*0.031611+16*0.004237, price())

	require.NoError(t, os.WriteFile(path, []byte(header+",n1,,node,metadata.name,,1,\n,x,,node,metadata.name,,-1,\n"), 0o600))
	require.NoError(t, os.WriteFile(tablePath, []byte(types), 0o600))
	require.True(t, f.Load())
	require.False(t, f.Load(), "nothing changed")
	rows, count, err := f.Problems(10)
	require.NoError(t, err)
	require.Equal(t, 1, count)
	require.Equal(t, 3, rows[0].Line)
	near(t, 1, price())

	require.NoError(t, os.WriteFile(path, []byte("<html>no such file</html>"), 0o600))
	require.False(t, f.Load())
	_, _, err = f.Problems(0)
	require.ErrorContains(t, err, "prices.csv")
	near(t, 1, price(), "the last good prices stay")

	require.NoError(t, os.Remove(path))
	f.Load()
	_, _, err = f.Problems(0)
	require.ErrorIs(t, err, os.ErrNotExist)
	near(t, 1, price())

	require.NoError(t, os.WriteFile(path, []byte(header+",n1,,node,metadata.name,,2,\n"), 0o600))
	require.True(t, f.Load())
	_, _, err = f.Problems(0)
	require.NoError(t, err)
	near(t, 2, price())
}

func TestFilesWatchSeesSwappedLinks(t *testing.T) {
	// As the kubelet mounts a ConfigMap: the file is a link into a folder that is itself a link, swapped by a rename.
	dir := t.TempDir()
	put := func(version, row string) {
		require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, version, "prices.csv"), []byte(header+row), 0o600))
		require.NoError(t, os.Symlink(version, filepath.Join(dir, "..tmp")))
		require.NoError(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
	}
	put("v1", ",n1,,node,metadata.name,,1,\n")
	require.NoError(t, os.Symlink("..data/prices.csv", filepath.Join(dir, "prices.csv")))
	f := NewFiles(filepath.Join(dir, "prices.csv"), "")
	f.Load()
	ctx, cancel := context.WithCancel(context.Background())
	changed := make(chan struct{}, 10)
	done := make(chan error, 1)
	go func() { done <- f.Watch(ctx, func() { changed <- struct{}{} }) }()
	<-changed // the first look, when the watch is in place
	put("v2", ",n1,,node,metadata.name,,2,\n")
	r := &Resolver{Defaults: defaults(t)}
	require.Eventually(t, func() bool {
		f.Apply(r)
		return r.Node(node(4, 16, 0, nil), now).Source == SourceList && r.List.nodes["metadata.name"]["n1"] == 2
	}, 10*time.Second, 10*time.Millisecond)
	cancel()
	require.NoError(t, <-done)
}

func TestFilesWatchWithoutFolder(t *testing.T) {
	f := NewFiles(filepath.Join(t.TempDir(), "none", "prices.csv"), "")
	require.ErrorContains(t, f.Watch(context.Background(), func() {}), "watch")
}
