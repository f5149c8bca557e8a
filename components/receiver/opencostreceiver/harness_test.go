// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/metadata"
	"github.com/k0rdent/kof/internal/cost"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		serveFullNode()
		return
	}
	if n, err := strconv.Atoi(os.Getenv(clusterEnv)); err == nil {
		measureCluster(n)
		return
	}
	goleak.VerifyTestMain(m)
}

func pemOf(s *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
}

// clock is a clock that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func (c *clock) step(d time.Duration) time.Time {
	c.at = c.at.Add(d)
	return c.at
}

var dayStart = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

// testNode has 4 cores and 16 GiB.
func testNode() *cost.Node {
	return &cost.Node{
		Name: "node-1", UID: "node-uid", ProviderID: "aws:///eu-1a/i-1", Cores: 4, MemoryBytes: 16 * cost.GiB,
		Labels: map[string]string{
			"node.kubernetes.io/instance-type": "m5.xlarge", "topology.kubernetes.io/region": "eu-1", "kubernetes.io/arch": "amd64",
		},
	}
}

// bench is a node receiver that a test drives step by step.
type bench struct {
	*nodeReceiver
	*clock
	kubelet *fakeKubelet
	sink    *consumertest.MetricsSink
}

func startBench(t testing.TB, change func(*Config)) *bench {
	t.Helper()
	k := startKubelet(t)
	config := k.config(t)
	if change != nil {
		change(config)
	}
	require.NoError(t, config.Validate())
	b := &bench{clock: &clock{at: dayStart}, kubelet: k}
	b.restart(t, config)
	return b
}

func (b *bench) restart(t testing.TB, config *Config) {
	t.Helper()
	b.sink = new(consumertest.MetricsSink)
	r, err := newNodeReceiver(receivertest.NewNopSettings(metadata.Type), config, b.sink)
	require.NoError(t, err)
	r.now = b.clock.now
	if b.nodeReceiver != nil {
		r.store = b.nodeReceiver.store
	}
	require.NoError(t, r.prepare(context.Background(), fake.NewClientset()))
	b.nodeReceiver = r
	t.Cleanup(r.kubelet.Close)
	r.setNode(testNode())
}

// collect makes a collection and returns what was sent, by series.
func (b *bench) collect(t testing.TB) series {
	t.Helper()
	b.sink.Reset()
	b.collectAndSend(context.Background())
	require.Len(t, b.sink.AllMetrics(), 1)
	return seriesOf(b.sink.AllMetrics()[0])
}

// point1 is one point as it was sent.
type point1 struct {
	labels   map[string]any
	resource map[string]any
	value    float64
	at       time.Time
}

// series holds points by the name of the metric.
type series map[string][]point1

func seriesOf(md pmetric.Metrics) series {
	out := series{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				var dps pmetric.NumberDataPointSlice
				if m.Type() == pmetric.MetricTypeSum {
					dps = m.Sum().DataPoints()
				} else {
					dps = m.Gauge().DataPoints()
				}
				for _, dp := range dps.All() {
					out[m.Name()] = append(out[m.Name()], point1{
						labels: dp.Attributes().AsRaw(), resource: rm.Resource().Attributes().AsRaw(), value: dp.DoubleValue(),
						at: dp.Timestamp().AsTime(),
					})
				}
			}
		}
	}
	return out
}

// get returns the value of the newest point that has all the labels; the test fails if there is none.
func (s series) get(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	p := s.find(name, labels...)
	require.NotEmpty(t, p, "%s%v isn't there", name, labels)
	return p[len(p)-1].value
}

func (s series) find(name string, labels ...string) []point1 {
	var out []point1
next:
	for _, p := range s[name] {
		for i := 0; i < len(labels); i += 2 {
			if p.labels[labels[i]] != labels[i+1] {
				continue next
			}
		}
		out = append(out, p)
	}
	return out
}

func (s series) sum(name string, labels ...string) float64 {
	total := 0.0
	newest := map[string]float64{}
	for _, p := range s.find(name, labels...) {
		key := ""
		for _, l := range []string{"namespace", "pod", "container", "node", "resource"} {
			v, _ := p.labels[l].(string)
			key += v + "\x00"
		}
		newest[key] = p.value
	}
	for _, v := range newest {
		total += v
	}
	return total
}
