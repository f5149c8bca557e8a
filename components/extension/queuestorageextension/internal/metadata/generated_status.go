// SPDX-License-Identifier: Apache-2.0

// Package metadata holds what metadata.yaml declares.
package metadata

import (
	"go.opentelemetry.io/collector/component"
)

var (
	Type      = component.MustNewType("queue_storage")
	ScopeName = "github.com/k0rdent/kof/components/extension/queuestorageextension"
)

const (
	ExtensionStability = component.StabilityLevelAlpha
)
