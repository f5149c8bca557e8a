// SPDX-License-Identifier: Apache-2.0

// Package opencostdiff compares the opencost receiver with the real OpenCost v1.108.1, the newest that builds: the same
// nodes, pods and usage to both, a real VictoriaMetrics behind both.
//
// By default the receiver is compared with what OpenCost answered when testdata/opencost.json was recorded; command and
// date stand in that file. `make opencost-diff` builds OpenCost, runs it live and records anew. OpenCost binds every
// address of port 9003 and can't be told otherwise, so the live run is in a network namespace of its own, which only has a
// loopback: it needs Linux, and root or unprivileged user namespaces.
package opencostdiff
