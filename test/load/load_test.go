// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"github.com/k0rdent/kof/test/load/stock"
	"github.com/k0rdent/kof/test/load/tap"
	"github.com/k0rdent/kof/test/simnode"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOptions(t *testing.T) {
	o, err := parseOptions([]string{"routing", "-short", "-for", "3s", "-backlog", "5"}, io.Discard)
	require.NoError(t, err)
	require.True(t, o.short)
	require.EqualValues(t, 5<<20, o.backlog)
	require.Equal(t, allTargets, o.targets)
	require.Equal(t, 3*time.Second, o.either(time.Second, time.Minute))

	for _, bad := range []struct{ args, want string }{
		{"", "usage: load agent|bulkhead|drain|logs|memory|routing|wire [options]"},
		{"nosuch", "usage: load "},
		{"routing x", `unknown argument "x"`},
		{"routing -storage s3", `-storage "s3": allowed are queue_storage and file_storage`},
		{"routing -for 2h", "-for 2h0m0s: allowed are 0 to 1h"},
		{"routing -backlog -1", "-backlog -1: allowed are 0 to 65536"},
		{"routing -rounds -1", "-rounds -1: allowed are 0 to 100"},
		{"routing -interval 1s", "-interval 1s: allowed are 5s to 5m"},
		{"routing -targets kubelet,x", `-targets: found "x"; allowed are node-exporter, kubelet, cadvisor, fleet`},
		{"wire -collector /nowhere", "`make build` builds it"},
	} {
		_, err := parseOptions(strings.Fields(bad.args), io.Discard)
		var usage *usageError
		require.ErrorAs(t, err, &usage, bad.args)
		require.ErrorContains(t, err, bad.want)
	}
}

func TestFigures(t *testing.T) {
	f, err := parseFigures([]byte("# HELP a b\na{x=\"1\",y=\"2\"} 3\na{x=\"1\"} 4.5\nab 1\na 0.5\n\n"))
	require.NoError(t, err)
	require.InDelta(t, 8, f.sum("a"), 0)
	require.InDelta(t, 7.5, f.sum("a", `x="1"`), 0)
	require.InDelta(t, 3, f.sum("a", `x="1"`, `y="2"`), 0)
	require.Zero(t, f.sum("nosuch"))
	for _, bad := range []string{"a", "a b"} {
		_, err := parseFigures([]byte(bad))
		require.Error(t, err)
	}
}

func TestMedians(t *testing.T) {
	m := median([]cost{{3, 1}, {1, 2}, {2, 3}})
	require.Equal(t, cost{2, 2}, m)
	figure, pair := middle([][2]phase{{{rate: 1}, {rate: 9}}, {{rate: 2}, {rate: 1}}, {{rate: 3}, {rate: 5}}}, func(p [2]phase) float64 { return p[1].rate })
	require.InDelta(t, 5, figure, 0)
	require.InDelta(t, 3, pair[0].rate, 0)
}

func TestConfigurationsAreYAML(t *testing.T) {
	s := setup{Dir: "/d", Regions: []region{{"a", "http://a"}, {"b", "http://b"}}, Queue: 1 << 30, OTLP: 1, Metrics: 2, Profiles: 3}
	path := filepath.Join(t.TempDir(), "config.yaml")
	for _, storage := range []string{queueStorage, fileStorage} {
		s.Storage = storage
		require.NoError(t, writeTemplate(path, kofTemplate, s))
		require.Contains(t, keys(t, path, "extensions"), storage+"/queue")
	}
	require.NoError(t, writeTemplate(path, stockTemplate, s))
	require.Len(t, keys(t, path, "exporters"), 2)

	w := &scraperSetup{
		targets: &targets{Interval: 5 * time.Second, Targets: []target{{"kubelet", "/metrics", []string{"127.0.0.1:1"}}, {"fleet", "/metrics", []string{"127.0.0.1:2", "127.0.0.1:3"}}}},
		Storage: queueStorage, Dir: "/d", Store: "http://store",
	}
	for _, name := range []string{"kof", "stock", "receive"} {
		require.NoError(t, render(path, name, w))
		require.Contains(t, keys(t, path, "receivers"), "prometheus")
		require.Len(t, keys(t, path, "service", "pipelines"), 1)
	}
	require.NoError(t, render(path, "vmagent", w))
	var scrape struct {
		Jobs []map[string]any `yaml:"scrape_configs"`
	}
	read(t, path, &scrape)
	require.Len(t, scrape.Jobs, 2)
	require.Equal(t, "5s", scrape.Jobs[0]["scrape_interval"])
	require.NoError(t, render(path, "regions", w))
	require.Contains(t, keys(t, path, "regions"), "home")
}

// Every part of a pipeline has to be there, and nothing of KOF's.
func TestStockAgentIsOfStockComponents(t *testing.T) {
	chart, err := simnode.FromChart("../..")
	require.NoError(t, err)
	node := simnode.Node{
		Name: "n", Kubeconfig: "/k", Kubelet: "127.0.0.1:1", Dir: t.TempDir(), Logs: "/logs", OTLP: "127.0.0.1:2", OTLPGRPC: "127.0.0.1:3",
		Health: "127.0.0.1:4", Profiles: "127.0.0.1:5", Metrics: 6,
	}
	require.NoError(t, chart.Config.Fit(node))
	require.NoError(t, stockAgentConfig(chart.Config, node, agentStores{"http://m", "http://l", "http://t"}))
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, chart.Config.Write(path))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, own := range []string{"pod_logs", "node_exporter", "opencost", "identity", "region:", "queue_storage", "kof_status", "kof_pod"} {
		require.NotContains(t, string(text), own)
	}
	for _, env := range node.Env() {
		name, value, _ := strings.Cut(env, "=")
		if strings.HasPrefix(name, "KOF_") {
			t.Setenv(name, value)
		}
	}
	require.NoError(t, stock.Validate(t.Context(), path))
	connectors := keys(t, path, "connectors")
	for _, name := range keys(t, path, "service", "pipelines") {
		pipeline, err := chart.Config.Map("service", "pipelines", name)
		require.NoError(t, err)
		for _, part := range []string{"receivers", "processors", "exporters"} {
			require.NotEmpty(t, pipeline[part], "%s of %s", part, name)
			for _, item := range pipeline[part].([]any) {
				require.Contains(t, append(keys(t, path, part), connectors...), item, "%s of %s", part, name)
			}
		}
	}
}

func TestAgentResult(t *testing.T) {
	r := agentResult{sent: counts{3, 2, 1}, arrived: counts{3, 2, 1}, enrichedLogs: 3, enrichedTraces: 1}
	require.NoError(t, r.complete())
	r.arrived.samples, r.enrichedLogs = 1, 0
	require.EqualError(t, r.complete(), "1 samples of 2 arrived\n0 lines with their Deployment's name of 3 arrived")
	all := []agentResult{{cores: 3, peak: 1}, {cores: 1, peak: 9}, {cores: 2, peak: 5}}
	require.InDelta(t, 2, middleOf(all, func(r agentResult) float64 { return r.cores }), 0)
	require.InDelta(t, 9, worst(all, func(r agentResult) float64 { return float64(r.peak) }), 0)
}

func read(t *testing.T, path string, to any) {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, to), "%s", text)
}

func keys(t *testing.T, path string, at ...string) []string {
	var document map[string]any
	read(t, path, &document)
	for _, key := range at {
		document = document[key].(map[string]any)
	}
	var all []string
	for key := range document {
		all = append(all, key)
	}
	return all
}

func TestTargets(t *testing.T) {
	var out bytes.Buffer
	b := &bench{out: &out}
	b.target("a", 3, 3, "x")
	b.targetAtLeast("b", 3, 3, "x")
	require.False(t, b.missed)
	b.targetAtLeast("c", 2.9, 3, "times")
	require.True(t, b.missed)
	require.Equal(t, "a: 3 x, target at most 3: met\nb: 3 x, target at least 3: met\nc: 2.9 times, target at least 3: MISSED\n", out.String())
}

func TestRunFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	first, err := newBench(options{strict: true})
	require.NoError(t, err)
	killed := first.dir + "-killed"
	require.NoError(t, os.MkdirAll(killed, 0o700))
	second, err := newBench(options{})
	require.NoError(t, err)
	require.NoDirExists(t, killed)
	require.DirExists(t, first.dir, "in use")
	require.NoError(t, second.end())
	require.NoDirExists(t, second.dir)

	var ended []int
	for i := range 2 {
		first.atEnd(func() error { ended = append(ended, i); return nil })
	}
	first.missed = true
	require.ErrorContains(t, first.end(), "a target was missed")
	require.Equal(t, []int{1, 0}, ended)
}

func TestDiskUse(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), make([]byte, 100_000), 0o600))
	f, err := os.Create(filepath.Join(dir, "sparse"))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(1<<30))
	require.NoError(t, f.Close())
	use, err := diskUse(dir)
	require.NoError(t, err)
	require.GreaterOrEqual(t, use, int64(100_000))
	require.Less(t, use, int64(1<<20))
}

func TestBatchesDifferInNothingButTheRegion(t *testing.T) {
	for _, signal := range []string{"logs", "metrics", "traces"} {
		count := func(c contender) (resources, records int, regions map[string]bool) {
			b := newBatch(signal, 3, c)
			regions = map[string]bool{}
			switch signal {
			case "logs":
				for _, r := range b.logs.ResourceLogs().All() {
					v, _ := r.Resource().Attributes().Get("kof.region")
					regions[v.Str()] = true
				}
				return b.logs.ResourceLogs().Len(), b.logs.LogRecordCount(), regions
			case "metrics":
				for _, r := range b.metrics.ResourceMetrics().All() {
					v, _ := r.Resource().Attributes().Get("kof.region")
					regions[v.Str()] = true
				}
				return b.metrics.ResourceMetrics().Len(), b.metrics.DataPointCount(), regions
			default:
				for _, r := range b.traces.ResourceSpans().All() {
					v, _ := r.Resource().Attributes().Get("kof.region")
					regions[v.Str()] = true
				}
				return b.traces.ResourceSpans().Len(), b.traces.SpanCount(), regions
			}
		}
		for _, c := range contenders {
			resources, records, regions := count(c)
			require.Equal(t, batchResources, resources, signal)
			require.Equal(t, batchResources*batchRecords, records, signal)
			want := 1
			if c.mixed {
				want = routingRegions
			}
			require.Len(t, regions, want, "%s, %s", signal, c.name)
		}
	}
}

func TestExportersDeliver(t *testing.T) {
	sink, err := tap.Start("")
	require.NoError(t, err)
	defer func() { require.NoError(t, sink.Close()) }()
	for _, storage := range []string{queueStorage, fileStorage} {
		b := &bench{options: options{storage: storage}, dir: t.TempDir()}
		for i, c := range contenders {
			signal := []string{"logs", "metrics", "traces"}[i%3]
			r, err := b.startExporter(t.Context(), signal, c.name, c, sink.URL())
			require.NoError(t, err)
			used, err := r.round(t.Context(), c, 2)
			require.NoError(t, err)
			require.Positive(t, used.cpu)
			require.Positive(t, used.allocs)
			require.NoError(t, r.end(context.Background()))
		}
	}
}
