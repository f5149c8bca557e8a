// SPDX-License-Identifier: Apache-2.0

//go:build linux

package nodeexporterreceiver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/k0rdent/kof/components/receiver/nodeexporterreceiver/internal/metadata"
	"github.com/k0rdent/kof/test/toolcache"
)

// realNodeExporter runs node_exporter with the settings of a configuration and returns the URL of its metrics.
func realNodeExporter(t testing.TB, c *Config) string {
	t.Helper()
	path, err := toolcache.Binary(t.Context(), "node_exporter", os.Stderr)
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	args := []string{"--web.listen-address=" + addr, "--web.disable-exporter-metrics", "--collector.disable-defaults", "--log.level=error"}
	for name := range collectors {
		if c.enabled(name) {
			args = append(args, "--collector."+name)
		}
	}
	for name, v := range c.flags("/proc") {
		switch {
		case strings.HasSuffix(name, ".netlink"): // its own way
		case v == "true":
			args = append(args, "--"+name)
		case v == "false":
			args = append(args, "--no-"+name)
		default:
			args = append(args, "--"+name+"="+v)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, args...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(output.String()[max(0, output.Len()-2000):])
		}
	})
	url := "http://" + addr + "/metrics"
	require.Eventually(t, func() bool {
		r, err := http.Get(url)
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	}, 20*time.Second, 20*time.Millisecond)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return url
}

func scrape(t testing.TB, url string) map[string]*dto.MetricFamily {
	t.Helper()
	r, err := http.Get(url)
	require.NoError(t, err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	require.NoError(t, err)
	return families
}

// oneSeries is what is compared.
type oneSeries struct {
	kind  dto.MetricType
	value float64
}

func seriesOfReal(families map[string]*dto.MetricFamily) map[string]oneSeries {
	out := map[string]oneSeries{}
	for name, f := range families {
		for _, m := range f.Metric {
			labels := []string{}
			for _, l := range m.Label {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			slices.Sort(labels)
			v := m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetUntyped().GetValue()
			out[name+"{"+strings.Join(labels, ",")+"}"] = oneSeries{f.GetType(), v}
		}
	}
	return out
}

// newTestReceiver is a receiver that a test drives step by step.
func newTestReceiver(t testing.TB, c *Config) *nodeReceiver {
	t.Helper()
	require.NoError(t, c.Validate())
	r, err := newNodeReceiver(receivertest.NewNopSettings(metadata.Type), c, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, r.prepare())
	t.Cleanup(func() {
		r.runners.wg.Wait()
		r.end()
	})
	return r
}

// TestSameAsNodeExporter compares with the real node_exporter of the same version: the same series of the same types, counters
// that lie between what it says before and after, and equal values where it says the same before and after.
func TestSameAsNodeExporter(t *testing.T) {
	byDefault := createDefaultConfig().(*Config)
	everything := createDefaultConfig().(*Config)
	everything.Collectors = map[string]CollectorConfig{
		"netdev": {Options: map[string]any{"device_exclude": ""}}, "arp": {Options: map[string]any{"device_exclude": ""}},
		"netclass":   {Options: map[string]any{"ignored_devices": "^$"}},
		"filesystem": {Options: map[string]any{"mount_points_exclude": "", "fs_types_exclude": ""}},
		"diskstats":  {Options: map[string]any{"device_include": ".*"}},
		"cpu":        {Options: map[string]any{"info": true}},
	}
	yes := true
	for name, info := range collectors {
		if !info.byDefault {
			everything.Collectors[name] = CollectorConfig{Enabled: &yes}
		}
	}
	for name, c := range map[string]*Config{"default": byDefault, "everything": everything} {
		t.Run(name, func(t *testing.T) {
			url := realNodeExporter(t, c)
			r := newTestReceiver(t, c)
			before := seriesOfReal(scrape(t, url))
			md := r.collect(t.Context(), time.Now())
			after := seriesOfReal(scrape(t, url))
			ours := seriesOfOurs(t, md)

			missing := []string{}
			for _, id := range slices.Sorted(maps.Keys(after)) {
				_, always := before[id]
				if _, ok := ours[id]; always && !ok && !differs(id) {
					missing = append(missing, id)
				}
			}
			require.Empty(t, missing)
			counters, equal, moved := 0, 0, []string{}
			for _, id := range slices.Sorted(maps.Keys(ours)) {
				b, inBefore := before[id]
				a, inAfter := after[id]
				if differs(id) {
					continue
				}
				require.True(t, inBefore || inAfter, "%s: node_exporter doesn't have it", id)
				if !inBefore || !inAfter {
					continue
				}
				o := ours[id]
				if b.kind == dto.MetricType_COUNTER {
					counters++
					odd := strings.HasPrefix(id, "node_lnstat_gc_total_total{") // would lose a total
					require.True(t, o.kind == dto.MetricType_COUNTER || odd, id)
					require.True(t, b.value <= o.value && o.value <= a.value || b.value >= a.value, "%s: %v, node_exporter %v before and %v after", id, o.value, b.value, a.value)
				} else {
					require.Equal(t, dto.MetricType_GAUGE, o.kind, id)
				}
				if a.value == b.value {
					if o.value == a.value {
						equal++
					} else {
						moved = append(moved, id)
					}
				}
			}
			t.Logf("%d series, %d counters in between, %d equal, %d moved meanwhile: %v", len(ours), counters, equal, len(moved), moved)
			require.Greater(t, counters, 100)
			require.Less(t, len(moved), len(ours)/10)
			for _, name := range []string{"node_uname_info", "node_boot_time_seconds", "node_memory_MemTotal_bytes", "node_filesystem_size_bytes", "node_os_info"} {
				require.True(t, slices.ContainsFunc(slices.Collect(maps.Keys(ours)), func(id string) bool { return strings.HasPrefix(id, name+"{") }), name)
			}
		})
	}
}

// differs tells what can't be the same.
func differs(id string) bool {
	return strings.HasPrefix(id, "node_arp_states{") || // known to netlink only
		strings.HasPrefix(id, "node_exporter_build_info{") || // of the program
		strings.HasPrefix(id, "node_scrape_collector_duration_seconds{")
}
