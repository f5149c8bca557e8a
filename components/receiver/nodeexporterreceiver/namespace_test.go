// SPDX-License-Identifier: Apache-2.0

//go:build linux

package nodeexporterreceiver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/k0rdent/kof/components/receiver/nodeexporterreceiver/internal/metadata"
)

// childEnv makes this program collect once, from the root file system that it names, and print what it collected.
const childEnv = "KOF_TEST_NODE_EXPORTER_ROOT"

func isChild() bool { return os.Getenv(childEnv) != "" }

// printed is what the child prints.
type printed struct {
	Devices []string // of the process itself
	Values  map[string]float64
}

func child() {
	c := createDefaultConfig().(*Config)
	c.RootPath = os.Getenv(childEnv)
	r, err := newNodeReceiver(receivertest.NewNopSettings(metadata.Type), c, consumertest.NewNop())
	if err == nil {
		err = r.prepare()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer r.end()
	out := printed{Values: map[string]float64{}}
	for id, s := range seriesOfOurs(&testing.T{}, r.collect(context.Background(), time.Now())) {
		out.Values[id] = s.value
	}
	interfaces, _ := net.Interfaces()
	for _, i := range interfaces {
		out.Devices = append(out.Devices, i.Name)
	}
	_ = json.NewEncoder(os.Stdout).Encode(out)
}

// TestInAPod collects from a process with a network and a host name of its own, as a pod without hostNetwork has them: all
// values have to be the node's.
func TestInAPod(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("making namespaces needs root")
	}
	root := t.TempDir()
	for _, name := range []string{"proc", "sys", "run"} {
		require.NoError(t, os.Symlink("/"+name, filepath.Join(root, name)))
	}
	require.NoError(t, os.Mkdir(filepath.Join(root, "etc"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/hostname"), []byte("the-node\n"), 0o644))
	require.NoError(t, os.Symlink("/etc/os-release", filepath.Join(root, "etc/os-release")))

	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+root)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Run(), stderr.String())
	var pod printed
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &pod))
	require.Equal(t, []string{"lo"}, pod.Devices, "it was in a network of its own")

	node := seriesOfOurs(t, newTestReceiver(t, createDefaultConfig().(*Config)).collect(t.Context(), time.Now()))
	network := 0
	for id, s := range node {
		if !strings.HasPrefix(id, "node_network_") && !strings.HasPrefix(id, "node_netstat_") && !strings.HasPrefix(id, "node_sockstat_") &&
			!strings.HasPrefix(id, "node_arp_") && !strings.HasPrefix(id, "node_nf_") && !strings.HasPrefix(id, "node_udp_") && !strings.HasPrefix(id, "node_softnet_") {
			continue
		}
		require.Contains(t, pod.Values, id)
		network++
		if strings.HasPrefix(id, "node_network_receive_bytes_total") || strings.HasPrefix(id, "node_netstat_Tcp_InSegs") {
			require.LessOrEqual(t, pod.Values[id], s.value)
			require.GreaterOrEqual(t, pod.Values[id], s.value*0.9, id)
		}
	}
	require.Greater(t, network, 60)
	found := 0
	for id := range pod.Values {
		if strings.HasPrefix(id, "node_uname_info{") {
			require.Contains(t, id, `nodename="the-node"`)
			found++
		}
	}
	require.Equal(t, 1, found)
	require.NoDirExists(t, filepath.Join(os.TempDir(), fmt.Sprintf("kof-procfs-%d", cmd.Process.Pid)))
}

func TestInNetworkOf(t *testing.T) {
	require.False(t, inNetworkOf(t.TempDir()))
}

// TestOwnNetworkIsRefused: what can't be pointed at the node's network must not pass for it.
func TestOwnNetworkIsRefused(t *testing.T) {
	proc := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(proc, "stat"), []byte("cpu  1 1 1 1 1 1 1 1 1 1\nbtime 1\n"), 0o600))
	yes := true
	c := createDefaultConfig().(*Config)
	c.ProcFS, c.Collectors = proc, map[string]CollectorConfig{"tcpstat": {Enabled: &yes}}
	_, err := newCollectors(c, proc)
	require.ErrorContains(t, err, "collectors::tcpstat: enabled: needs hostNetwork")
}

func TestCorrections(t *testing.T) {
	collectFrom := func(c nodeCollector) map[string]float64 {
		ch := make(chan prometheus.Metric, 64)
		require.NoError(t, c.Update(ch))
		close(ch)
		var all replay
		for m := range ch {
			all = append(all, m)
		}
		registry := prometheus.NewRegistry()
		registry.MustRegister(all)
		families, err := registry.Gather()
		require.NoError(t, err)
		out := map[string]float64{}
		for _, f := range families {
			out[f.GetName()] = f.Metric[0].GetGauge().GetValue() + f.Metric[0].GetCounter().GetValue()
		}
		return out
	}
	number := func(name string, v float64) nodeCollector {
		return collectorFunc(func(ch chan<- prometheus.Metric) error {
			ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, "", nil, nil), prometheus.GaugeValue, v)
			return nil
		})
	}
	dir := t.TempDir()
	p := paths{proc: dir, sys: dir, root: dir}
	require.Empty(t, collectFrom(correct("conntrack", number("node_nf_conntrack_entries", 7), p, false)), "better nothing than the pod's")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "1/net/stat"), 0o755))
	header := "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart\n"
	line := "0000012c" + strings.Repeat(" 00000000", 16) + "\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "1/net/stat/nf_conntrack"), []byte(header+line+line), 0o600))
	require.Equal(t, map[string]float64{"node_nf_conntrack_entries": 300}, collectFrom(correct("conntrack", number("node_nf_conntrack_entries", 7), p, false)))
	require.Equal(t, map[string]float64{"node_nf_conntrack_entries": 7}, collectFrom(correct("conntrack", number("node_nf_conntrack_entries", 7), p, true)))
	require.Equal(t, map[string]float64{"node_nf_conntrack_entries_limit": 9}, collectFrom(correct("conntrack", number("node_nf_conntrack_entries_limit", 9), p, false)))
}
