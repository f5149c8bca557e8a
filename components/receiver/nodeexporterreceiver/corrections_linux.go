// SPDX-License-Identifier: Apache-2.0

package nodeexporterreceiver

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/procfs"
)

// inNetworkOf tells whether this process is in the network namespace of process 1 of a /proc. The kernel numbers the files of each
// network namespace's /proc/net anew; unlike /proc/1/ns/net they can be looked at without privileges.
func inNetworkOf(proc string) bool {
	var own, one syscall.Stat_t
	return syscall.Stat("/proc/self/net/dev", &own) == nil && syscall.Stat(filepath.Join(proc, "1/net/dev"), &one) == nil && own.Ino == one.Ino
}

// corrected replaces what a collector takes from the namespaces of this process by what is the node's.
type corrected struct {
	nodeCollector
	// fix returns what to send instead of a metric; nil for nothing.
	fix func(prometheus.Metric) []prometheus.Metric
}

// Update sends the corrected metrics of the collector.
func (c corrected) Update(out chan<- prometheus.Metric) error {
	in := make(chan prometheus.Metric, 64)
	done := make(chan error, 1)
	go func() {
		defer close(in)
		done <- safely(c.nodeCollector, in)
	}()
	for m := range in {
		for _, f := range c.fix(m) {
			out <- f
		}
	}
	return <-done
}

// correct returns the collector as it has to run here.
func correct(name string, c nodeCollector, p paths, sameNetwork bool) nodeCollector {
	switch {
	case name == "netdev":
		return corrected{c, func(m prometheus.Metric) []prometheus.Metric { return withNoHandler(m, p.sys) }}
	case name == "conntrack" && !sameNetwork:
		return corrected{c, func(m prometheus.Metric) []prometheus.Metric { return nodeConntrack(m, p.proc) }}
	case name == "uname" && !sameNetwork:
		// A pod has the node's host name exactly when it has the node's network.
		return corrected{c, func(m prometheus.Metric) []prometheus.Metric { return nodeUname(m, p.root) }}
	}
	return c
}

func named(m prometheus.Metric, name string) bool {
	return strings.HasPrefix(m.Desc().String(), `Desc{fqName: "`+name+`"`)
}

func labelsOf(m prometheus.Metric) map[string]string {
	var d dto.Metric
	if m.Write(&d) != nil {
		return nil
	}
	out := make(map[string]string, len(d.Label))
	for _, l := range d.Label {
		out[l.GetName()] = l.GetValue()
	}
	return out
}

var noHandlerDesc = prometheus.NewDesc("node_network_receive_nohandler_total", "Network device statistic receive_nohandler.", []string{"device"}, nil)

// withNoHandler adds the one statistic that netlink gives and /proc/net/dev doesn't.
func withNoHandler(m prometheus.Metric, sys string) []prometheus.Metric {
	out := []prometheus.Metric{m}
	if !named(m, "node_network_receive_bytes_total") {
		return out
	}
	device := labelsOf(m)["device"]
	text, err := os.ReadFile(filepath.Join(sys, "class/net", device, "statistics/rx_nohandler"))
	if err != nil {
		return out
	}
	v, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return out
	}
	return append(out, prometheus.MustNewConstMetric(noHandlerDesc, prometheus.CounterValue, float64(v), device))
}

// nodeConntrack takes the number of connections from the node's statistics; the collector's own file is about the network of the process.
func nodeConntrack(m prometheus.Metric, proc string) []prometheus.Metric {
	if !named(m, "node_nf_conntrack_entries") {
		return []prometheus.Metric{m}
	}
	fs, err := procfs.NewFS(filepath.Join(proc, "1"))
	if err != nil {
		return nil
	}
	stats, err := fs.ConntrackStat()
	if err != nil || len(stats) == 0 {
		return nil
	}
	// Every CPU's line has the number of all.
	return []prometheus.Metric{prometheus.MustNewConstMetric(m.Desc(), prometheus.GaugeValue, float64(stats[0].Entries))}
}

// nodeUname puts the node's name in place of the pod's.
func nodeUname(m prometheus.Metric, root string) []prometheus.Metric {
	text, err := os.ReadFile(filepath.Join(root, "etc/hostname"))
	name := strings.TrimSpace(string(text))
	l := labelsOf(m)
	if err != nil || name == "" || !named(m, "node_uname_info") {
		return []prometheus.Metric{m}
	}
	return []prometheus.Metric{prometheus.MustNewConstMetric(m.Desc(), prometheus.GaugeValue, 1,
		l["sysname"], l["release"], l["version"], l["machine"], name, l["domainname"])}
}
