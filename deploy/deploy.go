// SPDX-License-Identifier: Apache-2.0

// Package deploy holds what kofctl needs of this folder: the defaults and schemas of the charts, and the CRDs of KOF's kinds.
package deploy

import "embed"

// Files are charts/CHART/values.yaml, charts/CHART/values.schema.json and crds/*.yaml.
//
//go:embed charts/*/values.yaml charts/*/values.schema.json crds/*.yaml
var Files embed.FS
