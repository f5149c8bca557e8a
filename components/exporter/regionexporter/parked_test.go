// SPDX-License-Identifier: Apache-2.0

package regionexporter

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Records of a zone in which their region no longer lies are set aside and hold up nothing; they go when the region is there again.
func TestRecordsOfAnotherZoneHoldUpNothing(t *testing.T) {
	folder, home := t.TempDir(), newBackend(t, nil)
	dead := func(zone string) string { return logDirectory(logRegion("home", zone, "http://127.0.0.1:1")) }
	alive := func(zone string) string { return logDirectory(logRegion("home", zone, home.URL)) }

	cfg := quickConfig(t, dead("us"))
	cfg.Batch.MaxBytes = kib
	r := begin(t, newHost(t, folder), cfg)
	for i := range 10 {
		r.sendLogs(logRecords("", fmt.Sprintf("old-%d-%s", i, noise(500))))
	}
	r.end()

	cfg = quickConfig(t, alive("ap"))
	cfg.Batch.MaxBytes = kib
	r = begin(t, newHost(t, folder), cfg)
	r.sendLogs(logRecords("", "new"))
	require.Eventually(t, func() bool { return home.has()["new"] == 1 }, 20*time.Second, 5*time.Millisecond)
	require.Len(t, home.has(), 1)
	require.Equal(t, int64(10), r.ledger("home", signalLogs).held)
	require.Empty(t, r.ledger("home", signalLogs).failed)
	r.end()

	r = begin(t, newHost(t, folder), quickConfig(t, alive("us")))
	r.drained("home", signalLogs)
	require.Len(t, home.has(), 11)
}
