// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/k0rdent/kof/internal/region"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parseDirectory returns the directory that a text describes.
func parseDirectory(t testing.TB, text string) *region.Directory {
	t.Helper()
	dir, err := region.Parse([]byte(text))
	require.NoError(t, err)
	return dir
}

// How long tests poll for what takes moments, and how often.
const (
	testTimeout = time.Minute // for a machine that is busy with much else
	testTick    = 5 * time.Millisecond
)
