// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

const (
	segmentSuffix = ".seg"
	reserveSuffix = ".reserve"
	damagedMark   = ".seg.damaged-"

	// maxOpenFiles bounds the open files of a log beyond those being written and read at the moment: a queue reads at
	// one end and writes at the other.
	maxOpenFiles = 8
)

// segment is one file of the log. The fields of the first group are guarded by Log.mu, those of the second by files.mu.
type segment struct {
	id   uint32
	path string

	size      int64 // end of the last record
	disk      int64 // bytes of the file: with the index, or with the blocks held ready in a reserve file
	live      int   // live keys
	liveBytes int64
	pins      uint32 // deletes in here hide keys that may still stand in segments up to this one; 0 if none
	reserve   bool   // made from a reserve file
	indexed   bool   // ends in an index
	noIndex   bool   // can't be given an index: something follows the last record, or there was no room
	dirty     bool   // has bytes that were not synced
	damaged   bool   // is to be set aside instead of removed

	file   *os.File
	refs   int
	idle   *list.Element
	unused bool // to be closed with the last reference
}

func segmentName(id uint32) string { return fmt.Sprintf("%010d%s", id, segmentSuffix) }

func parseSegmentName(name string) (uint32, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 10 {
		return 0, false
	}
	id, err := strconv.ParseUint(digits, 10, 32)
	return uint32(id), err == nil && id > 0
}

// files opens segments when they are read and keeps a few of them open.
type files struct {
	mu   sync.Mutex
	idle list.List // *segment, open and not referenced, least recently used first
}

// acquire opens the segment's file if need be and keeps it open until release.
func (fs *files) acquire(s *segment) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if s.file == nil {
		f, err := os.OpenFile(s.path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		s.file = f
	}
	if s.idle != nil {
		fs.idle.Remove(s.idle)
		s.idle = nil
	}
	s.refs++
	return nil
}

// release is the end of acquire. Files are closed without the lock: closing one that was removed frees its blocks, which
// takes a while.
func (fs *files) release(s *segment) error {
	fs.mu.Lock()
	s.refs--
	var done *os.File
	switch {
	case s.refs > 0:
	case s.unused:
		done = s.take()
	default:
		s.idle = fs.idle.PushBack(s)
		if fs.idle.Len() > maxOpenFiles {
			s = fs.idle.Remove(fs.idle.Front()).(*segment)
			s.idle = nil
			done = s.take()
		}
	}
	fs.mu.Unlock()
	return closeFile(done)
}

// forget closes the segment's file, now or when the last reader is done.
func (fs *files) forget(s *segment) error {
	fs.mu.Lock()
	s.unused = true
	if s.idle != nil {
		fs.idle.Remove(s.idle)
		s.idle = nil
	}
	var done *os.File
	if s.refs == 0 {
		done = s.take()
	}
	fs.mu.Unlock()
	return closeFile(done)
}

func (s *segment) take() *os.File {
	f := s.file
	s.file = nil
	return f
}

func closeFile(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

// readValue reads the value at loc, whose segment the caller holds, and checks it.
func readValue(s *segment, loc location) ([]byte, error) {
	value := make([]byte, loc.length)
	n, err := s.file.ReadAt(value, int64(loc.offset))
	if n == len(value) {
		err = nil
	}
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%w: %d bytes at %d of %s: %w", ErrCorrupt, loc.length, loc.offset, filepath.Base(s.path), err)
	case err != nil || checksum(value) != loc.crc:
		return nil, fmt.Errorf("%w: %d bytes at %d of %s", ErrCorrupt, loc.length, loc.offset, filepath.Base(s.path))
	}
	return value, nil
}
