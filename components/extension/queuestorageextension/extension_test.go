// SPDX-License-Identifier: Apache-2.0

//go:build linux

package queuestorageextension

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/k0rdent/kof/internal/segmentlog"
)

var lane = component.MustNewIDWithName("region", "eu-west-1")

// start starts an extension over a folder with small files, as changed by edit.
func start(t testing.TB, dir string, edit func(*Config)) *queueStorage {
	t.Helper()
	e, err := create(context.Background(), extensiontest.NewNopSettings(NewFactory().Type()), testConfig(dir, edit))
	require.NoError(t, err)
	require.NoError(t, e.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	return e.(*queueStorage)
}

func testConfig(dir string, edit func(*Config)) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Directory = dir
	cfg.SegmentBytes = 1 << 20
	cfg.FsyncInterval = 20 * time.Millisecond
	if edit != nil {
		edit(cfg)
	}
	if err := cfg.Validate(); err != nil {
		panic(err)
	}
	return cfg
}

func open(t testing.TB, e storage.Extension, name string) storage.Client {
	t.Helper()
	c, err := e.GetClient(context.Background(), component.KindExporter, lane, name)
	require.NoError(t, err)
	return c
}

func TestClientKeepsData(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "queue")
	create := func(c *Config) { c.CreateDirectory = true }
	e := start(t, dir, create)
	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())

	c := open(t, e, "logs")
	require.NoError(t, c.Set(t.Context(), "k", []byte("v")))
	require.NoError(t, c.Set(t.Context(), "gone", []byte("v")))
	require.NoError(t, c.Delete(t.Context(), "gone"))
	require.NoError(t, c.Close(t.Context()))
	require.NoError(t, c.Close(t.Context()), "closing again does nothing")
	require.ErrorIs(t, c.Set(t.Context(), "k", nil), segmentlog.ErrClosed)

	c = open(t, e, "logs")
	v, err := c.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "v", string(v))
	require.NoError(t, e.Shutdown(t.Context()), "closes what is still open")
	require.ErrorIs(t, c.Set(t.Context(), "k", nil), segmentlog.ErrClosed)

	e = start(t, dir, nil)
	c = open(t, e, "logs")
	op := storage.GetOperation("k")
	require.NoError(t, c.Batch(t.Context(), op, storage.GetOperation("gone")))
	require.Equal(t, "v", string(op.Value))
}

func TestClientsAreApart(t *testing.T) {
	e := start(t, t.TempDir(), nil)
	a, b := open(t, e, "a"), open(t, e, "b")
	require.NoError(t, a.Set(t.Context(), "k", []byte("of a")))
	v, err := b.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Nil(t, v)

	_, err = e.GetClient(t.Context(), component.KindExporter, lane, "a")
	require.ErrorContains(t, err, "exporter+region+eu-west-1+a is already open")
	require.NoError(t, a.Close(t.Context()))
	a = open(t, e, "a")
	v, err = a.Get(t.Context(), "k")
	require.NoError(t, err)
	require.Equal(t, "of a", string(v))
}

func TestStartErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for name, test := range map[string]struct {
		dir    string
		create bool
		want   string
	}{
		"missing":       {filepath.Join(t.TempDir(), "missing"), false, "doesn't exist: make it, or set create_directory to true"},
		"can't be made": {"/proc/kof/queue", true, "directory: can't create /proc/kof/queue"},
		"a file":        {file, false, "is not a directory"},
		"below a file":  {filepath.Join(file, "queue"), true, "directory: "},
		"not writable":  {"/proc/self", false, "directory: /proc/self is not writable"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := create(t.Context(), extensiontest.NewNopSettings(NewFactory().Type()), testConfig(test.dir, func(c *Config) { c.CreateDirectory = test.create }))
			require.NoError(t, err)
			require.ErrorContains(t, e.Start(t.Context(), componenttest.NewNopHost()), test.want)
			_, err = e.(storage.Extension).GetClient(t.Context(), component.KindExporter, lane, "")
			require.ErrorContains(t, err, "not running")
			require.NoError(t, e.Shutdown(t.Context()))
		})
	}
}

func TestDirectoryOfAnother(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir, nil)
	second, err := create(t.Context(), extensiontest.NewNopSettings(NewFactory().Type()), testConfig(dir, nil))
	require.NoError(t, err)
	err = second.Start(t.Context(), componenttest.NewNopHost())
	require.ErrorContains(t, err, fmt.Sprintf("directory: %s is in use by process %d", dir, os.Getpid()))
	require.NoError(t, first.Shutdown(t.Context()))
	require.NoError(t, second.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, second.Shutdown(t.Context()))
}

// TestDirectoryOfAnotherProcess has a real other process hold the directory.
func TestDirectoryOfAnotherProcess(t *testing.T) {
	if dir := os.Getenv("QUEUE_STORAGE_HOLD"); dir != "" {
		start(t, dir, nil)
		fmt.Println("holding")
		time.Sleep(time.Minute) // until it is killed
		return
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "QUEUE_STORAGE_HOLD="+dir)
	startHelper(t, cmd, "holding")

	e, err := create(t.Context(), extensiontest.NewNopSettings(NewFactory().Type()), testConfig(dir, nil))
	require.NoError(t, err)
	require.ErrorContains(t, e.Start(t.Context(), componenttest.NewNopHost()), "is in use by process "+strconv.Itoa(cmd.Process.Pid))
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()), "a dead process holds nothing")
	require.NoError(t, e.Shutdown(t.Context()))
}

func TestNewerFolder(t *testing.T) {
	dir := t.TempDir()
	e := start(t, dir, nil)
	folder := filepath.Join(dir, "exporter+region+eu-west-1+logs")
	c := open(t, e, "logs")
	require.NoError(t, c.Set(t.Context(), "k", []byte("v")))
	require.NoError(t, c.Close(t.Context()))
	newer, err := os.ReadFile(filepath.Join("testdata", "version2.seg"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "0000000002.seg"), newer, 0o600))
	before := e.budget.Used()
	_, err = e.GetClient(t.Context(), component.KindExporter, lane, "logs")
	require.ErrorIs(t, err, segmentlog.ErrNewerVersion)
	require.ErrorContains(t, err, folder)
	require.ErrorContains(t, err, `client of Exporter "region/eu-west-1", storage name "logs"`)
	require.NoError(t, os.Remove(filepath.Join(folder, "0000000002.seg")))
	require.Equal(t, before, e.budget.Used())
	open(t, e, "logs")
}

func TestQuotas(t *testing.T) {
	dir := t.TempDir()
	e := start(t, dir, func(c *Config) { c.MaxBytesPerClient, c.MaxBytes = 6<<20, 8<<20 })
	fill := func(c storage.Client) error {
		for n := range 1000 {
			if err := c.Set(t.Context(), strconv.Itoa(n), make([]byte, 100_000)); err != nil {
				return err
			}
		}
		return nil
	}
	a, b := open(t, e, "a"), open(t, e, "b")
	err := fill(a)
	require.ErrorIs(t, err, segmentlog.ErrQuotaExceeded)
	require.ErrorIs(t, err, storage.ErrStorageFull)
	require.ErrorContains(t, err, "client exporter+region+eu-west-1+a: client quota exceeded")
	require.ErrorContains(t, fill(b), "total quota exceeded")

	// A folder that nobody uses counts, also after a start.
	require.NoError(t, a.Close(t.Context()))
	require.NoError(t, e.Shutdown(t.Context()))
	e = start(t, dir, func(c *Config) { c.MaxBytesPerClient, c.MaxBytes = 6<<20, 8<<20 })
	b = open(t, e, "b")
	require.ErrorContains(t, b.Set(t.Context(), "new", make([]byte, 100_000)), "total quota exceeded")
	a = open(t, e, "a")
	for n := range 30 {
		require.NoError(t, a.Delete(t.Context(), strconv.Itoa(n)))
	}
	require.Eventually(t, func() bool { return b.Set(t.Context(), "new", make([]byte, 100_000)) == nil }, 5*time.Second, 10*time.Millisecond)
}

func TestTooManyClients(t *testing.T) {
	e := start(t, t.TempDir(), nil)
	for n := range maxClients {
		e.clients[fmt.Sprint("other", n)] = nil
	}
	_, err := e.GetClient(t.Context(), component.KindExporter, lane, "")
	require.ErrorContains(t, err, "1024 clients are open")
	clear(e.clients)
}

// TestReopenDuringMaintenance closes and reopens a client while the extension's goroutine may be at work on it.
func TestReopenDuringMaintenance(t *testing.T) {
	e := start(t, t.TempDir(), func(c *Config) { c.Fsync = FsyncNever })
	want := map[string]string{}
	for n := range 1000 {
		c := open(t, e, "logs")
		for k, v := range want {
			got, err := c.Get(t.Context(), k)
			require.NoError(t, err)
			require.Equal(t, v, string(got), "round %d", n)
		}
		for i := range 20 {
			k, v := strconv.Itoa(i*1000), fmt.Sprint("value ", n+i)
			require.NoError(t, c.Set(t.Context(), k, []byte(v)))
			want[k] = v
		}
		e.wakeUp()
		require.NoError(t, c.Close(t.Context()))
	}
}
