// SPDX-License-Identifier: Apache-2.0

// Package statusextension serves a page that shows what each lane of the agent's exporters does now, and the same as JSON.
package statusextension
