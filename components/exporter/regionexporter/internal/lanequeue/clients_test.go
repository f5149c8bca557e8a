// SPDX-License-Identifier: Apache-2.0

package lanequeue

import (
	"testing"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// clients are a client in memory and one of the stock file storage.
func clients(t testing.TB) map[string]storage.Client {
	return map[string]storage.Client{
		"memory":       newMemStore().client(),
		"file storage": fileClient(t, fileStore(t, t.TempDir())),
	}
}
