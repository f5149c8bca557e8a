// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"github.com/k0rdent/kof/test/chaos/load"
)

// serveEnv makes the test binary a program that takes OTLP as far as a start is concerned; its value is the address.
const serveEnv = "KOF_TEST_COLLECTOR_SERVE"

func TestMain(m *testing.M) {
	if address := os.Getenv(serveEnv); address != "" {
		fmt.Println(http.ListenAndServe(address, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
		os.Exit(3)
	}
	goleak.VerifyTestMain(m)
}

func TestConfigs(t *testing.T) {
	s := Settings{
		Storage: "file_storage", QueueDir: "/tmp/q", Directory: "/tmp/r.yaml", QueueBytes: 1 << 20, OTLPPort: 1, MetricsPort: 2,
		Regions: []Region{{Name: "eu-1", Metrics: "http://m1", Logs: "http://l1", Traces: "http://t1"}, {Name: "us-1", Metrics: "http://m2", Logs: "http://l2", Traces: "http://t2"}},
	}
	for _, storage := range []string{"file_storage", "queue_storage"} {
		for _, kind := range []Kind{KOF, Stock} {
			s.Storage = storage
			text, err := kind.Config(s)
			require.NoError(t, err)
			var c struct {
				Extensions, Exporters map[string]any
				Service               struct{ Pipelines map[string]any }
			}
			require.NoError(t, yaml.Unmarshal(text, &c), "%s", text)
			if kind == KOF {
				require.Contains(t, c.Extensions, storage+"/queue")
				require.Len(t, c.Service.Pipelines, 3)
			} else {
				require.Contains(t, c.Extensions, "file_storage/queue")
				require.Len(t, c.Exporters, 6)
				require.Len(t, c.Service.Pipelines, 9)
				require.Contains(t, string(text), "endpoint: http://m2/api/v1/write")
			}
		}
	}
}

const page = `# TYPE otelcol_kof_region_accepted_items_total counter
otelcol_kof_region_accepted_items_total{region="eu-1",signal="logs"} 100
# TYPE otelcol_kof_region_delivered_items_total counter
otelcol_kof_region_delivered_items_total{region="eu-1",signal="logs"} 80
# TYPE otelcol_kof_region_dropped_items_total counter
otelcol_kof_region_dropped_items_total{region="eu-1",signal="logs",reason="rejected"} 3
otelcol_kof_region_dropped_items_total{region="eu-1",signal="logs",reason="damaged"} 2
otelcol_kof_region_dropped_items_total{region="eu-1",signal="logs",reason="too_large"} 0
# TYPE otelcol_kof_region_held_items gauge
otelcol_kof_region_held_items{region="eu-1",signal="logs"} 14
otelcol_kof_region_held_items{region="_unknown",signal="logs"} 1
# TYPE otelcol_kof_region_ledger_residual_items gauge
otelcol_kof_region_ledger_residual_items{region="eu-1",signal="logs"} 1
# TYPE otelcol_kof_region_refused_items_total counter
otelcol_kof_region_refused_items_total{region="eu-1",signal="logs"} 7
# TYPE otelcol_kof_region_directory_reloads_total counter
otelcol_kof_region_directory_reloads_total{outcome="refused"} 4
# TYPE otelcol_kof_region_failovers_total counter
otelcol_kof_region_failovers_total{region="eu-1",signal="logs"} 2
# TYPE otelcol_process_uptime_seconds_total counter
otelcol_process_uptime_seconds_total 5
`

func TestParse(t *testing.T) {
	got, err := parse(strings.NewReader(page))
	require.NoError(t, err)
	lane := load.Lane{Region: "eu-1", Signal: load.Logs}
	require.Equal(t, Ledger{
		Accepted: 100, Delivered: 80, Held: 14, Residual: 1, Refused: 7, Dropped: map[string]int64{"rejected": 3, "damaged": 2},
	}, got.Lanes[lane])
	require.EqualValues(t, 1, got.Lanes[lane].Imbalance())
	require.EqualValues(t, 15, got.Held())
	require.Equal(t, map[string]int64{"refused": 4}, got.Reloads)
	require.Equal(t, map[load.Lane]int64{lane: 2}, got.Failovers)
	require.Len(t, got.Lanes, 2)

	_, err = parse(strings.NewReader("<html>"))
	require.Error(t, err)
}

func newCollector(t *testing.T) *Collector {
	self, err := os.Executable()
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	t.Setenv(serveEnv, address)
	c := &Collector{Binary: self, Config: "unused", Log: filepath.Join(t.TempDir(), "log"), OTLP: "http://" + address, Metric: "http://" + address}
	t.Cleanup(c.Kill)
	return c
}

func TestLife(t *testing.T) {
	c := newCollector(t)
	require.Error(t, c.Alive())
	require.NoError(t, c.Start(t.Context()))
	require.NoError(t, c.Alive())
	require.Error(t, c.Start(t.Context()), "it runs")
	require.NotZero(t, c.PID())
	c.Kill()
	c.Kill() // again
	require.Zero(t, c.PID())

	require.NoError(t, c.Launch())
	c.Kill()
	require.NoError(t, c.Start(t.Context()))
	require.NoError(t, syscall.Kill(c.PID(), syscall.SIGKILL))
	<-c.running.exited
	require.ErrorContains(t, c.Alive(), "ended by itself")
	require.ErrorContains(t, c.Stop(), "ended by itself")
	require.NoError(t, c.Stop(), "nothing runs")
}

func TestStartThatFails(t *testing.T) {
	c := newCollector(t)
	taken, err := net.Listen("tcp", strings.TrimPrefix(c.OTLP, "http://"))
	require.NoError(t, err)
	defer taken.Close()
	t.Setenv(serveEnv, taken.Addr().String())
	c.OTLP = "http://127.0.0.1:1"
	require.ErrorContains(t, c.Start(t.Context()), "ended before it was ready: exit status 3")
	c.Binary = "/nowhere"
	require.Error(t, c.Start(t.Context()))
}

func TestLog(t *testing.T) {
	c := newCollector(t)
	before := "2026-01-02\terror\tx\told {\"region\": \"eu-1\", \"signal\": \"logs\"}\n"
	require.NoError(t, os.WriteFile(c.Log, []byte(before+
		"2026-01-02\tinfo\tx\tpanic: no {\"region\": \"eu-1\", \"signal\": \"logs\"}\npanic: oh\n\tgoroutine 1\nfatal error: x\n"+
		"2026-01-02\twarn\tx\tCan't deliver {\"region\": \"eu-1\", \"signal\": \"logs\"}\n"+
		"2026-01-02\twarn\tx\tNew: the queue is damaged {\"region\": \"eu-1\", \"signal\": \"logs\"}\n"), 0o600))
	panics, err := c.Panics()
	require.NoError(t, err)
	require.Equal(t, []string{"panic: oh", "fatal error: x"}, panics)
	reports, err := c.LossReports(int64(len(before)), "eu-1", "logs")
	require.NoError(t, err)
	require.Len(t, reports, 1)
	require.Contains(t, reports[0], "New")
	require.Equal(t, "s\"}\n", c.LogTail(4))
	_, err = (&Collector{Log: "/nowhere"}).Panics()
	require.Error(t, err)
}
