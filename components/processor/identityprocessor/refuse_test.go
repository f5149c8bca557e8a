// SPDX-License-Identifier: Apache-2.0

package identityprocessor

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/k0rdent/kof/components/processor/identityprocessor/internal/metadata"
	"github.com/k0rdent/kof/internal/status"
)

// from is the context of what came from that address over the network.
func from(address string) context.Context {
	return client.NewContext(context.Background(), client.Info{Addr: &net.TCPAddr{IP: net.ParseIP(address), Port: 40123}})
}

func TestUnknownSendersAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name         string
		unattributed Unattributed
		ctx          context.Context
		resources    []raw
		refused      bool
	}{
		{"nothing known", UnattributedRefuse, from("10.244.0.1"), []raw{{"service.name": "a"}}, true},
		{"IPv6", UnattributedRefuse, from("2001:db8::1"), []raw{{}}, true},
		{"empty values name nothing", UnattributedRefuse, from("10.244.0.1"), []raw{{"k8s.namespace.name": "", "kof.tenant": nil}}, true},
		{"one of two", UnattributedRefuse, from("10.244.0.1"), []raw{{"k8s.namespace.name": "shop"}, {}}, true},
		{"a namespace", UnattributedRefuse, from("10.244.0.1"), []raw{{"k8s.namespace.name": "shop"}}, false},
		{"a tenant", UnattributedRefuse, from("10.244.0.1"), []raw{{"kof.tenant": "acme"}}, false},
		{"a region", UnattributedRefuse, from("10.244.0.1"), []raw{{"kof.region": "eu-west-1"}}, false},
		// The agent's own receivers: the node's metrics have no namespace.
		{"not over the network", UnattributedRefuse, context.Background(), []raw{{}}, false},
		{"accepted", UnattributedAccept, from("10.244.0.1"), []raw{{}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// The tenant of all that names none must not make an unknown sender a known one.
			cfg := &Config{Cluster: ClusterConfig{Name: "prod-1"}, Tenant: "all", Unattributed: tt.unattributed}
			tel := componenttest.NewTelemetry()
			t.Cleanup(func() { require.NoError(t, tel.Shutdown(context.Background())) })
			set := processortest.NewNopSettings(metadata.Type)
			set.TelemetrySettings = tel.NewTelemetrySettings()
			errs, delivered := consumeAll(t, set, cfg, tt.ctx, tt.resources)
			if !tt.refused {
				require.Empty(t, errs)
				require.Equal(t, 3, delivered)
				return
			}
			require.Zero(t, delivered, "nothing of it goes on")
			require.Len(t, errs, 3)
			for _, err := range errs {
				require.ErrorContains(t, err, "no pod of this node has this address")
				require.False(t, consumererror.IsPermanent(err), "the sender tries again")
			}
			got, err := tel.GetMetric("otelcol_kof_identity_refused_items")
			require.NoError(t, err)
			require.Len(t, got.Data.(metricdata.Sum[int64]).DataPoints, 3)
			for _, point := range got.Data.(metricdata.Sum[int64]).DataPoints {
				require.EqualValues(t, len(tt.resources), point.Value)
			}
		})
	}
}

// consumeAll sends an item of each resource through a processor of each signal.
func consumeAll(t *testing.T, set processor.Settings, cfg *Config, ctx context.Context, resources []raw) (errs []error, delivered int) {
	t.Helper()
	md, ld, td := pmetric.NewMetrics(), plog.NewLogs(), ptrace.NewTraces()
	for _, r := range resources {
		m := md.ResourceMetrics().AppendEmpty()
		require.NoError(t, m.Resource().Attributes().FromRaw(r))
		m.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty()
		l := ld.ResourceLogs().AppendEmpty()
		require.NoError(t, l.Resource().Attributes().FromRaw(r))
		l.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		s := td.ResourceSpans().AppendEmpty()
		require.NoError(t, s.Resource().Attributes().FromRaw(r))
		s.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	}
	var metrics consumertest.MetricsSink
	var logs consumertest.LogsSink
	var traces consumertest.TracesSink
	factory := NewFactory()
	m, err := factory.CreateMetrics(ctx, set, cfg, &metrics)
	require.NoError(t, err)
	l, err := factory.CreateLogs(ctx, set, cfg, &logs)
	require.NoError(t, err)
	tr, err := factory.CreateTraces(ctx, set, cfg, &traces)
	require.NoError(t, err)
	for _, err := range []error{m.ConsumeMetrics(ctx, md), l.ConsumeLogs(ctx, ld), tr.ConsumeTraces(ctx, td)} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs, len(metrics.AllMetrics()) + len(logs.AllLogs()) + len(traces.AllTraces())
}

// page is a status page.
type page struct {
	component.Component
	source status.SenderSource
}

func (p *page) AddSenders(source status.SenderSource) (remove func()) {
	p.source = source
	return func() { p.source = nil }
}

type host struct{ page *page }

func (h host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("page"): h.page, component.MustNewID("other"): nil}
}

func TestRefusedSendersAreShown(t *testing.T) {
	cfg := &Config{Cluster: ClusterConfig{Name: "prod-1"}, Unattributed: UnattributedRefuse}
	p := newT(t, cfg)
	core, logged := observer.New(zap.WarnLevel)
	p.refusal.set.Logger = zap.New(core)
	now := time.Date(2026, 5, 4, 9, 30, 0, 0, time.UTC)
	p.refusal.now = func() time.Time { return now }
	shown := &page{}
	require.NoError(t, p.refusal.start(t.Context(), host{shown}))
	require.Empty(t, shown.source())

	for range 3 {
		require.Error(t, p.refusal.refuse(t.Context(), "10.244.0.1", 2))
	}
	want := status.Sender{Processor: p.refusal.set.ID.String(), Signal: "logs", Address: "10.244.0.1", RefusedItems: 6, LastRefused: now}
	require.Equal(t, []status.Sender{want}, shown.source())

	// As many senders as are remembered, and the one that came longest ago makes room.
	for i := range maxSenders {
		now = now.Add(time.Second)
		require.Error(t, p.refusal.refuse(t.Context(), fmt.Sprintf("10.0.0.%d", i), 1))
	}
	require.Len(t, shown.source(), maxSenders)
	require.NotContains(t, shown.source(), want)

	// Logged at most once a minute, with all that came meanwhile.
	now = now.Add(logWindow)
	require.Error(t, p.refusal.refuse(t.Context(), "10.244.0.1", 5))
	require.Equal(t, 2, logged.Len())
	require.EqualValues(t, 2, logged.All()[0].ContextMap()["items_since_last_logged"])
	require.EqualValues(t, 2+2+maxSenders+5, logged.All()[1].ContextMap()["items_since_last_logged"])

	require.NoError(t, p.refusal.shutdown(t.Context()))
	require.Nil(t, shown.source)
}
