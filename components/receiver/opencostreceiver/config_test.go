// SPDX-License-Identifier: Apache-2.0

package opencostreceiver

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/k0rdent/kof/components/receiver/opencostreceiver/internal/metadata"
	"github.com/k0rdent/kof/internal/cost"
)

func load(t *testing.T, file, name string) *Config {
	t.Helper()
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", file))
	require.NoError(t, err)
	sub, err := conf.Sub(name)
	require.NoError(t, err)
	c := createDefaultConfig().(*Config)
	require.NoError(t, sub.Unmarshal(c))
	return c
}

func TestConfigGood(t *testing.T) {
	c := load(t, "config.yaml", "opencost/node")
	require.NoError(t, xconfmap.Validate(c))
	want := createDefaultConfig().(*Config)
	want.Node, want.Kubelet.Endpoint = "n1", "https://10.0.0.1:10250"
	require.Equal(t, want, c)

	c = load(t, "config.yaml", "opencost/cluster")
	require.NoError(t, xconfmap.Validate(c))

	c = load(t, "config.yaml", "opencost/all")
	require.NoError(t, xconfmap.Validate(c))
	id := component.MustNewIDWithName("file_storage", "costs")
	require.Equal(t, &id, c.Storage)
	p, err := c.Prices.defaults()
	require.NoError(t, err)
	require.Equal(t, 0.05, p.CPU)
	require.Equal(t, 0.002923, p.RAM)
	require.Equal(t, cost.Currency{Code: "EUR", PerUSD: 0.9}, c.Prices.currency())
}

func TestConfigBad(t *testing.T) {
	for name, want := range map[string][]string{
		"empty":      {`node: "": must be the name of the node`, `kubelet::endpoint: "": must be a URL`},
		"mode":       {`mode: "both": must be node or cluster`},
		"interval":   {"collection_interval: 100ms: must be from 1s to 10m0s"},
		"gap":        {"max_gap: 1s: must not be shorter than collection_interval"},
		"compat":     {`compat: "yes": must be corrected or opencost`},
		"election":   {"k8s_leader_elector: k8s_leader_elector: is for mode cluster only"},
		"storage":    {"storage: file_storage: is for mode node only"},
		"kubelet":    {`kubelet::endpoint: "10.0.0.1:10250"`, "kubelet::timeout: 0s", "kubelet::cert_file"},
		"kubernetes": {"kubernetes::timeout: -1s"},
		"prices": {
			`prices::defaults: "aws"`, "prices::unit::cpu: -1: a price must not be negative", "prices::unit::disk: 1: unknown key: there are cpu",
			"prices::unit::ram: NaN: a price must be a finite number", "prices::discount: 1.5: must be from 0 to 1",
			"prices::negotiated_discount: -0.1", "prices::vgpus_per_gpu: 0: must be more than 0", `prices::currency::code: "euro"`,
			"prices::currency::per_usd: 0: must be more than 0", "prices::extended_resources::nvidia.com/gpu: 1: is counted as a GPU",
			"prices::extended_resources::x: -1", "prices::management_fee: -1",
		},
		"usd":    {"prices::currency::per_usd: 2: must be more than 0, and 1 for USD"},
		"labels": {`labels::pods[1]: "": must be the name of a label`},
	} {
		t.Run(name, func(t *testing.T) {
			err := xconfmap.Validate(load(t, "bad.yaml", "opencost/"+name))
			require.Error(t, err)
			for _, w := range want {
				require.ErrorContains(t, err, w)
			}
			require.Len(t, strings.Split(err.Error(), "\n"), len(want), "no other problem: %v", err)
		})
	}
	c := load(t, "config.yaml", "opencost/node")
	c.Labels.Nodes = make([]string, maxLabelNames+1)
	for i := range c.Labels.Nodes {
		c.Labels.Nodes[i] = "l"
	}
	require.ErrorContains(t, c.Validate(), "labels::nodes: 65: must not be more than 64")
}

func TestConfigUnknownKey(t *testing.T) {
	conf, err := confmaptest.LoadConf(filepath.Join("testdata", "bad.yaml"))
	require.NoError(t, err)
	sub, err := conf.Sub("opencost/unknown")
	require.NoError(t, err)
	require.ErrorContains(t, sub.Unmarshal(createDefaultConfig()), "colection_interval")
}

// TestFactory starts and ends both modes without an API server and a kubelet: nothing far away is waited for.
func TestFactory(t *testing.T) {
	f := NewFactory()
	require.Equal(t, metadata.Type, f.Type())
	require.Equal(t, component.StabilityLevelAlpha, f.MetricsStability())
	require.NoError(t, componenttest.CheckConfigStruct(f.CreateDefaultConfig()))
	for _, mode := range []string{modeNode, modeCluster} {
		t.Run(mode, func(t *testing.T) {
			c := f.CreateDefaultConfig().(*Config)
			c.Mode, c.Kubernetes.Kubeconfig = mode, writeKubeconfig(t, "https://127.0.0.1:1")
			c.Node, c.Kubelet.Endpoint, c.Kubelet.CAFile = "n1", "https://127.0.0.1:1", ""
			c.Kubelet.TokenFile = ""
			unstarted, err := f.CreateMetrics(context.Background(), receivertest.NewNopSettings(f.Type()), c, consumertest.NewNop())
			require.NoError(t, err)
			require.NoError(t, unstarted.Shutdown(context.Background()), "without a start")
			r, err := f.CreateMetrics(context.Background(), receivertest.NewNopSettings(f.Type()), c, consumertest.NewNop())
			require.NoError(t, err)
			begin := time.Now()
			require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
			require.NoError(t, r.Shutdown(context.Background()))
			require.Less(t, time.Since(begin), 5*time.Second)
		})
	}
}

func TestStartNamesWhatIsMissing(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	c := createDefaultConfig().(*Config)
	c.Node, c.Kubelet.Endpoint = "n1", "https://127.0.0.1:1"
	for _, mode := range []string{modeNode, modeCluster} {
		c.Mode = mode
		r, err := NewFactory().CreateMetrics(context.Background(), receivertest.NewNopSettings(metadata.Type), c, consumertest.NewNop())
		require.NoError(t, err)
		require.ErrorContains(t, r.Start(context.Background(), noHost{}), "kubernetes")
		require.NoError(t, r.Shutdown(context.Background()))
	}
}

// TestPriceFilesOfARunningReceiver changes the price list under a receiver: good, bad, good again.
func TestPriceFilesOfARunningReceiver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.csv")
	set := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	set(",node-1,,node,metadata.name,,1,\n")
	b := startBench(t, func(c *Config) { c.Prices.CSV = path })
	b.kubelet.show(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.pricer.watch(ctx, b.reprice)
	}()
	defer func() { cancel(); <-done }()
	total := func(want, problems float64) {
		t.Helper()
		var s series
		require.Eventually(t, func() bool {
			s = b.collect(t)
			return s.get(t, "kof_price_problems") == problems && s.get(t, "node_total_hourly_cost") > want-1e-9 && s.get(t, "node_total_hourly_cost") < want+1e-9
		}, 10*time.Second, 20*time.Millisecond)
		require.Equal(t, "csv", s["kof_node_price_info"][0].labels["source"])
	}
	total(1, 0)
	set(",node-1,,node,metadata.name,,2,\n,other,,node,metadata.name,,-5,\n")
	total(2, 1)
	set("<html>")
	total(2, 2)
	require.NoError(t, os.Remove(path))
	total(2, 2)
	set(",node-1,,node,metadata.name,,3,\n")
	total(3, 0)
}
