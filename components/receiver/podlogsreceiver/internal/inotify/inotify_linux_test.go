// SPDX-License-Identifier: Apache-2.0

package inotify

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEvents(t *testing.T) {
	dir := t.TempDir()
	w, err := New()
	require.NoError(t, err)
	events := make(chan Event, 100)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			e, err := w.Next()
			if err != nil {
				return
			}
			events <- e
		}
	}()
	require.NoError(t, w.Add(dir))
	require.NoError(t, w.Add(dir), "again")
	require.Error(t, w.Add(filepath.Join(dir, "nowhere")))
	path := filepath.Join(dir, "file")
	for _, act := range []func() error{
		func() error { return os.WriteFile(path, nil, 0o600) },
		func() error { return os.Rename(path, path+"2") },
		func() error { return os.Remove(path + "2") },
	} {
		require.NoError(t, act())
		require.Equal(t, Event{Dir: dir}, <-events)
	}
	<-events // the other half of the renaming
	// Writes are not told.
	f, err := os.Create(path)
	require.NoError(t, err)
	<-events
	_, err = f.WriteString("line\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	select {
	case e := <-events:
		t.Fatalf("told of a write: %+v", e)
	case <-time.After(50 * time.Millisecond):
	}
	w.Remove(dir)
	require.NoError(t, os.Remove(path))
	require.NoError(t, w.Close())
	<-ended
	require.Empty(t, events)
	require.Error(t, w.Add(dir))
	w.Remove(dir)
}
