// SPDX-License-Identifier: Apache-2.0

// Package segmentlog is a key-value log on disk for queues and checkpoints: values are set once, read once and deleted
// in about the order in which they were set, beside a few small keys that are rewritten all the time.
//
// A log is one folder of append-only segment files. Every Batch is one record, so that after a crash either all of it
// is there or nothing. Where each live key's value lies is held in memory; the values are on disk only. A segment
// without a live key is removed as a whole, which is how space comes back without rewriting anything; what is still
// live in a segment that is mostly garbage is copied to the end of the log first.
//
// # Format (version 1, little-endian)
//
// Segments are named by their number, ten decimal digits and ".seg"; a higher number is later. A segment is a header,
// records, and, once it is sealed and on disk, an index.
//
//	segment header, 32 bytes
//	  0  8  "KOFQLOG\n"
//	  8  2  format version
//	 12  4  number of the segment
//	 28  4  CRC32C of bytes 0 to 27
//
//	record: header of 32 bytes, meta, values
//	  0  4  "KOFR" (in an index "KOFI")
//	  4  4  bytes of meta
//	  8  4  bytes of values (0 in an index)
//	 12  4  entries in meta
//	 16  8  number of the record, rising by one (in an index: that of the last record)
//	 24  4  CRC32C of meta
//	 28  4  CRC32C of segment number, offset of the record in the file (8 bytes), bytes 0 to 27
//
//	entry in meta, its kind first
//	  1  set of a number     uvarint key, uvarint bytes of value, CRC32C of value (4 bytes)
//	  2  delete of a number  uvarint key
//	  3  delete of a range   uvarint first key, uvarint how many more
//	  4  set of a name       uvarint length, key, uvarint bytes of value, CRC32C of value
//	  5  delete of a name    uvarint length, key
//
// A key that is a decimal number as strconv prints a uint64 is a number, any other is a name. The values follow the
// meta in the order of their entries. In an index there are no values, and every set ends in the uvarint offset of its
// value in the file; deletes come before sets. After the index, a trailer ends the file:
//
//	trailer, 16 bytes
//	  0  4  "KOFT"
//	  4  4  offset of the index
//	 12  4  CRC32C of segment number, offset of the trailer (8 bytes), bytes 0 to 11
//
// The checksum of a record's header covers where it stands, so that a copy of a record inside a value, or the remains
// of an earlier use of the same blocks, is never taken for a record.
//
// Files named "*.reserve" are blocks held ready for a full disk. Files named "*.damaged-<time>" are segments set aside.
package segmentlog
