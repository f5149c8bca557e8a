// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package nodeexporterreceiver

import (
	"errors"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

func newCollectors(*Config, string) (*runners, error) {
	return nil, errors.New("node_exporter: this receiver is for Linux only")
}

func bootTime(string) pcommon.Timestamp { return 0 }

func isNoData(error) bool { return false }
