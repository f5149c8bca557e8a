// SPDX-License-Identifier: Apache-2.0

// Package metadata holds what metadata.yaml declares.
package metadata

import (
	"go.opentelemetry.io/collector/component"
)

var (
	Type      = component.MustNewType("region")
	ScopeName = "github.com/k0rdent/kof/components/exporter/regionexporter"
)

const (
	MetricsStability = component.StabilityLevelAlpha
	LogsStability    = component.StabilityLevelAlpha
	TracesStability  = component.StabilityLevelAlpha
)
