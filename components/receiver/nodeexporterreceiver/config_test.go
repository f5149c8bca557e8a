// SPDX-License-Identifier: Apache-2.0

//go:build linux

package nodeexporterreceiver

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if isChild() {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

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
	require.NoError(t, componenttest.CheckConfigStruct(createDefaultConfig()))
	for _, name := range []string{"", "/pod", "/all"} {
		require.NoError(t, xconfmap.Validate(load(t, "config.yaml", "node_exporter"+name)), name)
	}
	require.Equal(t, createDefaultConfig(), load(t, "config.yaml", "node_exporter"))
	require.Equal(t, paths{"/hostfs/proc", "/hostfs/sys", "/hostfs", "/hostfs/run/udev/data"}, load(t, "config.yaml", "node_exporter/pod").paths())
	require.Equal(t, paths{"/proc", "/sys", "/", "/run/udev/data"}, createDefaultConfig().(*Config).paths())

	c := load(t, "config.yaml", "node_exporter/all")
	require.Equal(t, paths{"/host/proc", "/host/sys", "/rootfs", "/host/udev"}, c.paths())
	require.Equal(t, 20*time.Second, c.Timeout)
	require.True(t, c.enabled("xfs"))
	require.False(t, c.enabled("hwmon"))
	require.True(t, c.enabled("cpu"), "options alone don't change it")
	flags := c.flags("/links")
	for name, want := range map[string]string{
		"path.procfs": "/links", "path.sysfs": "/host/sys", "path.rootfs": "/rootfs", "path.udev.data": "/host/udev",
		"collector.cpu.guest": "false", "collector.cpu.info": "true", "collector.diskstats.device-include": "^sd",
		"collector.diskstats.device-exclude": "", "collector.filesystem.stat-workers": "2", "collector.filesystem.mount-points-exclude": "^/boot",
		"collector.netdev.device-exclude": podDevices, "collector.netdev.netlink": "false",
	} {
		require.Contains(t, flags, name)
		require.Equal(t, want, flags[name], name)
	}
	require.NoError(t, setFlags(flags), "node_exporter knows them all")
}

func TestConfigBad(t *testing.T) {
	for name, want := range map[string][]string{
		"interval": {"collection_interval: 10ms: must be from 1s to 1h0m0s"},
		"delay":    {"initial_delay: -1s: must not be negative"},
		"timeout":  {"timeout: 1m0s: must be more than 0 and not more than collection_interval"},
		"series":   {"max_series: 1: must be from 100 to 1000000"},
		"paths":    {`root_path: "hostfs": must be an absolute path`, `procfs: "proc"`, `link_directory: "tmp"`},
		"root":     {`root_path: "": must be an absolute path`},
		"unknown":  {"collectors::systemd: unknown: there are arp, bcache,", "collectors::cpus: unknown: there are"},
		"options": {
			`collectors::netdev::options::device_include: "(": must be a regular expression: error parsing regexp`,
			"collectors::netdev::options::devices: unknown: there are device_exclude, device_include",
			`collectors::cpu::options::guest: "yes": must be true or false`,
			"collectors::filesystem::options::stat_workers: 1000: must be a number from 1 to 64",
			"collectors::loadavg::options::a: unknown: this collector has no options",
			"collectors::ipvs::options::backend_labels: 1: must be a text",
		},
		"both": {`collectors::diskstats::options::device_include: "a": must not be given together with device_exclude`},
	} {
		t.Run(name, func(t *testing.T) {
			err := xconfmap.Validate(load(t, "bad.yaml", "node_exporter/"+name))
			for _, w := range want {
				require.ErrorContains(t, err, w)
			}
		})
	}
	none := createDefaultConfig().(*Config)
	none.Collectors = map[string]CollectorConfig{}
	for name := range collectors {
		none.Collectors[name] = CollectorConfig{Enabled: new(bool)}
	}
	require.ErrorContains(t, none.Validate(), "collectors: all disabled: at least one must be enabled")
}

// TestEveryOptionIsAFlag compares the tables with node_exporter's command line.
func TestEveryOptionIsAFlag(t *testing.T) {
	values := map[optionKind]any{optionRegexp: "x", optionBool: true, optionCount: 1, optionText: "x"}
	for name, info := range collectors {
		require.Contains(t, constructors, name)
		for key, kind := range info.options {
			c := createDefaultConfig().(*Config)
			c.Collectors = map[string]CollectorConfig{name: {Options: map[string]any{key: values[kind]}}}
			require.NoError(t, c.Validate())
			flags := c.flags("/proc")
			require.Equal(t, fmt.Sprint(values[kind]), flags[flagName(name, key)])
			require.NoError(t, setFlags(flags), "%s %s", name, key)
		}
	}
	require.Len(t, constructors, len(collectors))
	require.ErrorContains(t, setFlags(map[string]string{"collector.cpu.nothing": "x"}), "of 1, 1 are unknown")
}

func TestDefaultFilters(t *testing.T) {
	matches := func(pattern string, names ...string) (out []string) {
		re := mustRegexp(t, pattern)
		for _, n := range names {
			if re.MatchString(n) {
				out = append(out, n)
			}
		}
		return out
	}
	pods := []string{"veth0a1b2c3d", "cali0123456789a", "lxc0a1b2c3d4e5f", "lxc_health", "eni0a1b2c3d4e5", "azv1a2b", "gke0123456789a", "tap0", "0123456789abcde"}
	require.Equal(t, pods, matches(podDevices, append(slices.Clone(pods), "lo", "eth0", "ens5", "eno1", "lxcbr0", "cilium_host", "cni0", "flannel.1", "docker0", "bond0", "gke0")...))
	mounts := []string{"/dev", "/dev/shm", "/proc/fs", "/sys/fs/bpf", "/run/containerd/io.containerd.runtime.v2.task/k8s.io/x/rootfs",
		"/run/netns/cni-1", "/var/lib/kubelet/pods/x/volumes/y", "/var/lib/docker/overlay2/x/merged", "/run/user/1000"}
	require.Equal(t, mounts, matches(podMounts, append(slices.Clone(mounts), "/", "/run", "/run/lock", "/var/lib/kubelet", "/var/lib/containerd",
		"/boot/efi", "/device", "/var/lib/etcd", "/mnt/disks/ssd0")...))
}
