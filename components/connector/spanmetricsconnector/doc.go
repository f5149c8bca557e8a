// SPDX-License-Identifier: Apache-2.0

// Package spanmetricsconnector counts and times spans: it takes traces and gives metrics of rate, errors and duration, under the
// names of OpenTelemetry's span metrics connector of the same version line (traces.span.metrics.calls, …duration). What it keeps
// is bounded, and a resource of the metrics names the same region and tenant as that of the spans, so that they go to the same place.
package spanmetricsconnector
