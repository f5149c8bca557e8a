// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"
)

// A log must be able to delete when the disk is full, and a delete is a record. Two small files of blocks that were
// written beforehand are kept for that: one becomes the segment for such records; when it is full, the few of its records
// that still count are copied to the other, and the two change places.
const (
	reserveBytes = 128 << 10
	reserveCount = 2
)

var errStillFull = errors.New("the disk was full a moment ago")

// zero writes zeros over the blocks of a file, so that they are there and hold nothing that looks like a record.
func zero(f *os.File, from, to int64) error {
	_, err := f.WriteAt(make([]byte, to-from), from)
	return err
}

// refillReserves makes the reserve files that are missing, as far as there is room for them.
func (l *Log) refillReserves() {
	l.mu.RLock()
	have := len(l.reserves)
	for _, list := range [][]*segment{l.order, l.dropped} {
		for _, s := range list {
			if s.reserve {
				have++
			}
		}
	}
	l.mu.RUnlock()
	for ; have < reserveCount; have++ {
		if err := l.makeReserve(); err != nil {
			if !isNoSpace(err) {
				l.opts.Logger.Warn("Could not make a reserve file; a full disk may not drain", zap.Error(err))
			}
			return
		}
	}
}

func (l *Log) makeReserve() error {
	path := l.reservePath()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = zero(f, 0, reserveBytes)
	if err == nil && l.opts.Sync != SyncNever {
		err = syncFile(f) // some file systems find out only now that there is no room
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	l.addDisk(reserveBytes)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reserves = append(l.reserves, path)
	return nil
}

// reservePath returns a name for a reserve file that isn't in use.
func (l *Log) reservePath() string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for n := 0; ; n++ {
		path := filepath.Join(l.dir, fmt.Sprint(n, reserveSuffix))
		used := false
		for _, p := range l.reserves {
			used = used || p == path
		}
		if !used {
			return path
		}
	}
}

// recycle makes a dropped segment a reserve file again, unless somebody still reads it.
func (l *Log) recycle(s *segment) bool {
	l.files.mu.Lock()
	read := s.refs > 0
	l.files.mu.Unlock()
	l.mu.RLock()
	enough := len(l.reserves) >= reserveCount
	l.mu.RUnlock()
	path := l.reservePath()
	if read || enough || os.Rename(s.path, path) != nil {
		return false
	}
	l.mu.Lock()
	l.reserves = append(l.reserves, path)
	l.mu.Unlock()
	return l.files.forget(s) == nil
}

// useReserve makes a reserve file the segment being written, and frees the other if it was one.
func (l *Log) useReserve() error {
	l.mu.Lock()
	if len(l.reserves) == 0 {
		l.mu.Unlock()
		return errors.New("no reserve file is left")
	}
	path := l.reserves[0]
	l.reserves = l.reserves[1:]
	l.mu.Unlock()

	s, err := l.openReserve(path)
	if err != nil {
		l.mu.Lock()
		l.reserves = append(l.reserves, path)
		l.mu.Unlock()
		return err
	}
	l.nextID++
	l.install(s)

	for _, other := range append([]*segment(nil), l.order...) {
		if other.reserve && other != s {
			if err := l.rewrite(other); err != nil {
				return err
			}
		}
	}
	return l.sync(true)
}

func (l *Log) openReserve(path string) (*segment, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(l.dir, segmentName(l.nextID))
	err = zero(f, 0, reserveBytes)
	if err == nil {
		_, err = f.WriteAt(encodeSegmentHeader(l.nextID), 0)
	}
	if err == nil {
		err = os.Rename(path, name)
	}
	if err == nil && l.opts.Sync == SyncAlways {
		// Under its old name, it would count as unused after a loss of power.
		if err = syncDir(l.dir); err != nil {
			err = errors.Join(err, os.Rename(name, path))
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &segment{id: l.nextID, path: name, file: f, size: segmentHeader, disk: reserveBytes, reserve: true}, nil
}

// writeWhenFull writes a request after the disk was found full.
func (l *Log) writeWhenFull(r *request, cause error) error {
	if r.maintenance {
		_ = l.sync(true) // gives back what only waits for a sync
	}
	requests := []*request{r}
	_, appends := l.fitting(requests)
	err := l.write(requests, appends)
	if err == nil || !isNoSpace(err) {
		return err
	}
	if r.maintenance {
		reserveErr := l.useReserve()
		if _, appends = l.fitting(requests); appends && reserveErr == nil {
			return l.append(requests)
		}
		if reserveErr != nil {
			cause = fmt.Errorf("%w; for a delete: %w", cause, reserveErr)
		}
	} else {
		l.mu.Lock()
		l.fullAt = time.Now()
		l.mu.Unlock()
	}
	l.counters.refusedDiskFull.Add(1)
	return &diskFullError{cause}
}
