// SPDX-License-Identifier: Apache-2.0

// Package lanequeue is the durable first-in first-out queue of one lane of the region exporter. It sits on a client of any
// Collector storage extension, and it keeps the lane's ledger.
//
// Every record is one key of the client, its sequence number in decimal. One more key, [metaKey], holds the bounds of the
// sequence and the ledger's totals. Each change of the queue is one atomic batch of the storage client that writes the records
// and the totals together, so that after any crash the ledger says exactly what the queue holds:
//
//	accepted = delivered + released + sum(dropped by reason) + held
//
// Up to [MaxRefused] further keys keep what the server refused last, for a person to look at. They are written in the change that books
// these items as dropped, and count in no bound of the queue.
//
// Delivery is at least once: records that were taken and not settled when the process died are taken again. They are bounded by
// what the takers hold at a time, and by [maxDebris] more while the store takes no changes, as on a full disk.
//
// What the store lost or damaged is found when it is read, and booked as dropped as soon as all else of its time is settled.
package lanequeue
