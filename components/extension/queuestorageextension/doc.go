// SPDX-License-Identifier: Apache-2.0

// Package queuestorageextension provides a storage extension for queues and checkpoints: what was written survives the
// death of the process, disk is given back as a queue drains, and a full disk or a corrupt file doesn't stop it.
// The files are those of package segmentlog, where their format is described.
package queuestorageextension
