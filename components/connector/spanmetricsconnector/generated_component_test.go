// SPDX-License-Identifier: Apache-2.0

package spanmetricsconnector

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

var typ = component.MustNewType("span_metrics")

func TestComponentFactoryType(t *testing.T) {
	require.Equal(t, typ, NewFactory().Type())
}

func TestComponentConfigStruct(t *testing.T) {
	require.NoError(t, componenttest.CheckConfigStruct(NewFactory().CreateDefaultConfig()))
}

func TestComponentLifecycle(t *testing.T) {
	factory := NewFactory()
	create := func(t *testing.T) interface {
		component.Component
		ConsumeTraces(context.Context, ptrace.Traces) error
	} {
		c, err := factory.CreateTracesToMetrics(context.Background(), connectortest.NewNopSettings(typ), factory.CreateDefaultConfig(), consumertest.NewNop())
		require.NoError(t, err)
		return c
	}
	t.Run("traces_to_metrics-shutdown", func(t *testing.T) {
		require.NoError(t, create(t).Shutdown(context.Background()))
	})
	t.Run("traces_to_metrics-lifecycle", func(t *testing.T) {
		first, second := create(t), create(t)
		for _, c := range []component.Component{first, second} {
			require.NoError(t, c.Start(context.Background(), componenttest.NewNopHost()))
			require.NoError(t, c.Shutdown(context.Background()))
		}
	})
}
