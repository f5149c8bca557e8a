// SPDX-License-Identifier: Apache-2.0

// Package cost holds the prices and the arithmetic of Kubernetes costs with OpenCost's semantics: unit prices and where
// they come from, how a node's price is split over its resources, how allocations are integrated over time into
// monotonic cost counters, and what idle is. It knows nothing of Kubernetes clients or of telemetry.
//
// Units: prices are US dollars before [Currency] is applied; "GiB" is 2^30 bytes (OpenCost writes GB for it); an hour is
// 3,600 s; a month is 730 hours. The formulae are those of OpenCost v1.120.0 (github.com/opencost/opencost); where
// OpenCost is known to compute something other than its specification says, [Resolver].Compat chooses between
// OpenCost's number and the corrected one.
package cost
