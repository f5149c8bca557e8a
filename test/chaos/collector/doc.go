// SPDX-License-Identifier: Apache-2.0

// Package collector runs one collector process under test, kof-otelcol or one of stock components, with a configuration for given
// regions, kills it and starts it again, and reads what it says of itself.
package collector
