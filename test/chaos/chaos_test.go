// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/k0rdent/kof/internal/region"
	"github.com/k0rdent/kof/test/chaos/collector"
	"github.com/k0rdent/kof/test/chaos/load"
	"github.com/k0rdent/kof/test/faultproxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queue")
	content := append(bytes.Repeat([]byte("x"), 1000), make([]byte, 1000)...)
	for name, spoil := range map[string]func(string, *rand.Rand) (string, error){"flip": flip, "truncate": truncate, "remove": remove} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(50) {
				require.NoError(t, os.WriteFile(path, content, 0o600))
				_, err := spoil(path, rand.New(rand.NewPCG(seed, 0)))
				require.NoError(t, err)
				got, err := os.ReadFile(path)
				switch name {
				case "flip":
					require.NoError(t, err)
					require.Len(t, got, len(content))
					require.NotEqual(t, content, got)
					require.Equal(t, content[1000:], got[1000:], "what is not used isn't flipped")
				case "truncate":
					require.NoError(t, err)
					require.Less(t, len(got), len(content))
					require.NotEmpty(t, got)
				default:
					require.ErrorIs(t, err, os.ErrNotExist)
				}
			}
		})
	}
}

func TestDataFiles(t *testing.T) {
	dir := t.TempDir()
	for name, size := range map[string]int{"a/small": 1, "large": 100_000, "b/empty": 0} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, bytes.Repeat([]byte("x"), size), 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "reserve"), make([]byte, 200_000), 0o600))
	files, err := dataFiles(dir)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(dir, "large"), filepath.Join(dir, "a/small")}, files)
	require.Equal(t, []string{"/a/1", "/b/2", "/c/5"}, withoutNewest([]string{"/a/1", "/b/2", "/b/3", "/c/5"}))
	_, err = dataFiles(t.TempDir())
	require.ErrorContains(t, err, "no files")
}

// fakeWorld has proxies in front of nothing: enough for what is written down of them.
func fakeWorld(t *testing.T) *world {
	w := &world{places: map[string]*place{}}
	for name := range zones {
		p := &place{name: name, proxies: map[load.Signal]*faultproxy.Proxy{}}
		for _, s := range load.Signals() {
			proxy, err := faultproxy.Start("http://127.0.0.1:1")
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, proxy.Close()) })
			p.proxies[s] = proxy
		}
		w.places[name] = p
	}
	return w
}

func TestDirectory(t *testing.T) {
	w := fakeWorld(t)
	path := filepath.Join(t.TempDir(), "regions.yaml")
	d := w.directoryOf(first, other, standIn).change(first, func(r *directoryRegion) { r.Failover = []string{standIn} })
	require.NoError(t, d.write(path))
	loaded, err := region.Load(path)
	require.NoError(t, err)
	require.Len(t, loaded.Regions, 3)
	require.Equal(t, "eu", loaded.Regions[standIn].Zone)
	require.Equal(t, []string{standIn}, loaded.Regions[first].Failover)
	require.Equal(t, w.places[other].proxies[load.Logs].URL()+"/insert/opentelemetry/v1/logs", loaded.Regions[other].Logs.URL)
}

func TestOptions(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	parse := func(args ...string) (options, error) {
		return parseOptions(append([]string{"-collector", self}, args...), io.Discard)
	}
	o, err := parse("-short", "-stock", "-seed", "7", "-cells", "kill|4.*", "-storage", "queue_storage")
	require.NoError(t, err)
	require.Equal(t, []collector.Kind{collector.KOF, collector.Stock}, o.kinds)
	var names []string
	for _, c := range o.cells {
		names = append(names, c.name)
	}
	require.Equal(t, []string{"kill", "400", "400-once", "400-poison", "401", "413", "413-large", "429"}, names)
	require.Equal(t, o.randomOf("kill").Uint64(), o.randomOf("kill").Uint64())
	require.NotEqual(t, o.randomOf("kill").Uint64(), o.randomOf("400").Uint64())

	for want, args := range map[string][]string{
		`unknown argument "x"`:    {"x"},
		`-storage "bolt"`:         {"-storage", "bolt"},
		"no cell has such a name": {"-cells", "nosuch"},
		"missing closing":         {"-cells", "("},
		"make build":              {"-collector", "/nowhere/kof-otelcol"},
	} {
		_, err := parse(args...)
		require.ErrorContains(t, err, want)
	}
}

func TestCompare(t *testing.T) {
	quiet := window{acksPerSecond: 50, slowest: time.Millisecond, acknowledged: 1000, delivered: 1000}
	for name, c := range map[string]struct {
		broken window
		want   []string
	}{
		"as before":     {window{acksPerSecond: 48, acknowledged: 960, delivered: 900}, nil},
		"held up":       {window{acksPerSecond: 20, acknowledged: 400, delivered: 400}, []string{"us-1 was held up: it acknowledged 20.0 requests/s, undisturbed 50.0"}},
		"not delivered": {window{acksPerSecond: 50, acknowledged: 1000, delivered: 400}, []string{"us-1 was held up: 400 of 1000 records delivered"}},
	} {
		r := &run{kind: collector.KOF}
		r.compare(quiet, c.broken)
		require.Equal(t, c.want, r.problems, name)
	}
	r := &run{kind: collector.KOF}
	r.compare(window{}, window{})
	require.NotEmpty(t, r.problems, "no data is no proof")
}

func TestCellNames(t *testing.T) {
	for _, short := range []bool{true, false} {
		seen := map[string]bool{}
		for _, c := range cells(short) {
			require.False(t, seen[c.name], c.name)
			require.NotEmpty(t, c.what)
			require.NotNil(t, c.act)
			seen[c.name] = true
		}
	}
}

func TestTable(t *testing.T) {
	rows := []row{
		{cell: "kill", kind: collector.KOF, took: time.Second, notes: []string{"a note"}, result: result{acknowledged: 11, delivered: 11, bound: 5}},
		{cell: "kill", kind: collector.Stock, result: result{acknowledged: 12, lost: 3, problems: []string{"a panic"}}},
		{cell: "reload", kind: collector.Stock, skipped: "can't"},
		{cell: "slow", kind: collector.KOF, result: result{lost: 1, problems: []string{"1 missing"}}},
		{cell: "429", kind: collector.KOF, err: errors.New("gone\nlog")},
	}
	var b bytes.Buffer
	printTable(&b, rows)
	lines := strings.Split(b.String(), "\n")
	require.Equal(t, []string{"cell", "collector", "acknowledged", "delivered", "dropped", "lost", "wrong", "region", "duplicates", "bound", "residual", "seconds", "verdict"}, strings.Fields(lines[0]))
	require.Equal(t, []string{"kill", "kof", "11", "11", "0", "0", "0", "0", "5", "0", "1.0", "ok"}, strings.Fields(lines[1]))
	require.Equal(t, []string{"kill", "stock", "12", "0", "-", "3", "0", "0", "-", "-", "0.0", "(not", "judged)"}, strings.Fields(lines[2]))
	require.Equal(t, []string{"reload", "stock", "0.0", "skipped"}, strings.Fields(lines[3]))
	require.Equal(t, "FAILED", strings.Fields(lines[4])[11])
	require.Equal(t, []string{"429", "kof", "0.0", "FAILED"}, strings.Fields(lines[5]))
	require.Contains(t, b.String(), "kill, kof:\n    a note\nkill, stock:\n    ! a panic\n")
	require.Contains(t, b.String(), "429, kof:\n    ! gone\n      log\n")
	require.Equal(t, 3, countKOF(rows))
}

func TestRunDir(t *testing.T) {
	parent := t.TempDir()
	abandoned := filepath.Join(parent, runDirPrefix+"abandoned")
	require.NoError(t, os.Mkdir(abandoned, 0o700))
	a, err := newRunDir(parent)
	require.NoError(t, err)
	require.NoDirExists(t, abandoned)
	b, err := newRunDir(parent)
	require.NoError(t, err)
	require.DirExists(t, a.path, "it is in use")
	require.NoError(t, a.remove())
	require.NoDirExists(t, a.path)
	require.NoError(t, b.keep())
	c, err := newRunDir(parent)
	require.NoError(t, err)
	require.DirExists(t, b.path, "it is kept")
	require.NoError(t, c.remove())
}
