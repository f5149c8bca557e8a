// SPDX-License-Identifier: Apache-2.0

package queuestorageextension

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
)

func TestComponentFactoryType(t *testing.T) {
	require.Equal(t, component.MustNewType("queue_storage"), NewFactory().Type())
}

func TestComponentConfigStruct(t *testing.T) {
	require.NoError(t, componenttest.CheckConfigStruct(NewFactory().CreateDefaultConfig()))
}

func TestComponentLifecycle(t *testing.T) {
	factory := NewFactory()
	cfg := factory.CreateDefaultConfig().(*Config)
	cfg.Directory = t.TempDir()
	t.Run("shutdown", func(t *testing.T) {
		e, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
		require.NoError(t, err)
		require.NoError(t, e.Shutdown(t.Context()))
	})
	t.Run("lifecycle", func(t *testing.T) {
		for range 2 {
			e, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
			require.NoError(t, err)
			require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
			require.NoError(t, e.Shutdown(t.Context()))
			require.NoError(t, e.Shutdown(t.Context()))
		}
	})
}
