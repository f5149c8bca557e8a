// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// SyncMode tells when data reaches the disk itself. In every mode, what Batch has acknowledged is in the operating
// system's cache and survives the death of the process.
type SyncMode int

const (
	// SyncInterval leaves it to the calls of Maintain: a power loss takes what was written since the last one.
	SyncInterval SyncMode = iota
	// SyncAlways has every Batch wait for the disk; batches that are waiting at the same time share one sync.
	SyncAlways
	// SyncNever leaves it to the operating system: a power loss can take everything since it last wrote, in any order.
	SyncNever
)

// Limits of Options.
const (
	MinSegmentBytes = 1 << 20
	MaxSegmentBytes = 64 << 20
	// MinSegments is how many segments a quota must have room for: one is being written, one is being read, one is kept
	// for draining, and one is for data.
	MinSegments = 4
)

// Options of a log. All sizes are bytes.
type Options struct {
	SegmentBytes int64   // size at which a segment is sealed; one batch larger than this gets a segment of its own
	MaxBytes     int64   // limit of the bytes on disk, at least MinSegments segments
	Budget       *Budget // limit that this log shares with others; nil for none
	Sync         SyncMode
	Logger       *zap.Logger
	Wake         func()                              // asks for a call of Maintain soon; nil for none
	Synced       func(took time.Duration, err error) // is told of every sync; nil for none
}

// Stats of a log, for its metrics.
type Stats struct {
	Keys      int
	DiskBytes int64 // all files of the log: segments, reserve, segments set aside
	LiveBytes int64 // what the live keys need
	Segments  int

	// Since Open:
	TruncatedBytes  int64 // of records that were half-written when the log was opened
	CorruptBytes    int64 // of damaged records found when the log was opened, and of values that failed their checksum
	DamagedSegments int64 // segments set aside
	SyncFailures    int64
	RefusedClient   int64 // batches refused at the log's own limit
	RefusedTotal    int64 // batches refused at the limit of the Budget
	RefusedDisk     int64 // batches refused because the disk is full
}

// Log is one client's data. All methods can be called at the same time from several goroutines.
type Log struct {
	dir   string
	opts  Options
	files files

	queueMu sync.Mutex
	queue   []*request // waiting for the next commit

	// maintainMu is held by Maintain and Close, so that nothing is written to the folder after Close, when somebody else
	// may have opened it; commitMu while the end of the log moves; syncMu while files are synced and removed; mu while the
	// fields below it are read or changed. They are taken in this order, and mu is never held during disk writes. keys,
	// byID, order, active and closed change only with both commitMu and mu held, so that either is enough for reading them.
	maintainMu sync.Mutex
	commitMu   sync.Mutex
	syncMu     sync.Mutex

	nextID     uint32 // number of the next segment, guarded by commitMu
	nextNumber uint64 // number of the next record, guarded by commitMu

	mu        sync.RWMutex
	keys      *directory
	byID      map[uint32]*segment
	order     []*segment // in ascending order of their numbers
	active    *segment   // the one being written; nil before the first write
	dropped   []*segment // without a live key, to be removed when what made them so is on disk
	reserves  []string   // paths of unused reserve files
	liveBytes int64
	fullAt    time.Time // when the disk was last found full; zero when space has come back since
	newNames  bool      // segments were made since the folder was synced
	grew      bool      // a batch that needed space was stored since the last Maintain
	dead      bool      // a sealed segment may have lost its last live key
	closed    bool

	disk     atomic.Int64
	counters struct {
		truncated, corrupt, damaged, syncFailures    atomic.Int64
		refusedClient, refusedTotal, refusedDiskFull atomic.Int64
	}
}

// Stats returns current figures.
func (l *Log) Stats() Stats {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return Stats{
		Keys:            l.keys.len(),
		DiskBytes:       l.disk.Load(),
		LiveBytes:       l.liveBytes,
		Segments:        len(l.order) + len(l.dropped),
		TruncatedBytes:  l.counters.truncated.Load(),
		CorruptBytes:    l.counters.corrupt.Load(),
		DamagedSegments: l.counters.damaged.Load(),
		SyncFailures:    l.counters.syncFailures.Load(),
		RefusedClient:   l.counters.refusedClient.Load(),
		RefusedTotal:    l.counters.refusedTotal.Load(),
		RefusedDisk:     l.counters.refusedDiskFull.Load(),
	}
}

// Close syncs and closes the log. Closing again does nothing.
func (l *Log) Close() error {
	l.maintainMu.Lock()
	defer l.maintainMu.Unlock()
	l.commitMu.Lock()
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		l.commitMu.Unlock()
		return nil
	}
	l.closed = true
	active := l.active
	l.active = nil
	l.mu.Unlock()
	l.commitMu.Unlock()

	err := l.sync(false)
	if err == nil {
		l.writeIndexes()
	}
	if active != nil {
		err = errors.Join(err, l.files.release(active))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range append(l.order, l.dropped...) {
		err = errors.Join(err, l.files.forget(s))
	}
	l.addDisk(-l.disk.Load())
	return err
}

// addDisk books bytes of the folder with the log and its budget.
func (l *Log) addDisk(n int64) {
	l.disk.Add(n)
	if l.opts.Budget != nil {
		l.opts.Budget.Add(n)
	}
}

func (l *Log) wake() {
	if l.opts.Wake != nil {
		l.opts.Wake()
	}
}
