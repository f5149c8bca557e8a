// SPDX-License-Identifier: Apache-2.0

// Package shop is a small service that really serves HTTP requests on loopback, with a client that calls it. It is
// instrumented with the OpenTelemetry SDK, sends traces and metrics by OTLP, and serves a Prometheus endpoint.
package shop
