// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/backends"
)

// Every query is taken by the engine that answers it. Whether there is anything to answer with is for the live test.
func TestEnginesTakeQueries(t *testing.T) {
	metrics := backends.StartT(t, backends.StartVictoriaMetrics, backends.Options{})
	logs := backends.StartT(t, backends.StartVictoriaLogs, backends.Options{})
	for _, q := range append(ofDashboards(t, time.Hour), ofRules(t)...) {
		var err error
		if q.source == logsType {
			_, err = askLogs(t.Context(), logs.URL, q.kind, q.expr)
		} else {
			_, err = askMetrics(t.Context(), metrics.URL, q.expr)
		}
		require.NoError(t, err, "%s: %s", q.name, q.expr)
	}
	// That they can refuse.
	_, err := askMetrics(t.Context(), metrics.URL, "sum by (a (x)")
	require.Error(t, err)
	for _, kind := range []string{"instant", "stats", "statsRange"} {
		_, err = askLogs(t.Context(), logs.URL, kind, "a | stats count(")
		require.Error(t, err, kind)
	}
}
