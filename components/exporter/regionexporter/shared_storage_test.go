// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/k0rdent/kof/components/extension/queuestorageextension"
)

func newQueueStorage(t *testing.T, dir string) extension.Extension {
	factory := queuestorageextension.NewFactory()
	cfg := factory.CreateDefaultConfig().(*queuestorageextension.Config)
	cfg.Directory = dir
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	return ext
}

// Two exporters of one name on one folder can't both have its queues: the second doesn't start, and says what to change.
func TestTwoExportersOnOneFolder(t *testing.T) {
	dir := t.TempDir()
	queue := newQueueStorage(t, dir)
	require.NoError(t, queue.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, queue.Shutdown(context.Background())) })
	file := t.TempDir()
	for name, hosts := range map[string][2]host{
		"queue_storage":              {{storageID: queue}, {storageID: queue}},
		"file_storage of two agents": {newHost(t, file), newHost(t, file)},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, nil)
			begin(t, hosts[0], quickConfig(t, oneRegion(b.URL)))
			second := create(t, quickConfig(t, oneRegion(b.URL)))
			t.Cleanup(second.end)
			err := second.Metrics.Start(t.Context(), hosts[1])
			for _, want := range []string{`exporter "region"`, `storage "file_storage"`, `"metrics_`, "another exporter or collector", "a directory of its own"} {
				require.ErrorContains(t, err, want)
			}
		})
	}
	require.ErrorContains(t, newQueueStorage(t, dir).Start(t.Context(), componenttest.NewNopHost()), dir+" is in use by process")
}

// Exporters of different names share a storage: each has queues of its own there.
func TestTwoExportersOnOneStorage(t *testing.T) {
	queue := newQueueStorage(t, t.TempDir())
	require.NoError(t, queue.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, queue.Shutdown(context.Background())) })
	for name, h := range map[string]host{"queue_storage": {storageID: queue}, "file_storage": newHost(t, t.TempDir())} {
		t.Run(name, func(t *testing.T) {
			b := newBackend(t, nil)
			first := begin(t, h, quickConfig(t, oneRegion(b.URL)))
			second := createNamed(t, component.MustNewIDWithName("region", "b"), quickConfig(t, oneRegion(b.URL)))
			for _, c := range second.parts {
				require.NoError(t, c.Start(t.Context(), h))
			}
			t.Cleanup(second.end)
			first.sendLogs(logRecords("", "a"))
			second.sendLogs(logRecords("", "b"))
			require.EqualValues(t, 1, first.drained("home", signalLogs).accepted)
			require.EqualValues(t, 1, second.drained("home", signalLogs).accepted)
			require.Len(t, b.has(), 2)
		})
	}
}
