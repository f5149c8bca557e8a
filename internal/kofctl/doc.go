// SPDX-License-Identifier: Apache-2.0

// Package kofctl is the command line of KOF: one package below it for each command, and what they share in command (flags, connections,
// exit codes), output (tables and JSON) and promql (queries of the stores). It only reads: no command changes anything anywhere.
package kofctl
