// SPDX-License-Identifier: Apache-2.0

package segmentlog

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
)

const (
	// maxDamagedFiles and an eighth of the quota bound what is set aside; the oldest goes first.
	maxDamagedFiles = 4
	damagedShare    = 8
)

// salvage copies what is live in a damaged segment, which is then set aside. If there is no room for that, it stays in
// use as it is until the log is opened again.
func (l *Log) salvage(s *segment) {
	if err := l.rewrite(s); err != nil {
		s.damaged, s.noIndex = false, true
		l.opts.Logger.Warn("A damaged segment stays in use until the next start", zap.String("segment", s.path), zap.Error(err))
	}
}

// setAside renames a damaged segment, so that somebody can look at it, and removes older ones over the bound.
func (l *Log) setAside(path string) error {
	name := strings.TrimSuffix(path, segmentSuffix) + damagedMark + time.Now().UTC().Format("20060102T150405Z")
	if err := os.Rename(path, name); err != nil {
		return err
	}
	l.counters.damaged.Add(1)
	l.opts.Logger.Error("A damaged segment was set aside", zap.String("file", name))
	return l.pruneDamaged()
}

func (l *Log) pruneDamaged() error {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return err
	}
	var total int64
	files := 0
	for _, e := range slices.Backward(entries) { // by the number of the segment, latest first
		info, infoErr := e.Info()
		if !strings.Contains(e.Name(), damagedMark) || infoErr != nil {
			continue
		}
		files++
		total += info.Size()
		if files <= maxDamagedFiles && total <= l.opts.MaxBytes/damagedShare {
			continue
		}
		removeErr := os.Remove(filepath.Join(l.dir, e.Name()))
		if removeErr == nil {
			l.addDisk(-info.Size())
			total -= info.Size()
		}
		err = errors.Join(err, removeErr)
	}
	return err
}
