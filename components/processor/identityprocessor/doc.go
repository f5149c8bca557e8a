// SPDX-License-Identifier: Apache-2.0

// Package identityprocessor names the origin of telemetry: it sets the cluster, the home region and the tenant on every
// resource of metrics, logs and traces, the same on all three.
package identityprocessor
