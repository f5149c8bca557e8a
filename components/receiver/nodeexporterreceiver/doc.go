// SPDX-License-Identifier: Apache-2.0

// Package nodeexporterreceiver gives the metrics of a node under node_exporter's names. It runs the collectors of node_exporter
// itself in this process, corrects what they would take from the agent's own namespaces, and turns what they return into
// metrics without a scrape in between.
package nodeexporterreceiver
