// SPDX-License-Identifier: Apache-2.0

// Package load sends numbered records of the three signals to a collector over OTLP/HTTP, and remembers which of them the collector
// acknowledged. A request without a 2xx answer is not acknowledged, and is sent again until it is.
package load
