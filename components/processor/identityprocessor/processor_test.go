// SPDX-License-Identifier: Apache-2.0

package identityprocessor

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/k0rdent/kof/components/processor/identityprocessor/internal/metadata"
)

// raw are the attributes of a resource.
type raw = map[string]any

func TestIdentify(t *testing.T) {
	environment := map[string]string{
		"KOF_CLUSTER_NAME":      "env-cluster",
		"KOF_CLUSTER_UID":       "env-uid",
		"KOF_CLUSTER_NAMESPACE": "env-namespace",
		"KOF_REGION":            "env-region",
		"KOF_TENANT":            "env-tenant",
	}
	full := raw{
		"k8s.cluster.name":      "prod-1",
		"k8s.cluster.uid":       "5f2c1c9e-6d2a-4f5e-9b1e-0c8f7a6d5e4b",
		"kof.cluster.namespace": "kcm-system",
		"cloud.region":          "eu-west-1",
		"kof.tenant":            "acme",
	}
	for _, tt := range []struct {
		name     string
		id       string
		env      map[string]string
		resource raw
		want     raw
	}{
		{name: "all", id: "identity/full", resource: raw{}, want: full},
		{name: "configuration before environment", id: "identity/full", env: environment, resource: raw{}, want: full},
		{
			name: "environment", id: "identity/empty", env: environment, resource: raw{},
			want: raw{
				"k8s.cluster.name":      "env-cluster",
				"k8s.cluster.uid":       "env-uid",
				"kof.cluster.namespace": "env-namespace",
				"cloud.region":          "env-region",
				"kof.tenant":            "env-tenant",
			},
		},
		{
			name: "empty values are not set", id: "identity", resource: raw{"kof.tenant": "", "host.name": "h"},
			want: raw{"k8s.cluster.name": "prod-1", "kof.tenant": "", "host.name": "h"},
		},
		{
			name: "what the resource names stays unless it is to be overwritten", id: "identity/full",
			resource: raw{
				"k8s.cluster.name": "other", "k8s.cluster.uid": "other", "kof.cluster.namespace": int64(0),
				"cloud.region": "other", "kof.tenant": int64(7), "kof.region": "other",
			},
			want: raw{
				"k8s.cluster.name": "prod-1", "k8s.cluster.uid": "other", "kof.cluster.namespace": int64(0),
				"cloud.region": "other", "kof.tenant": "acme", "kof.region": "other",
			},
		},
		{
			name: "an empty value names nothing", id: "identity/full",
			resource: raw{"k8s.cluster.name": "", "k8s.cluster.uid": "", "kof.cluster.namespace": nil, "cloud.region": "", "kof.tenant": nil},
			want:     full,
		},
		{name: "again", id: "identity/full", resource: full, want: full},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := load(t, tt.id, tt.env)
			require.NoError(t, err)
			require.NoError(t, cfg.Validate())
			for _, got := range throughAllSignals(t, cfg, tt.resource) {
				require.Equal(t, tt.want, got)
			}
		})
	}
}

// The variables are read when the configuration is created, not later.
func TestEnvironmentIsReadOnce(t *testing.T) {
	value, reads := "before", 0
	cfg := newFactory(func(name string) string {
		reads++
		if name == "KOF_CLUSTER_NAME" {
			return value
		}
		return ""
	}).CreateDefaultConfig().(*Config)
	value = "after"
	for _, got := range throughAllSignals(t, cfg, raw{}) {
		require.Equal(t, raw{"k8s.cluster.name": "before"}, got)
	}
	require.Equal(t, 5, reads)
}

func TestFactoryReadsTheEnvironment(t *testing.T) {
	t.Setenv("KOF_CLUSTER_NAME", "from-the-process")
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	require.NoError(t, cfg.Validate())
	require.Equal(t, "from-the-process", newT(t, cfg).attributes[0].value)
}

func newT(t testing.TB, cfg *Config) *identityProcessor {
	p, err := newIdentityProcessor(cfg, processortest.NewNopSettings(metadata.Type), pipeline.SignalLogs)
	require.NoError(t, err)
	return p
}

// throughAllSignals sends two resources with these attributes through a processor of each signal, and returns what
// becomes of the attributes: of both resources of metrics, then of logs, then of traces.
func throughAllSignals(t *testing.T, cfg *Config, resource raw) []raw {
	ctx, set, factory := context.Background(), processortest.NewNopSettings(metadata.Type), NewFactory()
	run := func(c component.Component, err error, consume func() error) {
		require.NoError(t, err)
		require.NoError(t, c.Start(ctx, componenttest.NewNopHost()))
		require.NoError(t, consume())
		require.NoError(t, c.Shutdown(ctx))
	}
	fill := func(r pcommon.Resource) { require.NoError(t, r.Attributes().FromRaw(resource)) }

	md, ld, td := pmetric.NewMetrics(), plog.NewLogs(), ptrace.NewTraces()
	for range 2 {
		fill(md.ResourceMetrics().AppendEmpty().Resource())
		fill(ld.ResourceLogs().AppendEmpty().Resource())
		fill(td.ResourceSpans().AppendEmpty().Resource())
	}
	var metrics consumertest.MetricsSink
	m, err := factory.CreateMetrics(ctx, set, cfg, &metrics)
	require.True(t, m.Capabilities().MutatesData)
	run(m, err, func() error { return m.ConsumeMetrics(ctx, md) })
	var logs consumertest.LogsSink
	l, err := factory.CreateLogs(ctx, set, cfg, &logs)
	require.True(t, l.Capabilities().MutatesData)
	run(l, err, func() error { return l.ConsumeLogs(ctx, ld) })
	var traces consumertest.TracesSink
	tr, err := factory.CreateTraces(ctx, set, cfg, &traces)
	require.True(t, tr.Capabilities().MutatesData)
	run(tr, err, func() error { return tr.ConsumeTraces(ctx, td) })

	var got []raw
	for i := range 2 {
		got = append(got,
			metrics.AllMetrics()[0].ResourceMetrics().At(i).Resource().Attributes().AsRaw(),
			logs.AllLogs()[0].ResourceLogs().At(i).Resource().Attributes().AsRaw(),
			traces.AllTraces()[0].ResourceSpans().At(i).Resource().Attributes().AsRaw())
	}
	return got
}
