// SPDX-License-Identifier: Apache-2.0

// Chaos runs a collector between senders and the real backends of three regions in two residency zones, breaks things, and then
// compares what was acknowledged with what the backends hold and with the collector's own ledger. README.md lists the cells.
//
//	go run ./test/chaos -short          every cell, about 5 minutes
//	go run ./test/chaos                 the long form, about half an hour
//	go run ./test/chaos -short -stock   beside it the same with a collector of stock components
package main
