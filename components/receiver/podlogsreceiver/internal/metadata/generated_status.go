// SPDX-License-Identifier: Apache-2.0

// Package metadata holds what metadata.yaml declares.
package metadata

import "go.opentelemetry.io/collector/component"

var (
	// Type is the type of the component.
	Type = component.MustNewType("pod_logs")
	// ScopeName is the name of the instrumentation scope.
	ScopeName = "github.com/k0rdent/kof/components/receiver/podlogsreceiver"
)

// LogsStability is the stability of the logs signal.
const LogsStability = component.StabilityLevelAlpha
