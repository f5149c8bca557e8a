// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/k0rdent/kof/internal/operator/controller"
)

// TestLeaderElection has two operators: one works, and the other takes over when it ends.
func TestLeaderElection(t *testing.T) {
	a := newAPI(t)
	first := a.startServing(t, controller.Serving{LeaderElection: true})
	regional(system, "eu1", "eu-west-1").create(t, a)
	a.inRegion(t, child("team-a", "one", "eu-west-1").create(t, a), "eu1")
	second := a.startServing(t, controller.Serving{LeaderElection: true})
	second.ahead.Store(int64(1000 * time.Hour)) // would rotate every login
	a.quiet(t)
	require.Len(t, a.users(t, system, "eu1"), 3, "the second waits")
	second.ahead.Store(0)
	families, err := metrics.Registry.Gather()
	require.NoError(t, err)
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			values[f.GetName()] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	require.InDelta(t, 2, values["kof_operator_assignments"], 0)
	require.InDelta(t, 1, values["kof_operator_regions"], 0)
	require.Positive(t, values["kof_operator_decisions_total"])
	require.Positive(t, values["kof_operator_login_steps_total"])
	require.Positive(t, values["kof_operator_promxy_config_writes_total"])
	require.InDelta(t, 1, values["kof_operator_server_groups"], 0)
	require.Contains(t, values, "kof_operator_rules_problems")
	require.InDelta(t, controller.Default().Rotation.Interval.Seconds(), values["kof_operator_login_rotation_interval_seconds"], 0)
	require.Contains(t, values, "kof_operator_login_oldest_age_seconds")
	first.stop()
	a.inRegion(t, child("team-a", "two", "eu-west-1").create(t, a), "eu1")
	second.stop()
}

func TestOptions(t *testing.T) {
	require.NoError(t, controller.Default().Validate())
	err := controller.Options{}.Validate()
	for _, flag := range []string{"--system-namespace", "--agent-namespace", "--workers", "--rehoming-prepare", "--rehoming-drain", "--rotation-overlap"} {
		require.ErrorContains(t, err, flag)
	}
	o := controller.Default()
	o.Rotation.Interval = 2 * o.Rotation.Overlap
	require.ErrorContains(t, o.Validate(), "--rotation-interval")
}
