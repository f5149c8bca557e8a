// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"golang.org/x/sys/unix"

	"github.com/k0rdent/kof/internal/region"
)

// flakyStorage fails to open clients of one name a number of times.
type flakyStorage struct {
	storage.Extension
	name  string
	fails atomic.Int64
}

func (f *flakyStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	if strings.Contains(name, f.name) && f.fails.Add(-1) >= 0 {
		return nil, errors.New("too many open files")
	}
	return f.Extension.GetClient(ctx, kind, id, name)
}

// A directory that can't be put in force for a reason that passes is tried again, without another change of its source.
func TestDirectoryIsTriedAgain(t *testing.T) {
	home, late := newBackend(t, nil), newBackend(t, nil)
	h := newHost(t, t.TempDir())
	store := &flakyStorage{Extension: h[storageID].(storage.Extension), name: "late"}
	store.fails.Store(2)
	h[storageID] = store
	cfg := quickConfig(t, logDirectory(logRegion("home", "eu", home.URL)))
	r := begin(t, h, cfg)
	r.sendLogs(logRecords("late", "a"))
	replace(t, cfg.Directory.File, logDirectory(logRegion("home", "eu", home.URL), logRegion("late", "us", late.URL)))
	require.Eventually(t, func() bool { return late.has()["a"] == 1 }, pollInterval-5*time.Second, testTick, "before a file is read again anyway")
	require.Equal(t, 1, r.logged.FilterMessageSnippet("is refused").Len(), "the same reason is logged once")
	require.Negative(t, store.fails.Load())
}

func TestDirectoryFileIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "regions.yaml")
	source := &fileSource{path}
	require.NoError(t, os.WriteFile(path, make([]byte, region.MaxBytes), 0o600))
	data, err := source.read(t.Context())
	require.NoError(t, err)
	require.Len(t, data, region.MaxBytes)

	require.NoError(t, os.Truncate(path, 1<<40)) // without blocks on disk
	_, err = source.read(t.Context())
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "larger than 16777216 bytes")

	for name, make := range map[string]func(string) error{
		"folder": func(p string) error { return os.Mkdir(p, 0o700) },
		"pipe":   func(p string) error { return unix.Mkfifo(p, 0o600) },
		"device": func(p string) error { return os.Symlink("/dev/zero", p) },
	} {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, make(path))
		_, err := (&fileSource{path}).read(t.Context())
		require.ErrorContains(t, err, path, name)
		require.ErrorContains(t, err, "not a regular file", name)
	}
}

// Other files of the folder that change all the time don't keep the directory from being read.
func TestBusyFolder(t *testing.T) {
	home, late := newBackend(t, nil), newBackend(t, nil)
	cfg := quickConfig(t, logDirectory(logRegion("home", "eu", home.URL)))
	r := begin(t, newHost(t, t.TempDir()), cfg)
	r.sendLogs(logRecords("late", "a"))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			_ = os.WriteFile(filepath.Join(filepath.Dir(cfg.Directory.File), "other"), []byte("x"), 0o600)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	defer func() { stop(); <-ended }()
	replace(t, cfg.Directory.File, logDirectory(logRegion("home", "eu", home.URL), logRegion("late", "us", late.URL)))
	require.Eventually(t, func() bool { return late.has()["a"] == 1 }, pollInterval-5*time.Second, testTick)
}
