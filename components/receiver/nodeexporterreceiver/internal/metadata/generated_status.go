// SPDX-License-Identifier: Apache-2.0

// Package metadata holds what metadata.yaml declares.
package metadata

import "go.opentelemetry.io/collector/component"

var (
	// Type is the type of the component.
	Type = component.MustNewType("node_exporter")
	// ScopeName is the name of the instrumentation scope.
	ScopeName = "github.com/k0rdent/kof/components/receiver/nodeexporterreceiver"
)

// MetricsStability is the stability of the metrics signal.
const MetricsStability = component.StabilityLevelAlpha
