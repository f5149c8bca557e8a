// SPDX-License-Identifier: Apache-2.0

// Package metadata holds what metadata.yaml declares.
package metadata

import (
	"go.opentelemetry.io/collector/component"
)

var (
	Type      = component.MustNewType("kof_status")
	ScopeName = "github.com/k0rdent/kof/components/extension/statusextension"
)

const (
	ExtensionStability = component.StabilityLevelAlpha
)
