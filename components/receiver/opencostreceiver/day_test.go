// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/metadata"
)

// run drives an agent per node through the day, with a collection a minute, and hands over all that was sent.
func (d *simulatedDay) run(t *testing.T, take func(*consumertest.MetricsSink)) {
	t.Helper()
	for _, name := range []string{"node-1", "node-2"} {
		d.runNode(t, name, take)
	}
}

func (d *simulatedDay) runNode(t *testing.T, name string, take func(*consumertest.MetricsSink)) {
	t.Helper()
	k := startKubelet(t)
	config := k.config(t)
	config.Node = name
	config.Prices.CSV = filepath.Join(t.TempDir(), "prices.csv")
	price := func(v float64) {
		row := fmt.Sprintf("%s\n,%s,,node,metadata.name,,%v,\n", "EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,Version", name, v)
		require.NoError(t, os.WriteFile(config.Prices.CSV, []byte(row), 0o600))
	}
	price(d.price(name, 0))
	var ext component.Component
	if d.storage {
		ext = startStorage(t)
		config.Storage = &storageID
	}
	clk := &clock{at: d.start}
	end := day
	if name == "node-2" {
		end = d.loss
	}
	sink := new(consumertest.MetricsSink)
	var r *nodeReceiver
	stop := func() {
		if r != nil {
			require.NoError(t, r.Shutdown(context.Background()))
		}
		r = nil
	}
	defer stop()
	changed := false
	for at := time.Duration(0); at <= end; at += time.Second {
		clk.at = d.start.Add(at)
		if name == "node-1" && at == d.change {
			price(d.after)
			changed = true
		}
		if name == "node-1" && d.down(at) {
			stop() // as after kill -9: nothing is saved at the end
			continue
		}
		if r == nil {
			r = d.agent(t, config, ext, clk, sink)
			r.setNode(d.node(name))
			d.collectAt(t, k, r, name, at)
		}
		if changed {
			changed = false
			r.pricer.files.Load()
			r.pricer.apply()
			r.reprice()
		}
		if at%time.Minute == 0 && at > 0 {
			d.collectAt(t, k, r, name, at)
		}
		if len(sink.AllMetrics()) >= 200 {
			take(sink)
			sink.Reset()
		}
	}
	take(sink)
}

func (d *simulatedDay) down(at time.Duration) bool {
	for _, w := range d.downs {
		if at >= w[0] && at < w[1] {
			return true
		}
	}
	return false
}

func (d *simulatedDay) agent(t *testing.T, config *Config, ext component.Component, clk *clock, sink *consumertest.MetricsSink) *nodeReceiver {
	t.Helper()
	r, err := newNodeReceiver(receivertest.NewNopSettings(metadata.Type), config, sink)
	require.NoError(t, err)
	r.now = clk.now
	if ext != nil {
		r.store, err = storageClient(context.Background(), hostWith{storageID: ext}, config.Storage, metadataID)
		require.NoError(t, err)
	}
	require.NoError(t, r.prepare(context.Background(), fake.NewClientset()))
	return r
}

func (d *simulatedDay) collectAt(t *testing.T, k *fakeKubelet, r *nodeReceiver, name string, at time.Duration) {
	t.Helper()
	pods, usage := d.kubelet(name, at)
	k.show(t, pods, usage...)
	r.collectAndSend(context.Background())
}

var storageID = component.MustNewID("file_storage")

// startStorage is the stock file_storage extension.
func startStorage(t *testing.T) component.Component {
	t.Helper()
	f := filestorage.NewFactory()
	c := f.CreateDefaultConfig().(*filestorage.Config)
	c.Directory = t.TempDir()
	ext, err := f.Create(context.Background(), extensiontest.NewNopSettings(f.Type()), c)
	require.NoError(t, err)
	require.NoError(t, ext.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, ext.Shutdown(context.Background())) })
	return ext
}

// totals sums up what counters grew by, as increase() does: a fall is a reset.
type totals struct {
	last, sum map[string]float64
	name      map[string]string
}

func newTotals() *totals {
	return &totals{last: map[string]float64{}, sum: map[string]float64{}, name: map[string]string{}}
}

func (c *totals) take(sink *consumertest.MetricsSink) {
	for _, md := range sink.AllMetrics() {
		for name, points := range seriesOf(md) {
			if name != "kof_container_cost_total" && name != "kof_node_cost_total" && name != "kof_node_idle_cost_total" {
				continue
			}
			for _, p := range points {
				who, _ := p.labels["pod"].(string)
				if who == "" {
					who, _ = p.labels["node"].(string)
				}
				key := fmt.Sprint(name, "|", who, "|", p.labels["resource"])
				if d := p.value - c.last[key]; d >= 0 {
					c.sum[name+"|"+who] += d
				} else {
					c.sum[name+"|"+who] += p.value
				}
				c.last[key] = p.value
			}
		}
	}
}

// TestSimulatedDay compares what a day is billed with its truth: restarts, a lost node, a change of price and Jobs shorter
// than an interval included.
func TestSimulatedDay(t *testing.T) {
	d := newDay(dayStart)
	got := newTotals()
	d.run(t, got.take)
	pods, nodes := d.truth()
	var wantTotal, gotTotal float64
	for name, want := range nodes {
		total := got.sum["kof_node_cost_total|"+name]
		require.InEpsilon(t, want.total(), total, 1e-3, name)
		wantTotal, gotTotal = wantTotal+want.total(), gotTotal+total
	}
	require.InEpsilon(t, wantTotal, gotTotal, 1e-3)
	var wantPods, gotPods float64
	for name, want := range pods {
		total := got.sum["kof_container_cost_total|"+name]
		wantPods, gotPods = wantPods+want.total(), gotPods+total
		if want.total() > 0.01 { // a Job's few seconds are measured in whole seconds
			require.InEpsilon(t, want.total(), total, 2e-3, name)
		}
	}
	require.InEpsilon(t, wantPods, gotPods, 1e-3)
	idle := got.sum["kof_node_idle_cost_total|node-1"] + got.sum["kof_node_idle_cost_total|node-2"]
	require.InDelta(t, gotTotal, gotPods+idle, 1e-6*gotTotal, "pods and idle are the node")
	t.Logf("nodes: billed %.6f, true %.6f; pods: billed %.6f, true %.6f", gotTotal, wantTotal, gotPods, wantPods)
}

// TestSimulatedDayWithoutStorage: without state the time that the agent was down isn't billed, and nothing is billed twice.
func TestSimulatedDayWithoutStorage(t *testing.T) {
	d := newDay(dayStart)
	d.storage = false
	got := newTotals()
	d.runNode(t, "node-1", got.take)
	_, nodes := d.truth()
	var down float64
	for _, w := range d.downs {
		down += d.price("node-1", w[0]) * (w[1] - w[0]).Hours()
	}
	total := got.sum["kof_node_cost_total|node-1"]
	require.Less(t, total, nodes["node-1"].total())
	require.InDelta(t, nodes["node-1"].total()-down, total, d.after/60*float64(len(d.downs)), "up to the interval before each end")
}
