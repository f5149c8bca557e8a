// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/metadata"
)

// fakeElection is the stock extension's interface in a test's hand.
type fakeElection struct {
	component.StartFunc
	component.ShutdownFunc
	win  func(context.Context)
	lose func()
}

func (f *fakeElection) SetCallBackFuncs(win func(context.Context), lose func()) {
	f.win, f.lose = win, lose
}

type hostWith map[component.ID]component.Component

func (h hostWith) GetExtensions() map[component.ID]component.Component { return h }

func TestClusterLeadership(t *testing.T) {
	id := component.MustNewID("k8s_leader_elector")
	start := func(host component.Host) (*clusterReceiver, error) {
		c := createDefaultConfig().(*Config)
		c.Mode, c.LeaderElector, c.Kubernetes.Kubeconfig = modeCluster, &id, writeKubeconfig(t, "https://127.0.0.1:1")
		c.CollectionInterval, c.Kubernetes.Timeout = time.Second, time.Millisecond
		sink := new(consumertest.MetricsSink)
		r, err := newClusterReceiver(receivertest.NewNopSettings(metadata.Type), c, sink)
		require.NoError(t, err)
		return r, r.Start(context.Background(), host)
	}
	_, err := start(noHost{})
	require.ErrorContains(t, err, `"k8s_leader_elector"`)
	r, err := start(hostWith{id: &struct {
		component.StartFunc
		component.ShutdownFunc
	}{}})
	require.ErrorContains(t, err, "no leader election")
	require.NoError(t, r.Shutdown(context.Background()))

	f := &fakeElection{}
	r, err = start(hostWith{id: f})
	require.NoError(t, err)
	sink := r.next.(*consumertest.MetricsSink)
	require.Empty(t, sink.AllMetrics(), "a follower sends nothing")
	for range 2 {
		sink.Reset()
		f.win(context.Background())
		f.win(context.Background())
		require.Eventually(t, func() bool { return sink.DataPointCount() > 0 }, 5*time.Second, 10*time.Millisecond)
		s := seriesOf(sink.AllMetrics()[0])
		require.Equal(t, 0.0, s.get(t, "kof_cost_collection_success"), "the API server doesn't answer")
		f.lose()
		require.Nil(t, r.leading)
	}
	require.NoError(t, r.Shutdown(context.Background()))
	require.NoError(t, r.Shutdown(context.Background()), "twice is once")
}
