// SPDX-License-Identifier: Apache-2.0

package nodeexporterreceiver

import (
	"fmt"
	"sync"

	"github.com/alecthomas/kingpin/v2"
	"go.opentelemetry.io/collector/component"
)

// process guards node_exporter's settings, which are variables of the process: one receiver has them at a time.
var process struct {
	mu    sync.Mutex
	owner *component.ID
}

// claim makes the receiver of the ID the one that node_exporter's settings belong to. It has to be released, after the last
// collector ended.
func claim(id component.ID) error {
	process.mu.Lock()
	defer process.mu.Unlock()
	if process.owner != nil {
		return fmt.Errorf("there can be one node_exporter receiver in a collector, since node_exporter's settings are the process': "+
			"%q can't start while %q runs or one of its collectors still hangs", id, *process.owner)
	}
	process.owner = &id
	return nil
}

func release() {
	process.mu.Lock()
	defer process.mu.Unlock()
	process.owner = nil
}

// setFlags sets node_exporter's settings, which the caller has claimed, by the names of its command line: those that aren't given
// to their defaults, also after another receiver set them.
//
// What has its value already is not touched: a collector of the receiver before may have left a goroutine that still reads it.
func setFlags(flags map[string]string) error {
	known := 0
	for _, f := range kingpin.CommandLine.Model().Flags {
		value, given := flags[f.Name]
		if given {
			known++
		} else if len(f.Default) > 0 {
			value = f.Default[0]
		} else if f.IsBoolFlag() {
			value = "false"
		}
		if list, ok := f.Value.(interface{ IsCumulative() bool }); ok && list.IsCumulative() {
			continue // of collectors that aren't in the table
		}
		if f.Value.String() == value {
			continue
		}
		if err := f.Value.Set(value); err != nil {
			return fmt.Errorf("settings of node_exporter: %s: %w", f.Name, err)
		}
	}
	if known < len(flags) {
		return fmt.Errorf("settings of node_exporter: of %d, %d are unknown to it", len(flags), len(flags)-known)
	}
	return nil
}
