// SPDX-License-Identifier: Apache-2.0

package podlogsreceiver

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/k0rdent/kof/components/receiver/podlogsreceiver/internal/metadata"
)

func load(t *testing.T, path, key string) *Config {
	all, err := confmaptest.LoadConf(filepath.Join("testdata", path))
	require.NoError(t, err)
	sub, err := all.Sub(key)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(cfg))
	return cfg
}

func TestConfig(t *testing.T) {
	storage := component.MustNewID("queue_storage")
	want := createDefaultConfig().(*Config)
	want.Storage = &storage
	cfg := load(t, "config.yaml", "pod_logs")
	require.Equal(t, want, cfg)
	require.NoError(t, cfg.Validate())

	checkpoints := component.MustNewIDWithName("file_storage", "checkpoints")
	cfg = load(t, "config.yaml", "pod_logs/everything")
	require.NoError(t, cfg.Validate())
	require.Equal(t, &Config{
		Directory: "/logs", Storage: &checkpoints, StartAt: startAtEnd,
		Include: []SelectorConfig{{Namespace: "shop*"}, {PodAnnotations: map[string]string{"logs.example.com/collect": "true"}}},
		Exclude: []SelectorConfig{{Namespace: "kube-system", Pod: "a-?", Container: "[ab]"}, {NamespaceLabels: map[string]string{"logs": "off"}}},
		Workloads: []WorkloadConfig{
			{
				Match: SelectorConfig{Container: "jvm"}, Multiline: MultilineConfig{StackTraces: true},
				RateLimit: RateLimitConfig{LinesPerSecond: 1000, BytesPerSecond: mib},
			},
			{Match: SelectorConfig{Namespace: "web"}, Multiline: MultilineConfig{FirstLine: `^\d{4}-`}},
			{ParseJSON: true},
		},
		IncludeFilePath: true, MaxLineBytes: 64 * kib, IncompleteTimeout: time.Second, Workers: 4, PollInterval: 100 * time.Millisecond,
		RescanInterval: 30 * time.Second, MaxOpenFiles: 100, MaxContainers: 200,
		Batch:      BatchConfig{MaxBytes: mib / 2, MaxDelay: time.Second},
		Retry:      RetryConfig{InitialInterval: time.Second, MaxInterval: time.Minute},
		Kubernetes: KubernetesConfig{Kubeconfig: "/etc/kube", Node: "node-1"},
	}, cfg)
}

func TestBadConfigs(t *testing.T) {
	for name, tt := range map[string]struct {
		set  map[string]any
		want []string
	}{
		"nothing":    {map[string]any{"storage": nil}, []string{"storage: required"}},
		"relative":   {map[string]any{"directory": "logs"}, []string{`directory: found "logs", must be an absolute path`}},
		"start":      {map[string]any{"start_at": "middle"}, []string{`start_at: found "middle", must be "beginning" or "end"`}},
		"all bounds": {map[string]any{"workers": 0, "max_line_bytes": 1, "batch::max_bytes": 1 << 30}, []string{"workers: found 0, must be 1 to 64", "max_line_bytes: found 1,", "batch::max_bytes: found 1073741824,"}},
		"retry":      {map[string]any{"retry::initial_interval": "30s"}, []string{"retry::max_interval: found 10s, must be at least initial_interval, 30s"}},
		"empty selector": {
			map[string]any{"exclude": []any{map[string]any{}}}, []string{"exclude[0]: names nothing; allowed are namespace, pod"},
		},
		"pattern": {
			map[string]any{"include": []any{map[string]any{"pod": "["}}}, []string{`include[0]::pod: found "[": syntax error in pattern`},
		},
		"annotations without a node": {
			map[string]any{"include": []any{map[string]any{"pod_annotations": map[string]any{"a": "["}}}},
			[]string{`include[0]::pod_annotations::a: found "["`, "kubernetes::node: required"},
		},
		"workload": {
			map[string]any{"workloads": []any{map[string]any{
				"multiline": map[string]any{"first_line": "(", "stack_traces": true}, "rate_limit": map[string]any{"lines_per_second": -1},
			}}},
			[]string{
				"workloads[0]::rate_limit::lines_per_second: found -1", "workloads[0]::multiline: one of first_line and stack_traces",
				"workloads[0]::multiline::first_line: error parsing regexp",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			set := map[string]any{"storage": "queue_storage"}
			for k, v := range tt.set {
				set[k] = v
			}
			cfg := createDefaultConfig().(*Config)
			require.NoError(t, confmap.NewFromStringMap(nested(set)).Unmarshal(cfg))
			err := cfg.Validate()
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
			require.Len(t, strings.Split(err.Error(), "\n"), len(tt.want), err)
		})
	}
	require.ErrorContains(t, confmap.NewFromStringMap(map[string]any{"storrage": "x"}).Unmarshal(createDefaultConfig()), "storrage")
}

// nested takes keys with :: apart.
func nested(flat map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range flat {
		if parent, child, ok := strings.Cut(key, "::"); ok {
			out[parent] = map[string]any{child: value}
			continue
		}
		out[key] = value
	}
	return out
}

func TestComponentLifecycle(t *testing.T) {
	require.Equal(t, component.MustNewType("pod_logs"), NewFactory().Type())
	require.NoError(t, componenttest.CheckConfigStruct(createDefaultConfig()))
	n := newNode(t)
	set := receivertest.NewNopSettings(metadata.Type)
	r, err := NewFactory().CreateLogs(t.Context(), set, n.cfg, n.sink)
	require.NoError(t, err)
	require.NoError(t, r.Shutdown(t.Context()), "before a start")
	require.ErrorContains(t, r.Start(t.Context(), componenttest.NewNopHost()), `storage: there is no extension "file_storage"`)
	require.NoError(t, r.Shutdown(t.Context()), "after a start that failed")
	n.start()
	n.stop()
}

func TestPaths(t *testing.T) {
	id, ok := parsePodDir("kube-system_etcd-node_abc-1")
	require.True(t, ok)
	require.Equal(t, podID{"kube-system", "etcd-node", "abc-1"}, id)
	for _, bad := range []string{"", "a", "a_b", "a_b_", "_b_c", "a__c", "a_b_c_d", "lost+found"} {
		_, ok := parsePodDir(bad)
		require.False(t, ok, bad)
	}
	order := []string{
		"0.log.20261123-185001.gz", "0.log.20261123-185002", "0.log", "1.log.12", "1.log.2.gz", "1.log.1", "1.log", "10.log-20261123", "10.log",
	}
	for i, a := range order {
		for j, b := range order {
			x, ok := parseLogName(a)
			require.True(t, ok, a)
			y, ok := parseLogName(b)
			require.True(t, ok, b)
			require.Equal(t, i < j, x.compare(y) < 0, "%s %s", a, b)
		}
	}
	for _, bad := range []string{"", "log", ".log", "x.log", "-1.log", "0.log.", "0.log.gz.tmp", "0.log.20261123-185001.tmp", "0.logs", "0.log.gz" + "/"} {
		_, ok := parseLogName(bad)
		require.Equal(t, bad == "0.log.gz/", ok, bad)
	}
}

func FuzzCheckpoints(f *testing.F) {
	f.Add(appendCheckpoints(nil, []checkpoint{{id: fileID{1, 2}, headSize: 3, offsets: [2]int64{4, 5}, size: 6, cutting: cuttingLong, rest: [2]remainder{restLeftOut, restFollows}},
		{cutting: cuttingTorn, rest: [2]remainder{restFollows}, beyond: true, done: true}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := parseCheckpoints(b)
		if err != nil {
			return
		}
		again, err := parseCheckpoints(appendCheckpoints(nil, list))
		require.NoError(t, err)
		require.Equal(t, list, again)
	})
}
