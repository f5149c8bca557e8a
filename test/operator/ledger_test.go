// SPDX-License-Identifier: Apache-2.0

package operator

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/k0rdent/kof/test/demo/truth"
)

var unauthorized = regexp.MustCompile(`(?m)^otelcol_kof_region_failed_attempts(?:_total)?\{[^}]*class="401"[^}]*\} (\S+)$`)

// count returns how many of the running agent's requests were refused for their credential.
func (n *node) count(ctx context.Context) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.metrics+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := webClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if !strings.Contains(string(text), "otelcol_kof_region_accepted_items") {
		return 0, fmt.Errorf("the agent's own metrics: found none of the region exporter")
	}
	sum := int64(0)
	for _, m := range unauthorized.FindAllStringSubmatch(string(text), -1) {
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, err
		}
		sum += int64(v)
	}
	return sum, nil
}

// refused returns how many requests of all agents were refused for their credential.
func (n *node) refused(t *testing.T) int64 {
	t.Helper()
	now, err := n.count(t.Context())
	require.NoError(t, err)
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.refusals + now
}

// requireLedger requires that everything is accounted for, nothing was dropped, and nothing is held, but for the agent's own metrics.
func (n *node) requireLedger(t *testing.T) {
	t.Helper()
	got, err := n.process.Telemetry(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, got.Lanes)
	for key, lane := range got.Lanes {
		require.Zero(t, lane.Residual(), "%v", key)
		if key.Signal != truth.Metrics {
			require.Zero(t, lane.Held, "%v", key)
		}
		require.Zero(t, lane.Dropped, "%v", key)
	}
}
