// SPDX-License-Identifier: Apache-2.0

package nodeexporterreceiver

import (
	"errors"
	"log/slog"

	"github.com/prometheus/node_exporter/collector"
	"github.com/prometheus/procfs"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// newCollectors makes the enabled collectors, corrected for where this process runs.
func newCollectors(c *Config, proc string) (*runners, error) {
	sameNetwork := networkOf(proc) == "net" || inNetworkOf(proc)
	// Collectors log at every collection what the result says already.
	logger := slog.New(slog.DiscardHandler)
	return newRunners(c, func(name string) (nodeCollector, error) {
		if collectors[name].ownNetwork && !sameNetwork {
			return nil, errors.New("enabled: needs hostNetwork, since it asks the kernel about the network of this process, which is not the node's")
		}
		col, err := constructors[name](logger)
		if err != nil {
			return nil, err
		}
		return correct(name, col, c.paths(), sameNetwork), nil
	})
}

// bootTime is when the node's counters began, 0 if that can't be read.
func bootTime(proc string) pcommon.Timestamp {
	fs, err := procfs.NewFS(proc)
	if err != nil {
		return 0
	}
	stat, err := fs.Stat()
	if err != nil {
		return 0
	}
	const nanoseconds = 1_000_000_000
	return pcommon.Timestamp(stat.BootTime * nanoseconds)
}

func isNoData(err error) bool { return collector.IsNoDataError(err) }
