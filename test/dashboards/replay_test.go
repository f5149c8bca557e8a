// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/k0rdent/kof/test/backends"
	"github.com/k0rdent/kof/test/toolcache"
)

// costGroups are the groups of rules that record hours.
var costGroups = []string{"kof-record-costs", "kof-record-telemetry-costs"}

// replay has the real vmalert record what the rules of the stores give of a store's past, as often as they would have then, and puts it into that
// store with the label that Promxy gives.
func replay(t *testing.T, store *backends.Server, from, to time.Time) {
	t.Helper()
	dir := t.TempDir()
	var found []string
	for _, text := range rulesOf(t, "kof-storage", "form=standalone") {
		var file struct{ Groups []map[string]any }
		require.NoError(t, yaml.Unmarshal([]byte(text), &file))
		for _, g := range file.Groups {
			name := g["name"].(string)
			if !strings.HasSuffix(name, "costs") {
				continue
			}
			found = append(found, name)
			content, err := yaml.Marshal(map[string]any{"groups": []any{g}})
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, name+".yaml"), content, 0o600))
		}
	}
	require.ElementsMatch(t, costGroups, found)
	vmalert, err := toolcache.Binary(t.Context(), "vmalert", os.Stderr)
	require.NoError(t, err)
	require.NoError(t, store.Flush(t.Context()))
	// No rule reads another's series, so none has to wait for another.
	out, err := exec.CommandContext(t.Context(), vmalert, "-rule="+dir+"/*.yaml", "-datasource.url="+store.URL, "-remoteWrite.url="+store.URL,
		"-external.label="+regionLabel+"="+region, "-replay.rulesDelay=0s", "-replay.disableProgressBar", "-httpListenAddr=127.0.0.1:0",
		"-replay.timeFrom="+from.UTC().Format(time.RFC3339), "-replay.timeTo="+to.UTC().Format(time.RFC3339)).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, store.Flush(t.Context()))
}

// importSeries puts series into a store, each sample later by a time.
func importSeries(t *testing.T, store *backends.Server, all []backends.Series, later time.Duration) {
	t.Helper()
	var lines bytes.Buffer
	out := json.NewEncoder(&lines)
	for _, s := range all {
		line := struct {
			Metric     map[string]string `json:"metric"`
			Values     []float64         `json:"values"`
			Timestamps []int64           `json:"timestamps"`
		}{Metric: s.Labels}
		for i, v := range s.Values {
			if !math.IsNaN(v) {
				line.Values, line.Timestamps = append(line.Values, v), append(line.Timestamps, s.Timestamps[i]+later.Milliseconds())
			}
		}
		require.NoError(t, out.Encode(line))
	}
	resp, err := client.Post(store.URL+"/api/v1/import", "application/json", &lines)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 2, resp.StatusCode/100)
	require.NoError(t, store.Flush(t.Context()))
}

// lastHour is the end of the newest hour that dashboards count, and will be for a while.
func lastHour(while time.Duration) time.Time {
	const offset = 5 * time.Minute
	hour := time.Now().Add(-offset).Truncate(time.Hour)
	if left := time.Until(hour.Add(time.Hour + offset)); left < while {
		time.Sleep(left)
		hour = hour.Add(time.Hour)
	}
	return hour
}
