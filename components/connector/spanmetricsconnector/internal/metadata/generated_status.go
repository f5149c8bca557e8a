// SPDX-License-Identifier: Apache-2.0

// Package metadata holds what metadata.yaml declares.
package metadata

import (
	"go.opentelemetry.io/collector/component"
)

var (
	Type      = component.MustNewType("span_metrics")
	ScopeName = "github.com/k0rdent/kof/components/connector/spanmetricsconnector"
)

const (
	TracesToMetricsStability = component.StabilityLevelAlpha
)
